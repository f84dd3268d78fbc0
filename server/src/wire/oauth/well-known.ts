import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpRequest } from '../http/message.ts';
import { gatewayScope } from './asked-parameters.ts';
import { isOurOrigin, type Targets } from './targets.ts';

const resourcePrefix = '/.well-known/oauth-protected-resource';
const ofServer = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)(\/.*)?$/;
const belowGateway = /^(\/mcp\/[^/]+\/?)\.well-known\/(oauth-authorization-server|openid-configuration)$/;

/** What a request to a well-known place asks for; `null`: nothing that is there. */
export type WellKnown =
  | { readonly kind: 'resource'; readonly document: object }
  /** The library's own document, which is the same at every place. */
  | { readonly kind: 'server'; readonly path: string };

/** The URL as the client has it: under whatever name of this computer it came, where it is one. */
export function wellKnown(request: IncomingMessage, issuer: string, targets: Targets): WellKnown | null {
  const path = (request.url ?? '').replace(/\?.*$/, '');
  if (path.startsWith(resourcePrefix)) {
    const document = resourceDocument(path.slice(resourcePrefix.length), request, issuer, targets);
    return document === null ? null : { kind: 'resource', document };
  }
  const [, name, at = ''] = ofServer.exec(path) ?? [];
  if (name !== undefined) {
    return at === '' || isTarget(at, issuer, targets)
      ? { kind: 'server', path: `/.well-known/${name}` }
      : null;
  }
  const [, gateway, below] = belowGateway.exec(path) ?? [];
  if (gateway === undefined || !isTarget(gateway, issuer, targets)) return null;
  return { kind: 'server', path: `/.well-known/${below}` };
}

function isTarget(path: string, issuer: string, targets: Targets): boolean {
  return targets.ofResource(issuer + path) !== null;
}

function resourceDocument(
  path: string,
  request: IncomingMessage,
  issuer: string,
  targets: Targets,
): object | null {
  const target = targets.ofResource(issuer + path);
  if (target === null) return null;
  const { gateway } = target;
  return {
    resource: nameOf(request, issuer) + path,
    authorization_servers: [issuer],
    scopes_supported: gateway === null ? ['openid'] : ['openid', gatewayScope],
    bearer_methods_supported: ['header'],
    resource_name: gateway === null ? 'Sallyport API' : gateway.name,
  };
}

/** Our origin as the client has it; that of a forged `Host` is never it. */
export function nameOf({ headers }: HttpRequest, issuer: string): string {
  const { protocol } = new URL(issuer);
  const typed = `${protocol}//${headers.host ?? ''}`;
  if (!URL.canParse(typed)) return issuer;
  const url = new URL(typed);
  return url.pathname === '/' && url.username === '' && isOurOrigin(url, issuer) ? url.origin : issuer;
}

/** Pages of any origin may ask for what carries no cookie. */
export function openToAll(response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', 'www-authenticate, retry-after');
}

export function answerPreflight(response: ServerResponse, methods: string): void {
  response.writeHead(204, {
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'authorization, content-type, mcp-protocol-version',
    'access-control-max-age': '3600',
  });
  response.end();
}
