import type { Egress } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Authority, Held, Problem, Target, Tokens } from '../authority.ts';
import type { AuthProvider, Providers } from '../providers/contract.ts';
import { authorizeUrlOf, isIssuerOf } from './authorize.ts';
import { entryFormOf, headerOf, takeEntered } from './entry.ts';
import { exchangeCode, type Known, renewTokens, revokeTokens } from './grant.ts';
import { codeIn, type Doing, detailIn, problemOfCode } from './problems.ts';
import { createFetchOf, createSend } from './request.ts';

export interface ProviderAuthorityDeps {
  readonly providers: Pick<Providers, 'get' | 'secretsOf' | 'redirectUriOf'>;
  readonly egress: Egress;
  readonly clock: Clock;
}

/** How auth providers are authorized at: by OAuth 2, as their settings have it, or by what users enter. */
export function createProviderAuthority({ providers, egress, clock }: ProviderAuthorityDeps): Authority {
  const fetchOf = createFetchOf(egress);
  const send = createSend(fetchOf);

  function activeAt({ projectId, id }: Target): AuthProvider | null {
    const provider = providers.get(projectId, id);
    return provider?.status === 'active' ? provider : null;
  }

  function told(provider: AuthProvider, doing: Doing) {
    return { provider, doing, redirectUri: providers.redirectUriOf(provider.projectId, provider.id) };
  }

  /** Nothing goes to a provider that became another one meanwhile. */
  function providerOf(target: Target, held: Held): Result<AuthProvider, Problem> {
    const provider = activeAt(target);
    if (provider === null) return err(gone(target));
    return held.boundTo === boundToOf(provider) ? ok(provider) : err(changed(provider));
  }

  async function knownOf(target: Target, held: Held, doing: Doing): Promise<Result<Known, Problem>> {
    const provider = providerOf(target, held);
    if (!provider.ok) return provider;
    const settings = provider.value.oauth2;
    if (settings === null) return err(changed(provider.value));
    const { clientSecret } = await providers.secretsOf(provider.value);
    return ok({ told: told(provider.value, doing), settings, clientSecret, send, nowMs: () => clock.now() });
  }

  return {
    async prepare(target, { scopes }) {
      const provider = activeAt(target);
      if (provider === null) return err(gone(target));
      if (provider.type === 'token_exchange') return ok(null);
      const boundTo = boundToOf(provider);
      const endpoint = provider.oauth2 === null ? null : new URL(provider.oauth2.authorize_request.endpoint);
      return ok({
        held: { boundTo },
        boundTo,
        issuer: endpoint?.origin ?? provider.id,
        host: endpoint?.host ?? null,
        label: provider.label,
        scopes: scopes.length > 0 ? scopes : (provider.known?.defaultScopes ?? []),
        entry: entryFormOf(provider),
      });
    },
    boundTo(target) {
      const provider = activeAt(target);
      return provider === null ? null : boundToOf(provider);
    },
    async authorize(target, held, asked) {
      const known = await knownOf(target, held, 'authorize');
      return known.ok ? authorizeUrlOf(known.value, asked) : known;
    },
    isAnswerOf(target, held, iss) {
      const provider = providerOf(target, held);
      const settings = provider.ok ? provider.value.oauth2 : null;
      return settings !== null && isIssuerOf(settings, iss);
    },
    explain(target, held, error, description) {
      const provider = providerOf(target, held);
      if (!provider.ok) return provider.error;
      return problemOfCode(told(provider.value, 'authorize'), codeIn(error), detailIn(description));
    },
    async exchange(target, held, answer) {
      const known = await knownOf(target, held, 'exchange');
      return known.ok ? await exchangeCode(known.value, answer) : known;
    },
    async enter(target, held, entered) {
      const provider = providerOf(target, held);
      return provider.ok
        ? await takeEntered(told(provider.value, 'check'), fetchOf(provider.value), entered)
        : provider;
    },
    async renew(target, held, tokens: Tokens) {
      const known = await knownOf(target, held, 'refresh');
      return known.ok ? await renewTokens(known.value, tokens) : known;
    },
    async revoke(target, held, tokens) {
      const provider = providerOf(target, held);
      if (provider.ok && provider.value.oauth2 === null) return ok('unsupported');
      const known = await knownOf(target, held, 'revoke');
      return known.ok ? await revokeTokens(known.value, tokens) : known;
    },
    headerOf(target, accessToken) {
      const provider = activeAt(target);
      return provider === null ? null : headerOf(provider, accessToken);
    },
  };
}

/**
 * The client, who gives it tokens, and wherever else somebody wrote down that tokens are sent: users consent anew before theirs go
 * to another host. What is known of a well-known provider changes with the version of this server, and nobody else changes it.
 */
function boundToOf(provider: AuthProvider): string {
  const known = boundTos.get(provider);
  if (known !== undefined) return known;
  const boundTo = boundToWhat(provider);
  boundTos.set(provider, boundTo);
  return boundTo;
}

/** Every call with a token asks, and a provider that changes is another object. */
const boundTos = new WeakMap<AuthProvider, string>();

function boundToWhat({ type, providerId, oauth2, written }: AuthProvider): string {
  if (oauth2 === null) return `${type} ${providerId ?? ''}`.trim();
  const { authorize_request: _, ...asking } = { ...written.oauth2, token_request: oauth2.token_request };
  const origins = Object.values(asking).flatMap((one) =>
    typeof one === 'object' && 'endpoint' in one && one.endpoint !== undefined
      ? [new URL(one.endpoint).origin]
      : [],
  );
  return `${oauth2.client_id} at ${[...new Set(origins)].sort().join(' ')}`;
}

function gone({ id }: Target): Problem {
  return {
    kind: 'broken',
    code: null,
    words: `the auth provider ${id} is not there any more, or is switched off`,
    advice: 'Whoever runs this server switches it on, or takes it from what the tool needs.',
  };
}

function changed({ label }: AuthProvider): Problem {
  return {
    kind: 'broken',
    code: null,
    words: `${label} was set up in another way meanwhile`,
    advice: 'Start again.',
  };
}
