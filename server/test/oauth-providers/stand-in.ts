import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { OAuth2Request } from '@sallyport/contracts';
import { createGrants, type Given, type Grant, type Grants, type User } from './grants.ts';

export type Place =
  | 'authorize'
  | 'consent'
  | 'token'
  | 'user_info'
  | 'revoke'
  | 'introspect'
  | 'api'
  | 'other';

export interface Asked {
  readonly place: Place;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly query: URLSearchParams;
  /** Of a form, or the members of a JSON object. */
  readonly form: URLSearchParams;
  readonly isJson: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** In what one provider differs from the others. */
export interface Quirk {
  readonly name: string;
  /** The paths of the real one: a well-known provider's facts hold with only the origin replaced. */
  readonly paths: Readonly<Record<string, Place>>;
  readonly delimiter: ',' | ' ';
  readonly scopeParam?: string;
  readonly clientAuth: 'basic' | 'post' | 'either';
  readonly tokenBody: 'form' | 'json';
  readonly needsPkce?: boolean;
  readonly prefixes: readonly [access: string, refresh: string];
  readonly lifeS: number | null;
  readonly rotates: boolean;
  readonly refreshes: (asked: URLSearchParams) => boolean;
  /** Who may revoke: with client authentication, with nothing but the token, or by the token as bearer. */
  readonly revokedBy: 'client' | 'token' | 'bearer';
  /** A request that is not answered at the redirect URI. */
  readonly refusesPage?: (asked: URLSearchParams, standIn: StandIn) => string | null;
  /** A redirect URI that is not registered: where the error is told; `null`: on a page. */
  readonly mismatchGoesTo?: (standIn: StandIn) => string | null;
  /** A parameter that it does not take: the error. */
  readonly refuses?: (asked: URLSearchParams) => OAuthError | null;
  readonly deniesUser?: (user: User, standIn: StandIn) => OAuthError | null;
  readonly tokenAnswer: (given: Given, standIn: StandIn) => object | Promise<object>;
  readonly errorAnswer?: (
    error: OAuthError,
    status: number,
  ) => { readonly status: number; readonly body: object };
  /** The body of an answer, where it is not JSON. */
  readonly encode?: (body: object, asked: Asked) => Answer | null;
  readonly userInfo: (grant: Grant, asked: Asked) => object;
  readonly settings: (origin: string) => Omit<OAuth2Request, 'client_id' | 'client_secret'>;
}

export interface OAuthError {
  readonly error: string;
  readonly error_description?: string;
}

export interface StandInOptions {
  /** Where its time comes from, in ms. */
  readonly now?: () => number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly redirectUris?: readonly string[];
  readonly port?: number;
}

export interface StandIn
  extends Pick<Grants, 'given' | 'codes' | 'grantOf' | 'liveGrants' | 'revokeAll' | 'expireAll'> {
  readonly name: string;
  readonly origin: string;
  readonly clientId: string;
  clientSecret: string;
  /** Exactly these are taken. */
  readonly redirectUris: Set<string>;
  /** The settings of a provider with it, all requests in full; `redirectUris` is up to the caller. */
  readonly settings: OAuth2Request & { readonly client_id: string };
  /** How often each place was asked, and every request but those to `authorize` and `consent`. */
  readonly asked: Record<Place, number>;
  readonly requests: Asked[];
  /** Of access tokens given from now on, in seconds; `null`: they say nothing and hold. */
  lifeS: number | null;
  /** How long a used refresh token is taken again; where they rotate. */
  graceMs: number;
  /** Every place answers 503; users on its pages, too. */
  outage: boolean;
  /** `invalid_client` for everybody. */
  refuseClient: boolean;
  /** Whether `state` and code come back with `iss`. */
  iss: string | null;
  /** Google: who may consent while the app is in test mode; `null`: everybody. */
  testers: Set<string> | null;
  /** Scopes that users do not give, though they allow the rest. */
  readonly withheld: Set<string>;
  /** Waited for before anything is answered. */
  before: ((asked: Asked) => Promise<void> | void) | null;
  /** Waited for once all is done that was asked, before that is answered. */
  after: ((asked: Asked) => Promise<void> | void) | null;
  /** The last word on an answer. */
  change: ((answer: Answer, asked: Asked) => Answer) | null;
  close(): Promise<void>;
}

export async function startStandIn(quirk: Quirk, options: StandInOptions = {}): Promise<StandIn> {
  const now = options.now ?? Date.now;
  const grants = createGrants(quirk, now);
  grants.lifeS = quirk.lifeS;
  const waiting = new Map<string, URLSearchParams>();

  const server = createServer((request, response) => {
    void serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clientId = options.clientId ?? `${quirk.name}-client`;
  const clientSecret =
    options.clientSecret ?? `secret+of/${quirk.name}%&=${randomBytes(9).toString('base64url')}`;

  const standIn: StandIn = {
    name: quirk.name,
    origin,
    clientId,
    clientSecret,
    redirectUris: new Set(options.redirectUris),
    settings: { client_id: clientId, client_secret: clientSecret, ...quirk.settings(origin) },
    given: grants.given,
    codes: grants.codes,
    grantOf: grants.grantOf,
    liveGrants: grants.liveGrants,
    revokeAll: grants.revokeAll,
    expireAll: grants.expireAll,
    asked: { authorize: 0, consent: 0, token: 0, user_info: 0, revoke: 0, introspect: 0, api: 0, other: 0 },
    requests: [],
    get lifeS() {
      return grants.lifeS;
    },
    set lifeS(seconds) {
      grants.lifeS = seconds;
    },
    get graceMs() {
      return grants.graceMs;
    },
    set graceMs(ms) {
      grants.graceMs = ms;
    },
    outage: false,
    refuseClient: false,
    iss: null,
    testers: null,
    withheld: new Set(),
    before: null,
    after: null,
    change: null,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = askedOf(request, await text(request), quirk, origin);
    standIn.asked[asked.place]++;
    if (asked.place !== 'authorize' && asked.place !== 'consent') standIn.requests.push(asked);
    await standIn.before?.(asked);
    const straight = standIn.outage
      ? { status: 503, headers: { 'content-type': 'text/html' }, body: '<h1>Service Unavailable</h1>' }
      : await answerTo(asked);
    await standIn.after?.(asked);
    const { status, headers, body } = standIn.change?.(straight, asked) ?? straight;
    response.writeHead(status, { 'cache-control': 'no-store', ...headers }).end(body);
  }

  function answerTo(asked: Asked): Answer | Promise<Answer> {
    switch (asked.place) {
      case 'authorize':
        return authorize(asked);
      case 'consent':
        return decide(asked);
      case 'token':
        return give(asked);
      case 'user_info':
        return ofBearer(asked, (grant) => quirk.userInfo(grant, asked));
      case 'api':
        return ofBearer(asked, ({ user, scopes }) => ({ user: user.login, scopes }));
      case 'revoke':
        return revoke(asked);
      case 'introspect':
        return introspect(asked);
      default:
        return json(404, { error: 'not_found' });
    }
  }

  function authorize({ query, headers }: Asked): Answer {
    const redirectUri = query.get('redirect_uri') ?? '';
    if (query.get('client_id') !== clientId || standIn.refuseClient)
      return page(400, 'There is no such client.');
    if (!standIn.redirectUris.has(redirectUri)) {
      const elsewhere = quirk.mismatchGoesTo?.(standIn) ?? null;
      if (elsewhere === null) return page(400, 'Error 400: redirect_uri_mismatch');
      return back(elsewhere, query, { error: 'redirect_uri_mismatch' });
    }
    const onPage = quirk.refusesPage?.(query, standIn) ?? null;
    if (onPage !== null) return page(400, onPage);
    const refused = quirk.refuses?.(query) ?? wrongIn(query, quirk);
    if (refused !== null) return back(redirectUri, query, { ...refused });
    const id = randomBytes(12).toString('base64url');
    waiting.set(id, query);
    const login = /(?:^|; )stand_in_login=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? '';
    const scopes = scopesOf(query, quirk).map((scope) => `<li>${escaped(scope)}</li>`);
    return page(
      200,
      `<p>${escaped(clientId)} wants to act for you at ${quirk.name}.</p><ul>${scopes.join('')}</ul>
      <form method="post" action="/stand-in/consent"><input type="hidden" name="id" value="${id}">
      <label>Who are you? <input name="login" value="${escaped(decodeURIComponent(login))}"></label>
      <button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`,
    );
  }

  function decide({ form }: Asked): Answer {
    const id = form.get('id') ?? '';
    const query = waiting.get(id);
    if (query === undefined) return page(400, 'This was answered before.');
    const login = form.get('login') ?? '';
    if (login === '') return page(400, 'Say who you are.');
    waiting.delete(id);
    const redirectUri = query.get('redirect_uri') ?? '';
    const user = userOf(login);
    const denied =
      form.get('decision') === 'allow'
        ? (quirk.deniesUser?.(user, standIn) ?? null)
        : { error: 'access_denied', error_description: 'The user has denied access' };
    const cookie = { 'set-cookie': `stand_in_login=${encodeURIComponent(login)}; Path=/; HttpOnly` };
    if (denied !== null) return back(redirectUri, query, { ...denied }, cookie);
    const scopes = scopesOf(query, quirk).filter((scope) => !standIn.withheld.has(scope));
    return back(redirectUri, query, { code: grants.newCode(user, scopes, query) }, cookie);
  }

  function back(
    to: string,
    asked: URLSearchParams,
    said: Record<string, string>,
    headers: Record<string, string> = {},
  ): Answer {
    const url = new URL(to);
    const state = asked.get('state');
    const all = {
      ...said,
      ...(state !== null && { state }),
      ...(standIn.iss !== null && { iss: standIn.iss }),
    };
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
    return { status: 302, headers: { ...headers, location: url.href }, body: '' };
  }

  async function give(asked: Asked): Promise<Answer> {
    const wrong = notClient(asked);
    if (wrong !== null) return refused(wrong, wrong.error === 'invalid_client' ? 401 : 400, asked);
    if (asked.method !== 'POST') return refused({ error: 'invalid_request' }, 405, asked);
    if (asked.isJson !== (quirk.tokenBody === 'json'))
      return refused({ error: 'invalid_request' }, 400, asked);
    const parameter = quirk.refuses?.(asked.form) ?? null;
    if (parameter !== null) return refused(parameter, 400, asked);
    const type = asked.form.get('grant_type') ?? '';
    if (!['authorization_code', 'refresh_token'].includes(type)) {
      return refused({ error: 'unsupported_grant_type' }, 400, asked);
    }
    const given = type === 'refresh_token' ? grants.takeRefresh(asked.form) : grants.takeCode(asked.form);
    if (typeof given === 'string') {
      return refused({ error: 'invalid_grant', error_description: given }, 400, asked);
    }
    return encode(await quirk.tokenAnswer(given, standIn), asked);
  }

  /** RFC 6749 §2.3: one way of proving who it is, and the right one. */
  function notClient({ headers, form }: Asked): OAuthError | null {
    const inHeader = basicOf(headers.authorization);
    const inBody = form.has('client_secret') ? [form.get('client_id'), form.get('client_secret')] : null;
    if (inHeader !== null && inBody !== null) {
      return { error: 'invalid_request', error_description: 'client authentication twice' };
    }
    const said =
      quirk.clientAuth === 'basic' ? inHeader : quirk.clientAuth === 'post' ? inBody : (inHeader ?? inBody);
    const isIt = said !== null && said[0] === clientId && said[1] === standIn.clientSecret;
    return isIt && !standIn.refuseClient ? null : { error: 'invalid_client' };
  }

  function ofBearer(asked: Asked, answer: (grant: Grant) => object): Answer {
    const token = bearerOf(asked);
    const grant = token === null ? null : grants.grantOf(token);
    return grant === null ? refused({ error: 'invalid_token' }, 401, asked) : json(200, answer(grant));
  }

  function revoke(asked: Asked): Answer {
    const wrong = quirk.revokedBy === 'client' ? notClient(asked) : null;
    if (wrong !== null) return refused(wrong, 401, asked);
    const { form, query } = asked;
    const token =
      bearerOf(asked) ?? form.get('token') ?? form.get('access_token') ?? query.get('token') ?? '';
    grants.revoke(token);
    return encode({ ok: true, revoked: true }, asked);
  }

  function introspect(asked: Asked): Answer {
    const wrong = notClient(asked);
    if (wrong !== null) return refused(wrong, 401, asked);
    const grant = grants.grantOf(asked.form.get('token') ?? '');
    if (grant === null) return json(200, { active: false });
    const { user, scopes, endsAtMs } = grant;
    const ends =
      endsAtMs === null
        ? {}
        : { exp: Math.floor(endsAtMs / 1000), expires_in: Math.floor((endsAtMs - now()) / 1000) };
    return json(200, { active: true, sub: user.id, username: user.login, scope: scopes.join(' '), ...ends });
  }

  function refused(error: OAuthError, status: number, asked: Asked): Answer {
    const answer = quirk.errorAnswer?.(error, status) ?? { status, body: error };
    return { ...encode(answer.body, asked), status: answer.status };
  }

  const encode = (body: object, asked: Asked) => quirk.encode?.(body, asked) ?? json(200, body);
  return standIn;
}

/** Anybody may be a user. */
export function userOf(login: string): User {
  const id = Buffer.from(login).toString('hex');
  return { login, id, email: `${login}@example.com`, name: `${login[0]?.toUpperCase()}${login.slice(1)}` };
}

export function json(status: number, body: object): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}

function page(status: number, inner: string): Answer {
  const headers = { 'content-type': 'text/html; charset=utf-8' };
  return { status, headers, body: `<!doctype html><title>Stand-in</title><main>${inner}</main>` };
}

function askedOf(request: IncomingMessage, body: string, { paths }: Quirk, origin: string): Asked {
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', origin);
  const { method = 'GET', headers } = request;
  const isJson = headers['content-type']?.startsWith('application/json') === true;
  const form = isJson ? new URLSearchParams(JSON.parse(body)) : new URLSearchParams(body);
  const place = { '/stand-in/consent': 'consent', '/stand-in/whoami': 'api', ...paths }[path] ?? 'other';
  return { place: place as Place, method, path, headers, query, form, isJson };
}

function wrongIn(query: URLSearchParams, { needsPkce }: Quirk): OAuthError | null {
  if (query.get('response_type') !== 'code') return { error: 'unsupported_response_type' };
  const challenge = query.get('code_challenge');
  if (challenge === null && needsPkce !== true) return null;
  if (challenge !== null && query.get('code_challenge_method') === 'S256') return null;
  return { error: 'invalid_request', error_description: 'PKCE with S256 is required' };
}

function scopesOf(query: URLSearchParams, { scopeParam = 'scope', delimiter }: Quirk): string[] {
  return (query.get(scopeParam) ?? '').split(delimiter).filter((scope) => scope !== '');
}

function basicOf(header: string | undefined): [string, string] | null {
  const encoded = /^Basic (.+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return null;
  const plain = Buffer.from(encoded, 'base64').toString();
  const at = plain.indexOf(':');
  const decode = (part: string) => decodeURIComponent(part.replaceAll('+', ' '));
  return [decode(plain.slice(0, at)), decode(plain.slice(at + 1))];
}

function bearerOf({ headers }: Asked): string | null {
  return /^(?:Bearer|token) (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
