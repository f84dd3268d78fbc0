import { type Caller, type Principal, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';

const maxUserIdLength = 256;
const field = 'Arcade-User-ID';
// C0, DEL and C1: nothing that could break a header, a log line or a database.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/** What is known of the user; nothing, where only a key vouches for them. `scopes` of an access token. */
export type Vouched = Pick<Caller, 'groups' | 'claims'> &
  Partial<Pick<Caller, 'scopes' | 'personId' | 'signInId'>>;
export const nothing: Vouched = { groups: [], claims: {} };

/** The principal acting as this user, or, with `null`, as no user. */
export function actAs(
  principal: Principal,
  userId: string | null,
  vouched: Vouched = nothing,
): Result<Caller, Refusal> {
  if (userId === null) return ok(callerOf(principal, null, vouched));
  const id = userId.trim();
  if (id === '') return err(refusal('identity.user_missing', 'the user id is empty', { field }));
  if (id.length > maxUserIdLength || controlCharacter.test(id) || !id.isWellFormed()) {
    const message = `the user id must have at most ${maxUserIdLength} characters, none of them a control character`;
    return err(refusal('request.params_invalid', message, { field }));
  }
  if (isSignedToken(id)) {
    const message = 'the user id is a signed token, and user assertions are not taken here';
    return err(refusal('request.params_invalid', message, { field }));
  }
  if (principal.users !== null && !principal.users.matches(id)) {
    return err(
      refusal('identity.user_refused', 'this API key may not act for this user', {
        field,
        reason: `API key ${principal.id} is restricted to other users`,
      }),
    );
  }
  return ok(callerOf(principal, id, vouched));
}

/** A JWT in its compact form. */
export function isSignedToken(text: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(text);
}

/** The brand exists only in types; this is the one place that gives it. */
function callerOf(principal: Principal, userId: string | null, vouched: Vouched): Caller {
  const { groups, claims, scopes = null, personId = personOf(principal), signInId } = vouched;
  const { clientId } = principal;
  const caller = { principal, userId, groups, claims, scopes };
  return {
    ...caller,
    ...(clientId === undefined ? {} : { clientId }),
    ...(personId === undefined ? {} : { personId }),
    ...(signInId === undefined ? {} : { signInId }),
  } as unknown as Caller;
}

function personOf({ kind, id }: Principal): string | undefined {
  return kind === 'person' ? id : undefined;
}
