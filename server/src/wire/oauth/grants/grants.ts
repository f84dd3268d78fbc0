import {
  type Client,
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
import { type Identity, isServiceAccountId } from '#identity';
import type { Db } from '#storage';
import { cliClientId } from '../targets.ts';
import { claimedClientId } from './claimed-client.ts';
import { checkClientAssertion } from './client-assertion.ts';
import { createDevicePolls } from './device-polls.ts';
import { createFailedClients, type FailedClients } from './failed-clients.ts';
import { addIdentityAssertions } from './identity-assertion-grant.ts';
import { maySignInAt, serviceAccountClient } from './service-account-client.ts';
import { createUsedOnce } from './used-once.ts';

const identityAssertionProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';

/** What tokens for a resource are like; throws where the client may have none. */
export type ResourceServerOf = (
  ctx: KoaContextWithOIDC,
  resource: string,
  client: Client,
) => ResourceServer | Promise<ResourceServer>;

export interface GrantsDeps {
  readonly identity: Identity;
  readonly audit: Audit;
  readonly db: Db;
  readonly clock: Clock;
  readonly issuer: () => string;
  /** The gateway, which takes sign-ins, that a resource indicator names. */
  readonly gatewayAt: (resource: string) => Gateway | null;
  readonly resourceServer: ResourceServerOf;
}

/** The grants that need no browser: programs that sign in as themselves, and assertions of the company's issuer. */
export interface Grants {
  readonly configuration: Pick<Configuration, 'assertJwtClientAuthClaimsAndHeader' | 'discovery'>;
  /** A service account as a client; `null`: the id is none of theirs. */
  client(id: string): ClientMetadata | undefined | null;
  /** Whether the secret is that of the service account; `null`: the client is none. */
  isSecret(clientId: string, secret: string): boolean | null;
  /** Whether the client may ask for tokens for this gateway (`null`: the API) at all. */
  mayAsk(clientId: string, gateway: Gateway | null): boolean;
  /** Whether this failure to authenticate is one too many: the first is written down, and no other. */
  isHeldUp(ctx: KoaContextWithOIDC, error: Error): boolean;
  attach(provider: Provider): void;
}

export function createGrants(deps: GrantsDeps): Grants {
  const { clock, resourceServer } = deps;
  const { serviceAccounts } = deps.identity;
  const usedOnce = createUsedOnce(deps);
  const failedClients = createFailedClients(clock);
  const polls = createDevicePolls(clock);

  function mayAsk(clientId: string, gateway: Gateway | null): boolean {
    // What the API may do is more than any other client has to ask people for.
    if (!isServiceAccountId(clientId)) return gateway !== null || clientId === cliClientId;
    const account = serviceAccounts.get(clientId);
    return account?.active === true && (gateway === null || maySignInAt(account, gateway));
  }

  return {
    configuration: {
      discovery: { authorization_grant_profiles_supported: [identityAssertionProfile] },
      assertJwtClientAuthClaimsAndHeader(_ctx, claims, header) {
        const checked = checkClientAssertion(claims, header, clock.now());
        if (!checked.ok) throw new errors.InvalidClientAuth(checked.error);
      },
    },
    client(id) {
      if (!isServiceAccountId(id)) return null;
      const presents = Provider.ctx?.oidc?.params?.client_assertion === undefined ? 'secret' : 'assertion';
      return serviceAccountClient(serviceAccounts.get(id), presents) as ClientMetadata | undefined;
    },
    isSecret: (id, secret) => (isServiceAccountId(id) ? serviceAccounts.isSecret(id, secret) : null),
    mayAsk,
    isHeldUp: (ctx, error) => error.message === 'invalid_client' && failedClients.isHeld(claimedBy(ctx)),
    attach(provider) {
      holdUpFailures(provider, failedClients, deps);
      slowDown(provider, polls);
      addIdentityAssertions(provider, resourceServer, { ...deps, usedOnce, mayAsk });
    },
  };
}

/** Somebody who keeps failing to be a client is told to wait; that is written down once. */
function holdUpFailures(
  provider: Provider,
  failedClients: FailedClients,
  { identity, audit }: GrantsDeps,
): void {
  provider.use(async (ctx, next) => {
    await next();
    const { body } = ctx;
    if (ctx.status !== 401 || (body as { error?: unknown } | null)?.error !== 'invalid_client') return;
    const clientId = claimedBy(ctx as KoaContextWithOIDC);
    const held = failedClients.failed(clientId);
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

/** A device that asks too often whether somebody let it in is told to ask less. */
function slowDown(provider: Provider, polls: ReturnType<typeof createDevicePolls>): void {
  provider.use(async (ctx, next) => {
    await next();
    const { oidc, body } = ctx as KoaContextWithOIDC;
    if ((body as { error?: unknown } | null)?.error !== 'authorization_pending') return;
    if (!polls.isTooSoon(String(oidc.params?.device_code))) return;
    ctx.body = { error: 'slow_down', error_description: 'ask again later, and less often' };
  });
}

function claimedBy(ctx: KoaContextWithOIDC): string {
  return claimedClientId(ctx.oidc?.params ?? {}, ctx.get('authorization'));
}
