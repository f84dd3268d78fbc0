import type { Caller, Gateway, Principal, Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { People } from '../people/contract.ts';
import type { ServiceAccounts } from '../service-accounts/contract.ts';
import type { UserSources } from '../user-sources/contract.ts';
import { createAdmission } from './admission.ts';
import { createGatewayAnswers } from './at-gateways.ts';
import type { AccessTokens, CameByToken } from './contract.ts';
import { createKnownTokens, type KnownTokensDeps } from './known-tokens.ts';
import type { KnownToken } from './memory.ts';
import { createApiAnswers } from './on-api.ts';
import { otherPlace, tokenExpired, tokenInvalid } from './verify-token.ts';

export interface AccessTokensDeps extends KnownTokensDeps {
  readonly people: People;
  readonly userSources: UserSources;
  readonly serviceAccounts: ServiceAccounts;
}

/** Whoever is asked about a moment later is asked about again. */
const renewedForMs = 60_000;

const over = err(tokenInvalid('its sign-in or its grant was ended'));
const expired = err(tokenExpired);

export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const { clock } = deps;
  const admission = createAdmission(deps);
  const tokens = createKnownTokens(deps, admission);
  const gateways = createGatewayAnswers(deps, admission);
  const onApi = createApiAnswers(deps, admission);
  const origins = new WeakMap<Caller, { readonly digest: string; readonly known: KnownToken }>();
  const onApiBy = new WeakMap<Principal, KnownToken>();

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

  /** As if its client had come with a new token of the same grant. */
  async function again(
    { principalId, signInId, grantId, clientId, scopes }: CameByToken,
    at: { readonly audience: string; readonly gatewayId: string | null },
  ): Promise<Result<KnownToken, Refusal>> {
    const expiresAtMs = clock.now() + renewedForMs;
    const named = { ...at, subject: '', keyId: '', principalId, signInId, grantId, clientId };
    return await tokens.known({ ...named, scopes: new Set(scopes), expiresAtMs });
  }

  function principalBy(known: KnownToken, place: Parameters<typeof onApi>[1]): Result<Principal, Refusal> {
    const principal = whyOver(known) ?? onApi(known, place);
    if (principal.ok) onApiBy.set(principal.value, known);
    return principal;
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
    principal: (text, place) => tokens.use(text, (known) => principalBy(known, place)),
    grantOf: (caller) => (origins.get(caller)?.known ?? onApiBy.get(caller.principal))?.token.grantId ?? null,
    async callerAgain(who, gateway) {
      if (gateway.status !== 'active') return otherPlace;
      const audience = `${deps.issuer()}/mcp/${gateway.slug}`;
      const known = await again(who, { audience, gatewayId: gateway.id });
      return known.ok ? (whyOver(known.value) ?? gateways.answer(known.value, gateway).result) : known;
    },
    async principalAgain(who, projectId) {
      const known = await again(who, { audience: `${deps.issuer()}/v1`, gatewayId: null });
      return known.ok ? principalBy(known.value, { organizationId: null, projectId }) : known;
    },
    async originOf(text) {
      const read = await tokens.read(text);
      return read.ok ? read.value : null;
    },
    remembered: tokens.size,
  };
}
