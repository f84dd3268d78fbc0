import type { Caller, Gateway, Principal, Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { actAs } from '../act-as.ts';
import type { People } from '../people/contract.ts';
import type { ServiceAccounts } from '../service-accounts/contract.ts';
import { isServiceAccountId } from '../service-accounts/service-account-id.ts';
import type { SignIn } from '../sign-ins/contract.ts';
import type { Admission } from './admission.ts';
import type { Answered, KnownToken } from './memory.ts';
import { accountPrincipal, personPrincipal } from './principals.ts';
import { otherPlace, tokenInvalid } from './verify-token.ts';

export interface GatewayAnswersDeps {
  readonly issuer: () => string;
  readonly people: Pick<People, 'standing'>;
  readonly serviceAccounts: Pick<ServiceAccounts, 'get'>;
}

/** Whom a checked token lets into a gateway. Of memory. */
export function createGatewayAnswers(
  { issuer, people, serviceAccounts }: GatewayAnswersDeps,
  admission: Admission,
) {
  function personAt(known: KnownToken, signIn: SignIn, gateway: Gateway): Result<Caller, Refusal> {
    const { clientId } = known.token;
    if (isServiceAccountId(clientId) && accountOf(known)?.active !== true) {
      return err(tokenInvalid('the service account that it was given to is not active any more'));
    }
    const admitted = admission.toGateway(signIn, gateway);
    if (!admitted.ok) return admitted;
    const { standing, userId, role } = admitted.value;
    const at = { projectId: gateway.projectId, userId, role: role ?? 'member' } as const;
    return callerOf(personPrincipal(standing, at, known), userId, known, {
      groups: [...new Set([...signIn.groups, ...standing.groups])],
      claims: signIn.claims,
      signInId: signIn.id,
    });
  }

  function accountAt(known: KnownToken, gateway: Gateway): Result<Caller, Refusal> {
    const account = serviceAccounts.get(known.token.principalId);
    const takesSignIns = gateway.authTypes.some((type) => type !== 'arcade_header');
    if (account === null || !account.active || account.projectId !== gateway.projectId || !takesSignIns) {
      return err(tokenInvalid('there is no such service account here, or it is not active'));
    }
    return callerOf(accountPrincipal(account, 'member', known), account.id, known, {
      groups: [],
      claims: {},
    });
  }

  /** That it speaks for, or was given to; `null`: neither is one. */
  function accountOf({ token, signIn }: KnownToken) {
    return serviceAccounts.get(signIn === null ? token.principalId : token.clientId);
  }

  function resultFor(known: KnownToken, gateway: Gateway): Result<Caller, Refusal> {
    const { token, signIn } = known;
    const isFor = token.audience === `${issuer()}/mcp/${gateway.slug}` && token.gatewayId === gateway.id;
    if (!isFor) return otherPlace;
    return signIn === null ? accountAt(known, gateway) : personAt(known, signIn, gateway);
  }

  return {
    answer(known: KnownToken, gateway: Gateway): Answered {
      const { signIn } = known;
      const result = resultFor(known, gateway);
      return {
        gateway,
        standing: signIn === null ? null : people.standing(signIn.personId),
        source: signIn === null ? null : admission.sourceOf(signIn),
        account: accountOf(known),
        result,
      };
    },
    isStillTrue(answered: Answered, known: KnownToken, gateway: Gateway): boolean {
      const { signIn } = known;
      if (answered.gateway !== gateway) return false;
      if (answered.account !== accountOf(known)) return false;
      if (signIn === null) return true;
      return (
        answered.standing === people.standing(signIn.personId) &&
        answered.source === admission.sourceOf(signIn)
      );
    },
  };
}

/** An issuer may name people in ways in which nobody can be named here. */
function callerOf(
  principal: Principal,
  userId: string,
  { token: { scopes } }: KnownToken,
  vouched: Pick<Caller, 'groups' | 'claims' | 'signInId'>,
): Result<Caller, Refusal> {
  const caller = actAs(principal, userId, { ...vouched, scopes });
  if (!caller.ok) return err(tokenInvalid(`its user id cannot be used: ${caller.error.message}`));
  return caller.value.userId === userId
    ? ok(caller.value)
    : err(tokenInvalid('its user id begins or ends with a space'));
}
