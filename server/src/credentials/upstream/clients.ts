import { type FetchLike, registerClient, resolveClientMetadata } from '@modelcontextprotocol/client';
import type { Source } from '#domain';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Problem } from '../authority.ts';
import type { ConnectionStore } from '../store/store.ts';
import type { UpstreamClient, UpstreamServer } from './contract.ts';
import { metadataOf } from './discover.ts';
import { brokenBy, problemOf } from './problems.ts';

export interface ClientDeps {
  readonly store: Pick<ConnectionStore, 'client' | 'clients' | 'saveClient' | 'forgetClient'>;
  readonly clock: Clock;
  readonly issuer: () => string;
  readonly fetchFn: FetchLike;
}

/** Answers for one source come to an address that no other source has: who sends a code to the wrong one is found out. */
export function callbackOf({ projectId, id }: Pick<Source, 'projectId' | 'id'>, issuer: string): string {
  return `${issuer}/connect/callback/${encodeURIComponent(projectId)}/${encodeURIComponent(id)}`;
}

/** What we say of ourselves at that address, which is our client id where servers fetch it. It tells nothing of the source. */
export function clientDocumentOf(source: Pick<Source, 'projectId' | 'id'>, issuer: string) {
  return {
    client_id: clientDocumentUrl(source, issuer),
    client_name: 'Sallyport',
    client_uri: issuer,
    redirect_uris: [callbackOf(source, issuer)],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'web',
  };
}

function clientDocumentUrl({ projectId, id }: Pick<Source, 'projectId' | 'id'>, issuer: string): string {
  return `${issuer}/connect/client/${encodeURIComponent(projectId)}/${encodeURIComponent(id)}`;
}

/** As it was written for the source: `mcp.oauth2`. */
interface Written {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly authorization_url?: string;
}

/**
 * As whom we speak to this server, in the order of the specification: as the client that was registered for the source by hand,
 * by our metadata document, or registered now. A registration is worth something only at the server that made it.
 */
export async function clientFor(
  source: Source,
  server: UpstreamServer,
  deps: ClientDeps,
): Promise<Result<UpstreamClient, Problem>> {
  const redirectUri = callbackOf(source, deps.issuer());
  const written = (source.kept?.oauth2 ?? {}) as Written;
  if (written.client_id) return await ofHand(written, { source, server, redirectUri }, deps);
  if (server.takesMetadataUrl && deps.issuer().startsWith('https:')) {
    const id = clientDocumentUrl(source, deps.issuer());
    return ok({ ...byHand, id, authMethod: 'none', redirectUri });
  }
  const place = { projectId: source.projectId, sourceId: source.id };
  const known = await deps.store.client(place, server.issuer);
  const holds = known?.expiresAtMs === null || (known?.expiresAtMs ?? 0) > deps.clock.now();
  if (known !== null && holds && known.redirectUri === redirectUri) return ok(known);
  const registered = await register(server, redirectUri, deps);
  if (registered.ok) await deps.store.saveClient(place, server.issuer, registered.value, deps.clock.iso());
  return registered;
}

/**
 * A client of hand is shown to one authorization server only: the one that is written beside it, else the first that was met.
 * Otherwise whoever takes over the source could have the secret sent to a server of their own.
 */
async function ofHand(
  { client_id: id = '', client_secret, authorization_url: at }: Written,
  { source, server, redirectUri }: { source: Source; server: UpstreamServer; redirectUri: string },
  { store, clock }: ClientDeps,
): Promise<Result<UpstreamClient, Problem>> {
  const place = { projectId: source.projectId, sourceId: source.id };
  const secret = client_secret || null;
  const client = { ...byHand, id, secret, redirectUri };
  if (at) {
    return [server.issuer, server.authorizationEndpoint].includes(at) ? ok(client) : err(notItsServer);
  }
  const before = await store.clients(place);
  if (before.some((one) => one.client.id === id && one.issuer !== server.issuer)) return err(notItsServer);
  if (!before.some((one) => one.client.id === id))
    await store.saveClient(place, server.issuer, { ...client, secret: null }, clock.iso());
  return ok(client);
}

const byHand = { secret: null, authMethod: null, expiresAtMs: null, isRegistered: false } as const;

const notItsServer = brokenBy(
  'it names another authorization server than the one that its client is registered at',
  'Whoever runs this server says which is right by oauth2.authorization_url of the source.',
);

async function register(
  server: UpstreamServer,
  redirectUri: string,
  { fetchFn, clock, issuer }: ClientDeps,
): Promise<Result<UpstreamClient, Problem>> {
  if (server.registrationEndpoint === null) {
    const words = 'its authorization server registers nobody by itself';
    const advice =
      'Whoever runs this server gives the source the client_id of a client that is registered there (oauth2).';
    return err(brokenBy(words, advice));
  }
  const offered = server.tokenAuthMethods ?? ['client_secret_basic'];
  const method = ['client_secret_basic', 'client_secret_post', 'none'].find((one) => offered.includes(one));
  const clientMetadata = {
    client_name: 'Sallyport',
    client_uri: issuer(),
    redirect_uris: [redirectUri],
    response_types: ['code'],
    ...(method === undefined ? {} : { token_endpoint_auth_method: method }),
  };
  try {
    const given = await registerClient(server.issuer, {
      metadata: metadataOf(server),
      clientMetadata: resolveClientMetadata({ clientMetadata, redirectUrl: redirectUri }),
      fetchFn,
    });
    const {
      client_id,
      client_secret,
      token_endpoint_auth_method,
      client_secret_expires_at: over = 0,
    } = given;
    return ok({
      id: client_id,
      secret: client_secret ?? null,
      authMethod: token_endpoint_auth_method ?? null,
      redirectUri,
      expiresAtMs: over > 0 ? Math.min(over * 1000, clock.now() + tenYearsMs) : null,
      isRegistered: true,
    });
  } catch (thrown) {
    return err(problemOf(thrown, 'its authorization server did not register us'));
  }
}

const tenYearsMs = 10 * 365 * 24 * 3_600_000;
