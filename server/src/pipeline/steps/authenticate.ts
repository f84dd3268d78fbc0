import { type Caller, type Gateway, type Principal, type Refusal, refusal } from '#domain';
import { err, type MaybePromise, type Result } from '#foundation';
import { type Identity, presentedToken, type RememberedCaller } from '#identity';
import type { Presented } from '../contract.ts';

/**
 * Who is calling, as whom, and whether this door is open to them. What is presented decides how: an access token speaks for whom
 * it was given to, an API key for whom the client names.
 */
export function authenticate(
  presented: Presented,
  gateway: Gateway | null,
  identity: Identity,
): MaybePromise<Result<Caller, Refusal>> {
  const token = presentedToken(presented.authorization);
  if (token === null) return byKey(presented, gateway, identity);
  const entered = identity.accessTokens.enter(token, gateway);
  return entered instanceof Promise
    ? entered.then((caller) => asNamed(caller, presented))
    : asNamed(entered, presented);
}

/** A client that names the user all the same must mean the one who signed in. */
function asNamed(caller: Result<Caller, Refusal>, { userId }: Presented): Result<Caller, Refusal> {
  if (!caller.ok || userId === null || userId === caller.value.userId) return caller;
  return err(
    refusal('identity.user_refused', 'the access token was given to another user than the header names', {
      field: 'Arcade-User-ID',
    }),
  );
}

function byKey(
  presented: Presented,
  gateway: Gateway | null,
  identity: Identity,
): MaybePromise<Result<Caller, Refusal>> {
  const principal = entering(presented.authorization, identity);
  if (!principal.ok) return principal;
  const { gateways, projectId } = principal.value;
  const closed = gateway === null ? null : closedTo(gateways, projectId, gateway);
  // That there is a gateway is no secret then, and who names a user after all comes in no more.
  if (closed?.code === 'gateway.auth_unavailable') return err(closed);
  const isOpen = gateway !== null && closed === null;
  // Only where the door is open: elsewhere nothing may tell a gateway from one that does not exist.
  if (isOpen && gateway.userAssertion != null) {
    return identity.actAsAsserted(principal.value, presented, gateway.userAssertion, gateway);
  }
  const { assertion } = presented;
  // A key of a service account is that account, where it names nobody else.
  const userId = presented.userId ?? principal.value.actsAs ?? null;
  if (userId === null && (isOpen || assertion === null)) {
    return err(
      refusal('identity.user_missing', 'name the user you act for in the header Arcade-User-ID', {
        field: 'Arcade-User-ID',
      }),
    );
  }
  const caller = identity.actAs(principal.value, userId);
  // Last, so that a gateway which is closed to the caller is refused exactly where one that does not exist is.
  return !caller.ok || closed === null ? caller : err(closed);
}

/** The caller of something that lasts, as they are now. */
export function stillThere(
  caller: Caller,
  authorization: string | undefined,
  gateway: Gateway,
  identity: Identity,
): Result<Caller, Refusal> {
  if (presentedToken(authorization) !== null) return identity.accessTokens.still(caller, gateway);
  const principal = entering(authorization, identity);
  if (!principal.ok) return principal;
  const closed = closedTo(principal.value.gateways, principal.value.projectId, gateway);
  return closed === null ? identity.stillActs(principal.value, caller, gateway) : err(closed);
}

/** The caller of something that went on without them, as they are now. */
export async function again(
  who: RememberedCaller,
  gateway: Gateway | null,
  identity: Identity,
): Promise<Result<Caller, Refusal>> {
  const caller = await identity.again(who, gateway);
  if (!caller.ok || gateway === null || caller.value.principal.kind !== 'api_key') return caller;
  const { gateways, projectId } = caller.value.principal;
  const closed = closedTo(gateways, projectId, gateway);
  return closed === null ? caller : err(closed);
}

/** Outside any gateway; `null`: for no user, as whom a key for certain users would see more than as one of them. */
export function actAs(
  principal: Principal,
  userId: string | null,
  identity: Identity,
): Result<Caller, Refusal> {
  const user = userId ?? principal.actsAs ?? null;
  if (user === null && principal.users !== null) {
    const message = 'name the user: this API key acts for certain users only';
    return err(refusal('identity.user_missing', message, { field: 'Arcade-User-ID' }));
  }
  return identity.actAs(principal, user);
}

/** Gateways show and run; keys that are for neither see none. */
function entering(authorization: string | undefined, identity: Identity): Result<Principal, Refusal> {
  const principal = identity.authenticateKey(authorization);
  if (!principal.ok) return principal;
  const { permissions } = principal.value;
  return permissions.has('read') || permissions.has('call') ? principal : noScope;
}

const noScope = err(
  refusal('identity.scope_missing', 'gateways take API keys with the scope "call", or "read" to look around'),
);

function closedTo(allowed: ReadonlySet<string> | null, projectId: string, gateway: Gateway): Refusal | null {
  const unknown = `there is no gateway ${gateway.slug}`;
  if (gateway.projectId !== projectId) {
    return refusal('gateway.unknown', unknown, { reason: 'the API key belongs to another project' });
  }
  if (allowed !== null && !allowed.has(gateway.slug)) {
    return refusal('gateway.unknown', unknown, { reason: 'the API key is restricted to other gateways' });
  }
  if (gateway.status !== 'active')
    return refusal('gateway.inactive', unknown, { reason: 'the gateway is inactive' });
  if (!gateway.authTypes.includes('arcade_header')) {
    const told = `gateway ${gateway.slug} takes no API keys: sign in, as its clients do by themselves when they get no key`;
    return refusal('gateway.auth_unavailable', told, { field: 'auth_type' });
  }
  return null;
}
