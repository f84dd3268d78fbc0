import { type Caller, type Gateway, type Principal, type Refusal, refusal } from '#domain';
import { err, type MaybePromise, type Result } from '#foundation';
import type { Identity } from '#identity';
import type { Presented } from '../contract.ts';

/** Who is calling, as whom, and whether this door is open to them. */
export function authenticate(
  presented: Presented,
  gateway: Gateway | null,
  identity: Identity,
): MaybePromise<Result<Caller, Refusal>> {
  const principal = entering(presented.authorization, identity);
  if (!principal.ok) return principal;
  const { gateways, projectId } = principal.value;
  const closed = gateway === null ? null : closedTo(gateways, projectId, gateway);
  const isOpen = gateway !== null && closed === null;
  // Only where the door is open: elsewhere nothing may tell a gateway from one that does not exist.
  if (isOpen && gateway.userAssertion != null) {
    return identity.actAsAsserted(principal.value, presented, gateway.userAssertion, gateway);
  }
  const { assertion } = presented;
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
  const principal = entering(authorization, identity);
  if (!principal.ok) return principal;
  const closed = closedTo(principal.value.gateways, principal.value.projectId, gateway);
  return closed === null ? identity.stillActs(principal.value, caller, gateway) : err(closed);
}

/** Outside any gateway; `null`: for no user, as whom a key for certain users would see more than as one of them. */
export function actAs(
  principal: Principal,
  userId: string | null,
  identity: Identity,
): Result<Caller, Refusal> {
  if (userId === null && principal.users !== null) {
    const message = 'name the user: this API key acts for certain users only';
    return err(refusal('identity.user_missing', message, { field: 'Arcade-User-ID' }));
  }
  return identity.actAs(principal, userId);
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
    return refusal(
      'gateway.auth_unavailable',
      `gateway ${gateway.slug} takes no API keys, and this server cannot sign users in by ${gateway.authTypes.join(' or ')}`,
      { field: 'auth_type' },
    );
  }
  return null;
}
