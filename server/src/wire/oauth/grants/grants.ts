import {
  type ClientMetadata,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  Provider,
  type ResourceServer,
} from 'oidc-provider';
import type { Audit } from '#audit';
import type { Gateway } from '#domain';
import type { Clock } from '#foundation';
import type { Identity } from '#identity';
import type { Db } from '#storage';
import { claimedClientId } from './claimed-client.ts';
import { checkClientAssertion } from './client-assertion.ts';
import { createFailedClients } from './failed-clients.ts';
import { type Redeemed, redeemAssertion } from './identity-assertion.ts';
import {
  isServiceAccountId,
  jwtBearer,
  maySignInAt,
  serviceAccountClient,
} from './service-account-client.ts';
import { createUsedOnce } from './used-once.ts';

export interface GrantsDeps {
  readonly identity: Identity;
  readonly audit: Audit;
  readonly db: Db;
  readonly clock: Clock;
  readonly issuer: () => string;
  /** The gateway, which takes sign-ins, that a resource indicator names. */
  readonly gatewayAt: (resource: string) => Gateway | null;
  /** What tokens for a resource are like. */
  readonly resourceServer: (
    ctx: KoaContextWithOIDC,
    resource: string,
    client: Provider['Client']['prototype'],
  ) => ResourceServer | Promise<ResourceServer>;
}

/** The grants that need no browser: programs that sign in as themselves, and assertions of the company's issuer. */
export interface Grants {
  readonly configuration: Pick<Configuration, 'assertJwtClientAuthClaimsAndHeader'>;
  /** A service account as a client; `null`: the id is none of theirs. */
  client(id: string): ClientMetadata | undefined | null;
  /** Whether the secret is that of the service account; `null`: the client is none. */
  isSecret(clientId: string, secret: string): boolean | null;
  /** Whether the client may ask for tokens for this gateway (`null`: the API) at all. */
  mayAsk(clientId: string, gateway: Gateway | null): boolean;
  attach(provider: Provider): void;
}

export function createGrants(deps: GrantsDeps): Grants {
  const { identity, clock } = deps;
  const usedOnce = createUsedOnce(deps);

  return {
    configuration: {
      assertJwtClientAuthClaimsAndHeader(_ctx, claims, header) {
        const checked = checkClientAssertion(claims, header, clock.now());
        if (!checked.ok) throw new errors.InvalidClientAuth(checked.error);
      },
    },
    client(id) {
      if (!isServiceAccountId(id)) return null;
      const presents = Provider.ctx?.oidc?.params?.client_assertion === undefined ? 'secret' : 'assertion';
      return serviceAccountClient(identity.serviceAccounts.get(id), presents) as ClientMetadata | undefined;
    },
    isSecret: (id, secret) => (isServiceAccountId(id) ? identity.serviceAccounts.isSecret(id, secret) : null),
    mayAsk(clientId, gateway) {
      if (!isServiceAccountId(clientId)) return true;
      const account = identity.serviceAccounts.get(clientId);
      return account !== null && (gateway === null || maySignInAt(account, gateway));
    },
    attach(provider) {
      holdUpFailures(provider, deps);
      provider.registerGrantType<{ assertion?: unknown }>(
        jwtBearer,
        async (ctx) => {
          const { client, params } = ctx.oidc;
          if (client.clientAuthMethod === 'none')
            throw new errors.UnauthorizedClient('this grant is for clients that authenticate');
          const { assertion, resource, scope } = params;
          if (typeof assertion !== 'string') throw new errors.InvalidRequest('assertion is missing');
          const brought = {
            assertion,
            clientId: client.clientId,
            resource: typeof resource === 'string' ? resource : undefined,
            scope,
          };
          const redeemed = await redeemAssertion(brought, { ...deps, usedOnce });
          if (!redeemed.ok) throw new errors.InvalidGrant(redeemed.error);
          await giveToken(ctx, redeemed.value, deps);
        },
        ['assertion', 'resource', 'scope'],
      );
    },
  };
}

type TokenContext = Parameters<Parameters<Provider['registerGrantType']>[1]>[0];

/** One access token, and none to refresh it with: for the next one the issuer is asked again. */
async function giveToken(ctx: TokenContext, given: Redeemed, { resourceServer }: GrantsDeps): Promise<void> {
  const { client, provider } = ctx.oidc;
  const { resource, signIn, scope, expiresInS } = given;
  const token = new provider.AccessToken({
    accountId: signIn.id,
    client,
    gty: jwtBearer,
    scope,
    expiresIn: expiresInS,
    // It hangs on the sign-in alone.
    grantId: undefined as unknown as string,
  });
  const server = await resourceServer(ctx, resource, client);
  token.resourceServer = new provider.ResourceServer(resource, server);
  ctx.oidc.entity('AccessToken', token);
  const value = await token.save();
  ctx.body = { access_token: value, token_type: token.tokenType, expires_in: token.expiration, scope };
}

/** Somebody who keeps failing to be a client is told to wait; what they could guess is written down once a minute. */
function holdUpFailures(provider: Provider, { identity, audit, clock }: GrantsDeps): void {
  const failures = createFailedClients(clock);
  provider.use(async (ctx, next) => {
    await next();
    const { oidc, body } = ctx as KoaContextWithOIDC;
    if (ctx.status !== 401 || (body as { error?: unknown } | null)?.error !== 'invalid_client') return;
    const clientId = claimedClientId(oidc?.params ?? {}, ctx.get('authorization'));
    const held = failures.failed(clientId);
    if (held === null) return;
    const seconds = Math.ceil(held.retryAfterMs / 1000);
    ctx.status = 429;
    ctx.set('Retry-After', String(seconds));
    ctx.body = {
      error: 'temporarily_unavailable',
      error_description: `too many failed attempts to authenticate this client: try again in ${seconds} seconds`,
    };
    if (!held.isFirst) return;
    const account = identity.serviceAccounts.get(clientId);
    await audit.record({
      kind: 'sign_in',
      decision: 'refused',
      projectId: account?.projectId ?? 'default',
      principal: account?.id ?? null,
      code: 'sign_in.rate_limited',
      reason: 'too many failed attempts to authenticate a client',
    });
  });
}
