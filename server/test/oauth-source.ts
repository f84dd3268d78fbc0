import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Json } from './start-app.ts';

/** What a token is for. */
interface Grant {
  readonly user: string;
  readonly scopes: readonly string[];
}

interface TokenAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * An MCP server that lets nobody in without a token, and the authorization server that gives tokens: with S256, registration,
 * rotating refresh tokens and `iss`. Whoever comes to it in a browser is `signedInAs` and consents at once.
 */
export interface OAuthSource {
  readonly origin: string;
  readonly uri: string;
  /** Who the next one is who comes to it in a browser. */
  signedInAs: string;
  /** Life of access tokens, in seconds: of the first, and of those that come by renewal. */
  firstLifeS: number;
  renewedLifeS: number;
  /** Changes what it says: metadata of the resource and of the server, its redirect back, answers of the token endpoint. */
  resource: (metadata: Json) => Json;
  metadata: (metadata: Json) => Json;
  back: (url: URL) => URL;
  /** Whoever has no token may look at all that there is, and call nothing. */
  guardsCallsOnly: boolean;
  /** Where its documents are said to have moved to. */
  moved: string | null;
  tokenAnswer: ((form: URLSearchParams) => TokenAnswer | null | Promise<TokenAnswer | null>) | null;
  /** A token for somebody, without being asked for one. */
  admit(user: string, scopes: readonly string[]): string;
  /** Whose token did what, in order. */
  readonly done: { readonly user: string; readonly tool: string }[];
  /** Forms that came to the token endpoint. */
  readonly asked: URLSearchParams[];
  readonly registered: Json[];
  /** Every token that was given, of either kind. */
  readonly given: string[];
  /** Paths that were asked for. */
  readonly visited: string[];
  /** Access tokens end; refresh tokens too, where told. */
  revoke(more?: { readonly refreshTokens: boolean }): void;
  close(): Promise<void>;
}

export async function startOAuthSource(era: 'legacy' | 'modern' = 'modern'): Promise<OAuthSource> {
  const codes = new Map<string, Grant & { readonly challenge: string; readonly redirectUri: string }>();
  const access = new Map<string, Grant & { readonly endsAt: number }>();
  const refresh = new Map<string, Grant>();

  const server = createServer((request, response) => {
    void answer(request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const source: OAuthSource = {
    origin,
    uri: `${origin}/mcp`,
    signedInAs: 'nobody',
    firstLifeS: 3600,
    renewedLifeS: 3600,
    resource: (metadata) => metadata,
    metadata: (metadata) => metadata,
    back: (url) => url,
    guardsCallsOnly: false,
    moved: null,
    tokenAnswer: null,
    done: [],
    asked: [],
    registered: [],
    given: [],
    visited: [],
    admit(user, scopes) {
      const token = `at-${randomUUID()}`;
      source.given.push(token);
      access.set(token, { user, scopes, endsAt: Date.now() + source.firstLifeS * 1000 });
      return token;
    },
    revoke({ refreshTokens } = { refreshTokens: false }) {
      access.clear();
      if (refreshTokens) refresh.clear();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  function json(
    response: ServerResponse,
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
  ): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    source.visited.push(url.pathname);
    const body = await text(request);
    if (source.moved !== null && url.pathname.startsWith('/.well-known/')) {
      return void response.writeHead(302, { location: source.moved }).end();
    }
    switch (url.pathname) {
      case '/mcp':
        return serveMcp(request, response, body);
      case '/.well-known/oauth-protected-resource/mcp':
        return json(
          response,
          200,
          source.resource({ resource: source.uri, authorization_servers: [origin] }),
        );
      case '/.well-known/oauth-authorization-server':
        return void json(response, 200, source.metadata(metadataAt(origin)));
      case '/register': {
        const asked = JSON.parse(body);
        source.registered.push(asked);
        return void json(response, 201, {
          ...asked,
          client_id: `client-${source.registered.length}`,
          client_secret: 'client-secret-1',
        });
      }
      case '/authorize':
        return authorize(url, response);
      case '/token':
        return give(new URLSearchParams(body), response);
      default:
        return void json(response, 404, {});
    }
  }

  function authorize({ searchParams: asked }: URL, response: ServerResponse): void {
    const code = randomUUID();
    const redirectUri = asked.get('redirect_uri') ?? '';
    codes.set(code, {
      user: source.signedInAs,
      scopes: (asked.get('scope') ?? '').split(' ').filter((scope) => scope !== ''),
      challenge: asked.get('code_challenge') ?? '',
      redirectUri,
    });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.get('state') ?? '');
    back.searchParams.set('iss', origin);
    response.writeHead(302, { location: source.back(back).href }).end();
  }

  async function give(form: URLSearchParams, response: ServerResponse): Promise<void> {
    source.asked.push(form);
    const instead = (await source.tokenAnswer?.(form)) ?? null;
    if (instead !== null) {
      response.writeHead(instead.status, { 'content-type': 'application/json' }).end(instead.body);
      return;
    }
    const isRenewal = form.get('grant_type') === 'refresh_token';
    const grant = isRenewal ? takeRefresh(form) : takeCode(form);
    if (grant === null) return void json(response, 400, { error: 'invalid_grant' });
    const tokens = { access_token: `at-${randomUUID()}`, refresh_token: `rt-${randomUUID()}` };
    source.given.push(...Object.values(tokens));
    const lifeS = isRenewal ? source.renewedLifeS : source.firstLifeS;
    access.set(tokens.access_token, { ...grant, endsAt: Date.now() + lifeS * 1000 });
    refresh.set(tokens.refresh_token, grant);
    json(response, 200, {
      ...tokens,
      token_type: 'Bearer',
      expires_in: lifeS,
      scope: grant.scopes.join(' '),
    });
  }

  function takeRefresh(form: URLSearchParams): Grant | null {
    const token = form.get('refresh_token') ?? '';
    const grant = refresh.get(token) ?? null;
    refresh.delete(token);
    return grant;
  }

  function takeCode(form: URLSearchParams): Grant | null {
    const code = form.get('code') ?? '';
    const known = codes.get(code);
    codes.delete(code);
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const holds = known?.challenge === verifier && known.redirectUri === form.get('redirect_uri');
    return known !== undefined && holds ? known : null;
  }

  function serveMcp(request: IncomingMessage, response: ServerResponse, body: string): void {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method, params = {} } = JSON.parse(body) as Json;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const held = access.get(token);
    const nobody: Grant | null =
      source.guardsCallsOnly && method !== 'tools/call' ? { user: 'nobody', scopes: [] } : null;
    const grant = held !== undefined && held.endsAt > Date.now() ? held : nobody;
    const challenge = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
    if (grant === null) {
      const error = token === '' ? '' : ', error="invalid_token"';
      return void json(response, 401, {}, { 'www-authenticate': `${challenge}, scope="read"${error}` });
    }
    if (params.name === 'Write' && !grant.scopes.includes('write')) {
      const told = { 'www-authenticate': `${challenge}, error="insufficient_scope", scope="write"` };
      return void json(response, 403, {}, told);
    }
    if (id === undefined) return void response.writeHead(202).end();
    const headers: Record<string, string> = method === 'initialize' ? { 'mcp-session-id': randomUUID() } : {};
    const result = resultOf(method, params, grant);
    const ofOther = era === 'legacy' ? 'server/discover' : 'initialize';
    if (result === null || method === ofOther) {
      const error = { code: -32601, message: 'no such method' };
      return void json(response, era === 'legacy' ? 400 : 404, { jsonrpc: '2.0', id, error });
    }
    json(response, 200, { jsonrpc: '2.0', id, result }, headers);
  }

  function resultOf(method: string, params: Json, { user }: Grant): Json | null {
    const capabilities = { tools: {}, prompts: {} };
    const serverInfo = { name: 'guarded', version: '1' };
    switch (method) {
      case 'initialize':
        return { protocolVersion: '2025-11-25', capabilities, serverInfo };
      case 'server/discover':
        return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities };
      case 'tools/list': {
        const inputSchema = { type: 'object' };
        return complete({ tools: ['WhoAmI', 'Write'].map((name) => ({ name, inputSchema })) });
      }
      case 'prompts/list':
        return complete({ prompts: [{ name: 'Greet' }] });
      case 'prompts/get':
        return complete({ messages: [{ role: 'user', content: { type: 'text', text: user } }] });
      case 'tools/call':
        source.done.push({ user, tool: params.name });
        return complete({ content: [{ type: 'text', text: user }] });
      default:
        return null;
    }
  }

  const complete = (result: Json): Json =>
    era === 'modern' ? { resultType: 'complete', ...result } : result;
  return source;
}

function metadataAt(origin: string): Json {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
    authorization_response_iss_parameter_supported: true,
  };
}
