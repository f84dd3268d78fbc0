import type { Catalog } from '#catalog';
import type { Gateway } from '#domain';
import type { Identity } from '#identity';

/** What a token is for: a gateway, or the API. */
export interface Target {
  /** The `aud` of its tokens: one name, however a client wrote it. */
  readonly audience: string;
  /** `null`: the API. */
  readonly gateway: Gateway | null;
}

export interface Targets {
  /** As a client names it: a gateway's URL or that of the API, under any name of this very computer where we are on it. */
  ofResource(resource: string): Target | null;
  ofGateway(slug: string): Target | null;
  readonly api: () => Target;
  /** Where a client does not say: the API for our own command line, else the only gateway that people sign in at. */
  unnamed(clientId: string): Target | null;
}

/** Our own command line. */
export const cliClientId = 'sallyport-cli';

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface TargetsDeps {
  readonly catalog: Catalog;
  readonly identity: Pick<Identity, 'people'>;
  readonly issuer: () => string;
}

export function createTargets({ catalog, identity, issuer }: TargetsDeps): Targets {
  const of = (gateway: Gateway): Target => ({ audience: `${issuer()}/mcp/${gateway.slug}`, gateway });
  const api = (): Target => ({ audience: `${issuer()}/v1`, gateway: null });

  function ofGateway(slug: string): Target | null {
    const gateway = catalog.view(slug)?.gateway;
    return gateway !== undefined && takesSignIns(gateway) ? of(gateway) : null;
  }

  return {
    api,
    ofGateway,
    ofResource(resource) {
      if (!URL.canParse(resource)) return null;
      const url = new URL(resource);
      if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') return null;
      if (!isOurOrigin(url, issuer())) return null;
      const path = url.pathname.replace(/\/$/, '');
      if (path === '/v1') return api();
      const slug = /^\/mcp\/([A-Za-z0-9._~-]{1,256})$/.exec(path)?.[1];
      return slug === undefined ? null : ofGateway(slug);
    },
    unnamed(clientId) {
      if (clientId === cliClientId) return api();
      const { people } = identity;
      const gateways = people
        .organizations()
        .flatMap(({ id }) => people.projects(id))
        .flatMap(({ id }) => catalog.gateways(id))
        .filter(takesSignIns);
      return gateways.length === 1 ? of(gateways[0] as Gateway) : null;
    },
  };
}

export function takesSignIns({ status, authTypes }: Gateway): boolean {
  return status === 'active' && (authTypes.includes('arcade') || authTypes.includes('user_source'));
}

/** Our origin, or on this very computer another of its names with the same port. */
export function isOurOrigin(url: URL, issuer: string): boolean {
  const own = new URL(issuer);
  if (url.origin === own.origin) return true;
  const isLoopback = loopbackNames.has(own.hostname) && loopbackNames.has(url.hostname);
  return isLoopback && url.protocol === own.protocol && url.port === own.port;
}
