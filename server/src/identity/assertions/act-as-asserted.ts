import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Caller, type Gateway, type Principal, type Refusal, refusal } from '#domain';
import { type Clock, createSealer, err, type Result } from '#foundation';
import { isSignedToken } from '../act-as.ts';
import type { ActAs } from '../acting.ts';
import type { Identity, NamedUser } from '../contract.ts';
import type { AssertionOf } from '../subjects.ts';
import type { Assertion, Assertions } from './assertions.ts';

const field = 'Sallyport-User-Assertion';

const missing = refusal(
  'identity.assertion_missing',
  `this gateway takes the user only from a signed token: send it in the header ${field}`,
  { field },
);

const purpose = 'user assertion';

/** By what somebody came with again, where the gateway still demands it, and as long as it holds. */
export type ActsAgain = (
  principal: Principal,
  who: { readonly userId: string | null; readonly assertion: Assertion | null },
  gateway: Gateway | null,
) => Result<Caller, Refusal>;

/** Callers whom a token vouches for, and for how long. */
export function createAsserted(
  assertions: Assertions,
  actAs: ActAs,
  {
    clock,
    exchangesTokens,
  }: { readonly clock: Clock; readonly exchangesTokens: (projectId: string) => boolean },
): Pick<Identity, 'actAsAsserted' | 'stillActs'> & {
  readonly assertionOf: AssertionOf;
  /** What the token said by which this caller came; `null`: they came by none. */
  readonly assertedOf: (caller: Caller) => Assertion | null;
  readonly actsAgain: ActsAgain;
} {
  const origins = new WeakMap<Caller, Assertion>();
  const sealer = createSealer(randomBytes(32));
  /** As they came, where they may be shown elsewhere. */
  const tokens = new WeakMap<Assertion, string>();

  function callerOf(
    principal: Principal,
    userId: string | null,
    checked: Result<Assertion, string>,
  ): Result<Caller, Refusal> {
    if (!checked.ok) return err(invalid(checked.error));
    const assertion = checked.value;
    if (userId !== null && userId !== assertion.userId)
      return err(invalid('it names another user than the user id'));
    const caller = actAs(principal, assertion.userId, assertion);
    if (caller.ok) origins.set(caller.value, assertion);
    else if (caller.error.code === 'request.params_invalid') return err(invalid(caller.error.message));
    return caller;
  }

  function keep(assertion: Assertion, token: string, projectId: string): void {
    if (tokens.has(assertion) || !exchangesTokens(projectId)) return;
    tokens.set(assertion, sealer.seal(purpose, token, assertion.userId));
  }

  const actsAgain: ActsAgain = (principal, { userId, assertion }, gateway) => {
    const by = gateway?.userAssertion ?? null;
    if (by === null) return actAs(principal, userId);
    if (assertion === null || !isDeepStrictEqual(assertion.by, by)) return err(missing);
    if (assertion.untilMs <= clock.now()) return err(invalid('it has expired'));
    return callerOf(principal, null, { ok: true, value: assertion });
  };

  return {
    assertedOf: (caller) => origins.get(caller) ?? null,
    actsAgain,
    actAsAsserted(principal, named, by, gateway) {
      const { token, userId } = tokenOf(named);
      if (token === null) return err(missing);
      const checked = assertions.check(token, by, gateway);
      const answer = (result: Result<Assertion, string>) => {
        if (result.ok) keep(result.value, token, gateway.projectId);
        return callerOf(principal, userId, result);
      };
      return checked instanceof Promise ? checked.then(answer) : answer(checked);
    },
    assertionOf(caller) {
      const assertion = origins.get(caller);
      const sealed = assertion === undefined ? undefined : tokens.get(assertion);
      if (assertion === undefined || sealed === undefined) return null;
      return sealer.open(purpose, sealed, assertion.userId) as string;
    },
    stillActs: (principal, caller, gateway) =>
      actsAgain(principal, { userId: caller.userId, assertion: origins.get(caller) ?? null }, gateway),
  };
}

/** Clients that can send only one header put the token where the user id would be. */
function tokenOf({ userId, assertion }: NamedUser): { token: string | null; userId: string | null } {
  const isToken = userId !== null && isSignedToken(userId);
  if (assertion === null) return isToken ? { token: userId, userId: null } : { token: null, userId };
  return { token: assertion, userId: userId === assertion ? null : userId };
}

function invalid(reason: string): Refusal {
  return refusal('identity.assertion_invalid', 'the user assertion does not hold here', {
    field,
    reason: `the user assertion is refused: ${reason}`,
  });
}
