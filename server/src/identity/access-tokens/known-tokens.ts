import { hash } from 'node:crypto';
import type { Refusal } from '#domain';
import { type Clock, createSingleFlight, err, type MaybePromise, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { SigningKeys } from '../authorization/contract.ts';
import type { SignIn, SignIns } from '../sign-ins/contract.ts';
import type { Admission } from './admission.ts';
import { createTokenMemory, grantTie, type KnownToken, signInTie } from './memory.ts';
import { createVerifier, tokenInvalid, type VerifiedToken } from './verify-token.ts';

const maxTokenLength = 8 * 1024;
const tooLong = err(tokenInvalid(`it is longer than ${maxTokenLength} characters`));

export interface KnownTokensDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly signIns: SignIns;
  readonly signingKeys: SigningKeys;
}

/** Checks a token once, and remembers it until it is over or what it hangs on was ended. */
export function createKnownTokens(deps: KnownTokensDeps, admission: Admission) {
  const { changes, signIns } = deps;
  const verify = createVerifier(deps);
  const memory = createTokenMemory();
  const once = createSingleFlight<Result<KnownToken, Refusal>>();
  let endings = 0;

  function onEnding(forget: (key: string) => void): (key: string | null) => void {
    return (key) => {
      endings++;
      if (key === null) memory.forgetWhere(() => true);
      else forget(key);
    };
  }
  changes.on(
    'sign_ins',
    onEnding((id) => memory.forgetTied(signInTie(id))),
  );
  changes.on(
    'grants',
    onEnding((id) => memory.forgetTied(grantTie(id))),
  );
  deps.signingKeys.onChange(() => {
    endings++;
    const published = new Set(deps.signingKeys.current().map(({ kid }) => kid));
    memory.forgetWhere(({ token }) => !published.has(token.keyId));
  });

  /** A token that is seen for the first time, or again after something of it may have changed. */
  async function lookAt(text: string, digest: string): Promise<Result<KnownToken, Refusal>> {
    const endingsBefore = endings;
    const verified = await verify(text);
    if (!verified.ok) return verified;
    // Whoever it names, and what they may do, can be as new as the token, and made by another replica.
    await changes.look();
    const looked = await knownNow(verified.value);
    // What ended in the meantime may be what was just read.
    if (looked.ok && endings === endingsBefore) memory.keep(digest, looked.value);
    return looked;
  }

  /** What the token hangs on, as it is now. */
  async function knownNow(token: VerifiedToken): Promise<Result<KnownToken, Refusal>> {
    const { signInId, principalId, grantId, expiresAtMs } = token;
    const signIn = signInId === null ? null : await signIns.find(signInId);
    const lasts = isOf(token, signIn) && (await hasGrant(deps, grantId));
    if (!lasts && signInId !== null) {
      // The sign-in of somebody who is not active is not found, and may be again.
      const standing = admission.activeStanding(principalId);
      if (!standing.ok) return standing;
    }
    const signedInUntilMs = signIn === null ? expiresAtMs : Date.parse(signIn.expiresAt);
    const untilMs = Math.min(expiresAtMs, signedInUntilMs);
    return ok({ token, signIn, untilMs, isOver: !lasts, answered: null });
  }

  return {
    /** At once where the token is known. */
    use<T>(
      text: string,
      what: (known: KnownToken, digest: string) => Result<T, Refusal>,
    ): MaybePromise<Result<T, Refusal>> {
      if (text.length > maxTokenLength) {
        return tooLong;
      }
      const digest = hash('sha256', text, 'base64');
      const known = memory.find(digest);
      if (known !== null) return what(known, digest);
      return once(digest, () => lookAt(text, digest)).then((looked) =>
        looked.ok ? what(looked.value, digest) : looked,
      );
    },
    /** Whose it says it is, whatever has ended since. */
    async read(text: string): Promise<Result<VerifiedToken, Refusal>> {
      return text.length > maxTokenLength ? tooLong : await verify(text);
    },
    known: knownNow,
    isKnown: (digest: string, known: KnownToken) => memory.find(digest) === known,
    size: memory.size,
  };
}

/** Whether the sign-in is there of which the token says that it came; service accounts have none. */
function isOf({ signInId, principalId }: VerifiedToken, signIn: SignIn | null): boolean {
  return signInId === null || signIn?.personId === principalId;
}

async function hasGrant({ db, clock }: KnownTokensDeps, grantId: string | null): Promise<boolean> {
  if (grantId === null) return true;
  const found = await db.query(
    `select 1 from oauth_records where model = 'Grant' and id = $1 and (expires_at is null or expires_at > $2)`,
    [grantId, clock.iso()],
  );
  return found.length > 0;
}
