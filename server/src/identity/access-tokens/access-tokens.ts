import type { Caller, Gateway, Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { People } from '../people/contract.ts';
import type { ServiceAccounts } from '../service-accounts/contract.ts';
import type { UserSources } from '../user-sources/contract.ts';
import { createAdmission } from './admission.ts';
import { createGatewayAnswers } from './at-gateways.ts';
import type { AccessTokens } from './contract.ts';
import { createKnownTokens, type KnownTokensDeps } from './known-tokens.ts';
import type { KnownToken } from './memory.ts';
import { createApiAnswers } from './on-api.ts';
import { otherPlace, tokenExpired, tokenInvalid } from './verify-token.ts';

export interface AccessTokensDeps extends KnownTokensDeps {
  readonly people: People;
  readonly userSources: UserSources;
  readonly serviceAccounts: ServiceAccounts;
}

const over = err(tokenInvalid('its sign-in or its grant was ended'));
const expired = err(tokenExpired);

export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const { clock } = deps;
  const admission = createAdmission(deps);
  const tokens = createKnownTokens(deps, admission);
  const gateways = createGatewayAnswers(deps, admission);
  const onApi = createApiAnswers(deps, admission);
  const origins = new WeakMap<Caller, { readonly digest: string; readonly known: KnownToken }>();

  function whyOver({ untilMs, isOver }: KnownToken) {
    if (untilMs <= clock.now()) return expired;
    return isOver ? over : null;
  }

  function letIn(known: KnownToken, digest: string, gateway: Gateway): Result<Caller, Refusal> {
    const why = whyOver(known);
    if (why !== null) return why;
    const before = known.answered;
    if (before !== null && gateways.isStillTrue(before, known, gateway)) return before.result;
    known.answered = gateways.answer(known, gateway);
    const { result } = known.answered;
    if (result.ok) origins.set(result.value, { digest, known });
    return result;
  }

  return {
    enter(text, gateway) {
      // Those that are closed are refused as those that are not there, in as much time.
      if (gateway?.status !== 'active') return otherPlace;
      return tokens.use(text, (known, digest) => letIn(known, digest, gateway));
    },
    still(caller, gateway) {
      const origin = origins.get(caller);
      if (gateway.status !== 'active') return otherPlace;
      if (origin === undefined || !tokens.isKnown(origin.digest, origin.known)) return over;
      return letIn(origin.known, origin.digest, gateway);
    },
    admits(signIn, gateway) {
      const admitted = admission.toGateway(signIn, gateway);
      return admitted.ok ? ok({ userId: admitted.value.userId }) : admitted;
    },
    principal: (text, place) => tokens.use(text, (known) => whyOver(known) ?? onApi(known, place)),
    async originOf(text) {
      const read = await tokens.read(text);
      return read.ok ? read.value : null;
    },
    remembered: tokens.size,
  };
}
