import { timingSafeEqual } from 'node:crypto';
import Provider, {
  type Adapter,
  type AdapterPayload,
  type Client,
  type Configuration,
  type ErrorOut,
  errors,
  type JWK,
  type KoaContextWithOIDC,
  type ResourceServer,
} from 'oidc-provider';
import { type Clock, newId } from '#foundation';
import type { SigningKey } from '#identity';
import { gatewayScope, scopesOf } from './asked-parameters.ts';
import type { Asking } from './asking.ts';
import { cliClient, isFitRedirect } from './client-metadata.ts';
import type { Grants } from './grants/grants.ts';
import { type PeopleOfTokens, signInOf } from './people.ts';
import { digestOf, type Records } from './records.ts';
import { sessionAdapter, useOurSessions } from './sessions.ts';
import type { Targets } from './targets.ts';
import { fillIn, type IssuedToken, mayRenew, namePeople } from './token-contents.ts';

const hourS = 3600;
const dayS = 24 * hourS;
export const interactionLifeS = 30 * 60;
const asymmetric = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;

export interface ProviderDeps {
  readonly issuer: string;
  readonly keys: readonly SigningKey[];
  readonly clock: Clock;
  readonly records: Records;
  readonly people: PeopleOfTokens;
  readonly targets: Targets;
  readonly asking: Asking;
  readonly fetch: typeof fetch;
  readonly grants: Grants;
  readonly showError: (ctx: KoaContextWithOIDC, out: ErrorOut, error: Error) => Promise<void>;
  readonly device: {
    readonly asks: (ctx: KoaContextWithOIDC, problem: string | null) => Promise<void>;
    readonly done: (ctx: KoaContextWithOIDC) => Promise<void>;
  };
}

/** The library, set up: what it may decide is decided here, and what it keeps is ours. */
export function createProvider(deps: ProviderDeps): Provider {
  const provider = new Provider(deps.issuer, configurationOf(deps));
  provider.proxy = true;
  useOurSessions(provider, deps.people.ofBrowser);
  compareDigests(provider, deps.grants);
  namePeople(provider);
  deps.grants.attach(provider);
  provider.use(async (ctx, next) => {
    await next();
    const { oidc, body } = ctx as KoaContextWithOIDC;
    if (oidc?.route !== 'discovery') return;
    const { scopes_supported } = body as { scopes_supported: string[] };
    ctx.body = {
      ...(body as object),
      scopes_supported: [...scopes_supported, gatewayScope],
      response_modes_supported: ['query'],
    };
  });
  const used = (ctx: KoaContextWithOIDC) => {
    const { client } = ctx.oidc;
    if (client !== undefined) deps.records.clientUsed(client.clientId).catch(() => undefined);
  };
  provider.on('authorization.success', used);
  provider.on('grant.success', used);
  return provider;
}

function configurationOf(deps: ProviderDeps): Configuration {
  const { people, asking, records } = deps;
  return {
    adapter: (model: string) =>
      model === 'Session' ? sessionAdapter : model === 'Client' ? clientsOf(deps) : records.adapter(model),
    clients: [cliClient],
    jwks: { keys: deps.keys.map(({ jwk }) => jwk as JWK) },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    responseTypes: ['code'],
    subjectTypes: ['public'],
    conformIdTokenClaims: false,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'], clientAuthSigningAlgValues: [...asymmetric] },
    findAccount: async (_ctx, id) => await people.account(id),
    loadExistingGrant: (ctx) => asking.grantFor(ctx),
    interactions: { policy: asking.policy, url: (_ctx, { uid }) => `/oauth2/interaction/${uid}` },
    expiresWithSession: () => false,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (ctx) => mayRenew(ctx, deps) as unknown as boolean,
    pkce: { required: () => true },
    features: featuresOf(deps),
    formats: { customizers: { jwt: (ctx, token, parts) => fillIn(ctx, token as IssuedToken, parts, deps) } },
    ...deps.grants.configuration,
    fetch: deps.fetch as Configuration['fetch'],
    renderError: deps.showError,
    clientBasedCORS: () => false,
    ttl: ttlOf(deps.clock),
    routes: {
      authorization: '/oauth2/authorize',
      token: '/oauth2/token',
      registration: '/oauth2/register',
      revocation: '/oauth2/revoke',
      jwks: '/oauth2/jwks',
      device_authorization: '/oauth2/device_authorization',
      code_verification: '/oauth2/device',
      end_session: '/oauth2/end_session',
    },
  };
}

/** What tokens for a resource are like, where this client may have any. */
export function resourceServerOf(
  resource: string,
  clientId: string,
  { targets, grants, keys }: Pick<ProviderDeps, 'targets' | 'grants' | 'keys'>,
): ResourceServer {
  const target = targets.ofResource(resource);
  if (target === null || !grants.mayAsk(clientId, target.gateway)) {
    throw new errors.InvalidTarget('resource must be the URL of a gateway here that takes sign-ins');
  }
  return {
    audience: target.audience,
    scope: scopesOf(target).join(' '),
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'RS256', kid: keys[0]?.kid } },
  };
}

function featuresOf(deps: ProviderDeps): Configuration['features'] {
  const { clock, device } = deps;
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    claimsParameter: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: async (ctx, _form, _out, error) => await device.asks(ctx, deviceProblem(error)),
      successSource: device.done,
    },
    registration: {
      enabled: true,
      initialAccessToken: false,
      issueRegistrationAccessToken: false,
      idFactory: () => newId('cli', clock.now()),
    },
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      allowFetch: async () => true,
      allowClient: async (_ctx, { redirectUris = [] }) => redirectUris.every(isFitRedirect),
      cacheDuration: { min: 5 * 60, max: dayS },
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      defaultResource: (_ctx, _client, oneOf) => {
        if (oneOf?.[0] !== undefined) return oneOf[0];
        throw new errors.InvalidTarget('say which gateway it is for: resource must be its URL');
      },
      getResourceServerInfo: (ctx, resource, client) => {
        const asked: unknown = ctx.oidc.params?.resource;
        if (Array.isArray(asked) && asked.length > 1)
          throw new errors.InvalidTarget('one resource at a time');
        return resourceServerOf(resource, client.clientId, deps);
      },
    },
  };
}

function deviceProblem(error: Error | undefined): string | null {
  if (error === undefined) return null;
  if (error.name === 'AbortedError') return 'It was not allowed. You can close this page.';
  return 'There is no such code any more. Start again at the device.';
}

function ttlOf(clock: Clock): Configuration['ttl'] {
  /** Nothing of a sign-in outlives it. */
  function within(longestS: number) {
    return function lifeS(ctx: KoaContextWithOIDC): number {
      const signIn = signInOf(ctx);
      const leftS = signIn === null ? longestS : (Date.parse(signIn.expiresAt) - clock.now()) / 1000;
      return Math.max(1, Math.floor(Math.min(longestS, leftS)));
    };
  }
  return {
    AccessToken: within(hourS),
    AuthorizationCode: 60,
    ClientCredentials: hourS,
    DeviceCode: 10 * 60,
    Grant: within(31 * dayS),
    IdToken: hourS,
    Interaction: interactionLifeS,
    RefreshToken: within(30 * dayS),
    Session: 12 * hourS,
  };
}

/** Clients that registered themselves, and those that others know. */
function clientsOf({ records, grants }: ProviderDeps): Adapter {
  const registered = records.adapter('Client');
  return {
    ...registered,
    async find(id) {
      const theirs = grants.client(id);
      return theirs === null ? await registered.find(id) : (theirs as AdapterPayload | undefined);
    },
  };
}

/** Secrets are kept as digests. */
function compareDigests(provider: Provider, grants: Grants): void {
  const { prototype } = provider.Client as unknown as { prototype: Client };
  prototype.compareClientSecret = function (secret) {
    const isTheirs = grants.isSecret(this.clientId, secret);
    if (isTheirs !== null) return isTheirs;
    const kept = Buffer.from(this.clientSecret ?? '');
    const brought = Buffer.from(digestOf(secret));
    return kept.length === brought.length && timingSafeEqual(kept, brought);
  };
}
