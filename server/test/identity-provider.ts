import { randomBytes, type webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  decodeJwt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { Provider } from 'oidc-provider';
import { type Browser, createBrowser } from './browser.ts';
import { createIdpExchange, type IdpExchange } from './identity-exchange.ts';
import { behaviours, type IdpPreset, type IdpUser, type PresetBehaviour } from './identity-presets.ts';

export { entraTenant, type IdpPreset, type IdpUser } from './identity-presets.ts';

/** What can be wrong with it; each may be set and taken back while it runs. */
export interface IdpKnobs {
  /** Cuts every connection. */
  down?: boolean;
  /** Takes requests and never answers. */
  hanging?: boolean;
  /** The same for single places: discovery, jwks, token, userinfo. */
  downAt?: readonly IdpPlace[];
  hangingAt?: readonly IdpPlace[];
  /** What discovery says its issuer is. */
  discoveryIssuer?: string;
  /** Taken into the discovery document; `undefined` takes away. */
  discovery?: Record<string, unknown>;
  /** What `iss`, `aud` and `nonce` are in ID tokens. */
  tokenIssuer?: string;
  tokenAudience?: string | string[];
  tokenNonce?: string;
  /** Taken into ID tokens; `undefined` takes away. */
  tokenClaims?: Record<string, unknown>;
  /** How ID tokens are signed: HS256 with the client's secret, with the public key as if it were a secret, by a key of
   *  nobody under the current key's id, or not at all. */
  signing?: 'secret' | 'public_key_as_secret' | 'foreign_key' | 'none';
  /** By how much its clock is ahead. */
  clockAheadS?: number;
  dropGroups?: boolean;
  /** Entra: too many groups to list them; `claim` as with the code flow, `hasgroups` as with the implicit one. */
  groupOverage?: 'claim' | 'hasgroups';
  /** What the token endpoint answers instead. */
  tokenError?: { readonly status?: number; readonly error: string; readonly error_description?: string };
  /** What the browser brings back instead of a code. */
  authorizationError?: { readonly error: string; readonly error_description?: string };
  /** `iss` in what the browser brings back; null: none. */
  responseIssuer?: string | null;
}
export type IdpPlace = 'discovery' | 'jwks' | 'token' | 'userinfo';

export interface IdentityProvider {
  readonly preset: IdpPreset;
  /** `http://127.0.0.1:port/…`, in the preset's form. */
  readonly issuer: string;
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly knobs: IdpKnobs;
  /** Its grants that exchange tokens. */
  readonly exchange: IdpExchange;
  /** Every token that sign-ins and renewals gave. */
  readonly given: readonly string[];
  /** How often each place was asked. */
  readonly asked: Record<IdpPlace, number>;
  /** Parameters of the last request to the token endpoint and of the last to the authorization endpoint. */
  readonly lastTokenRequest: { readonly body: URLSearchParams; readonly authorization: string | undefined };
  readonly lastAuthorization: URLSearchParams;
  /** From now on signs with a new key; the old one is in the key set no more. */
  rotateKeys(): Promise<void>;
  setUser(login: string, user: IdpUser): void;
  /** Follows redirects to the issuer, signs in there as this user, and says where the browser is sent then, without asking it. */
  signIn(url: string, login: string, browser?: Browser): Promise<string>;
  /** An identity assertion (ID-JAG) for a user; `claims` and `header` on top. */
  assertion(
    login: string,
    to: {
      readonly audience: string;
      readonly clientId: string;
      readonly resource?: string;
      readonly scope?: string;
    },
    other?: {
      readonly claims?: Record<string, unknown>;
      readonly header?: Record<string, unknown>;
      readonly signing?: IdpKnobs['signing'];
    },
  ): Promise<string>;
  close(): Promise<void>;
}

export interface IdpOptions {
  readonly preset?: IdpPreset;
  /** By the name they sign in with; `alice` and `bob` unless given. */
  readonly users?: Readonly<Record<string, IdpUser>>;
  /** One of the preset's unless given; `private_key_jwt` needs the public half. */
  readonly tokenAuth?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  readonly clientJwk?: JWK;
  readonly clientId?: string;
  /** Whether a sign-in gives a refresh token. */
  readonly refreshTokens?: boolean;
  /** Where browsers may be sent; any place on loopback unless given. */
  readonly redirectUris?: readonly string[];
}

const someUsers: Readonly<Record<string, IdpUser>> = {
  alice: {
    sub: '00u1alice',
    email: 'alice@example.com',
    name: 'Alice Doe',
    preferredUsername: 'alice@example.com',
    groups: ['engineering', 'everyone'],
  },
  bob: {
    sub: '00u2bob',
    email: 'bob@example.com',
    name: 'Bob Roe',
    preferredUsername: 'bob@example.com',
    groups: ['everyone'],
  },
};

interface SigningPair {
  readonly kid: string;
  readonly privateKey: webcrypto.CryptoKey;
  readonly jwk: JWK;
}

async function newPair(): Promise<SigningPair> {
  const kid = randomBytes(8).toString('hex');
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } };
}

/** What the library signs with is signed anew before anybody sees it: one will do for all. */
const unseenKey: JWK = await exportJWK((await newPair()).privateKey);

/** A company's identity provider: a real OpenID provider on loopback that behaves as the real one does in what clients notice. */
export async function startIdentityProvider(options: IdpOptions = {}): Promise<IdentityProvider> {
  const { preset = 'plain', clientId = 'sallyport' } = options;
  const behaviour = behaviours[preset];
  const users = new Map(Object.entries(options.users ?? someUsers));
  const clientSecret = randomBytes(24).toString('base64url');
  const knobs: IdpKnobs = {};
  const asked: Record<IdpPlace, number> = { discovery: 0, jwks: 0, token: 0, userinfo: 0 };
  /** Which scopes an access token has: what userinfo says depends on it. */
  const granted = new Map<string, ReadonlySet<string>>();
  const subjects = new Map<string, string>();
  const given: string[] = [];
  const last = { tokenBody: '', tokenHeader: undefined as string | undefined, authorization: '' };
  let pair = await newPair();
  const exchanging = createIdpExchange({
    ...{ issuer: () => issuer, clientId, clientSecret, subjects },
    verify: async (token, audience) => {
      const currentDate = new Date(now());
      const expected = { issuer, audience, currentDate };
      return (await jwtVerify(token, await importJWK(pair.jwk, 'RS256'), expected)).payload;
    },
    sign: (claims, header) => sign(claims, header),
    now,
  });

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = origin + behaviour.issuerPath;
  const tokenAuth =
    options.tokenAuth ?? behaviour.tokenAuth.find((method) => method.startsWith('client_secret'));
  const provider = createProvider();
  const callback = provider.callback();

  function now(): number {
    return Date.now() + (knobs.clockAheadS ?? 0) * 1000;
  }

  function userOf(sub: string): IdpUser {
    const user = [...users.values()].find((one) => one.sub === sub);
    if (user === undefined) throw new Error(`nobody has the sub ${sub}`);
    return user;
  }

  function createProvider(): Provider {
    const made = new Provider(issuer, {
      adapter: createMemory(),
      clients: [
        {
          client_id: clientId,
          ...(tokenAuth?.startsWith('client_secret') ? { client_secret: clientSecret } : {}),
          redirect_uris: [...(options.redirectUris ?? ['http://127.0.0.1/any'])],
          response_types: ['code'],
          grant_types: behaviour.scopes.includes('offline_access')
            ? ['authorization_code', 'refresh_token']
            : ['authorization_code'],
          token_endpoint_auth_method: tokenAuth as never,
          ...(options.clientJwk === undefined ? {} : { jwks: { keys: [options.clientJwk as never] } }),
        },
      ],
      clientAuthMethods: [...behaviour.tokenAuth] as never,
      scopes: [...behaviour.scopes],
      claims: { openid: ['sub'] },
      routes: behaviour.routes,
      jwks: { keys: [unseenKey as never] },
      renderError: (ctx, { error, error_description }) => {
        ctx.body = `${error}: ${error_description}`;
      },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      ttl: {
        AccessToken: 3600,
        AuthorizationCode: 60,
        Grant: 3600,
        IdToken: 3600,
        Interaction: 600,
        Session: 3600,
        RefreshToken: 3600,
      },
      features: { devInteractions: { enabled: false }, userinfo: { enabled: true } },
      pkce: { required: () => false },
      ...(options.refreshTokens === true ? { issueRefreshToken: () => true } : {}),
      interactions: { url: (_ctx, interaction) => `${behaviour.mount}/interaction/${interaction.uid}` },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
      async loadExistingGrant(ctx) {
        const { client, session, params } = ctx.oidc;
        const grant = new ctx.oidc.provider.Grant({
          clientId: client?.clientId as string,
          accountId: session?.accountId as string,
        });
        grant.addOIDCScope(String(params?.scope ?? 'openid'));
        await grant.save();
        return grant;
      },
    });
    if (options.redirectUris === undefined)
      made.Client.prototype.redirectUriAllowed = (uri: string) =>
        ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(uri).hostname);
    return made;
  }

  function placeOf(path: string): IdpPlace | null {
    if (path === `${behaviour.issuerPath}/.well-known/openid-configuration`) return 'discovery';
    for (const place of ['jwks', 'token', 'userinfo'] as const)
      if (path === behaviour.mount + behaviour.routes[place]) return place;
    return null;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const place = placeOf(url.pathname);
    if (place !== null) asked[place]++;
    if (knobs.down === true || (place !== null && knobs.downAt?.includes(place))) {
      request.destroy();
      return;
    }
    if (knobs.hanging === true || (place !== null && knobs.hangingAt?.includes(place))) return;
    try {
      if (place === 'jwks') return sendJson(response, 200, { keys: [pair.jwk] });
      const body = place === 'token' ? await text(request) : null;
      if (body !== null && refusesToken(body, request, response)) return;
      const exchanged = body === null ? null : await exchanging.answer(body, request.headers.authorization);
      if (exchanged !== null) return sendJson(response, exchanged.status, exchanged.body);
      if (refusesAuthorization(url, response)) return;
      if (url.pathname.startsWith(`${behaviour.mount}/interaction/`))
        return await interact(request, response);
      rewriteAnswer(response, place, request);
      await callback(inner(request, url, place, body), response);
    } catch (error) {
      if (!response.headersSent) response.statusCode = 500;
      response.end(String(error));
    }
  }

  /** Discovery lies at the issuer, the endpoints may not. A body that was read is there to be read again. */
  function inner(
    request: IncomingMessage,
    url: URL,
    place: IdpPlace | null,
    body: string | null,
  ): IncomingMessage {
    const full = url.pathname + url.search;
    const path =
      place === 'discovery' ? '/.well-known/openid-configuration' : full.slice(behaviour.mount.length);
    const { method, headers, socket } = request;
    const seen =
      body === null
        ? request
        : Object.assign(Readable.from([Buffer.from(body)]), { method, headers, socket });
    return Object.assign(seen, {
      url: path === '' ? '/' : path,
      originalUrl: behaviour.mount + path,
    }) as IncomingMessage;
  }

  /** Whether the token endpoint has answered already. */
  function refusesToken(body: string, request: IncomingMessage, response: ServerResponse): boolean {
    last.tokenBody = body;
    last.tokenHeader = request.headers.authorization;
    if (knobs.tokenError !== undefined) {
      const { status = 400, ...error } = knobs.tokenError;
      sendJson(response, status, error);
      return true;
    }
    if (behaviour.resourceRefused === null || !new URLSearchParams(body).has('resource')) return false;
    sendJson(response, 400, { error: 'invalid_target', error_description: behaviour.resourceRefused });
    return true;
  }

  function refusesAuthorization(url: URL, response: ServerResponse): boolean {
    if (url.pathname !== behaviour.mount + behaviour.routes.authorization) return false;
    last.authorization = url.search;
    const asks = url.searchParams;
    const unknown = (asks.get('scope') ?? '').split(' ').filter((scope) => !behaviour.scopes.includes(scope));
    const refused =
      knobs.authorizationError ??
      (behaviour.resourceRefused !== null && asks.has('resource')
        ? { error: 'invalid_target', error_description: behaviour.resourceRefused }
        : behaviour.refusesScopes && unknown.length > 0
          ? { error: 'invalid_scope', error_description: `Some requested scopes were invalid: ${unknown}` }
          : null);
    if (refused === null) return false;
    // Google tells the person, never the application.
    if (preset === 'google' && knobs.authorizationError === undefined) {
      response.writeHead(400, { 'content-type': 'text/html' }).end(`Error 400: ${refused.error}`);
      return true;
    }
    const back = new URL(asks.get('redirect_uri') ?? origin);
    for (const [name, value] of Object.entries(refused))
      if (value !== undefined) back.searchParams.set(name, value);
    back.searchParams.set('state', asks.get('state') ?? '');
    if (behaviour.saysIssuer) back.searchParams.set('iss', issuer);
    response.writeHead(303, { location: withResponseIssuer(back.href) }).end();
    return true;
  }

  function withResponseIssuer(location: string): string {
    const url = new URL(location, origin);
    if (url.origin === origin) return location;
    if (!behaviour.saysIssuer || knobs.responseIssuer === null) url.searchParams.delete('iss');
    if (typeof knobs.responseIssuer === 'string') url.searchParams.set('iss', knobs.responseIssuer);
    return url.href;
  }

  /** A form that asks who one is, and takes anybody's word for it. */
  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      const buttons = [...users.keys()].map(
        (login) => `<button name="login" value="${login}">${login}</button>`,
      );
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><title>Sign in</title><form method="post">${buttons.join(' ')}</form>`);
      return;
    }
    const user = users.get(new URLSearchParams(await text(request)).get('login') ?? '');
    if (user === undefined) throw new Error('there is no such user');
    const result = { login: { accountId: user.sub } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  /** What is said is the preset's, and what the knobs make of it. */
  function rewriteAnswer(response: ServerResponse, place: IdpPlace | null, request: IncomingMessage): void {
    const end = response.end.bind(response) as (body?: unknown) => ServerResponse;
    response.end = ((body?: unknown) => {
      const location = response.getHeader('location');
      if (typeof location === 'string') response.setHeader('location', withResponseIssuer(location));
      if (place === null || typeof body !== 'string') return end(body);
      void rewrite(place, response, JSON.parse(body), request).then((value) => {
        const sent = JSON.stringify(value);
        response.setHeader('content-length', Buffer.byteLength(sent));
        end(sent);
      });
      return response;
    }) as typeof response.end;
  }

  async function rewrite(
    place: IdpPlace,
    response: ServerResponse,
    body: Record<string, unknown>,
    request: IncomingMessage,
  ): Promise<unknown> {
    if (place === 'discovery') return discoveryOf(body);
    if (response.statusCode >= 400) return inWordsOf(behaviour, body, clientId);
    if (place === 'userinfo') {
      const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
      const claims = behaviour.userinfo(userOf(String(body.sub)), granted.get(token) ?? new Set());
      return { ...withoutGroups(claims), sub: body.sub };
    }
    if (typeof body.id_token !== 'string') return body;
    const scopes = new Set(String(body.scope ?? '').split(' '));
    granted.set(String(body.access_token), scopes);
    subjects.set(String(body.access_token), String(decodeJwt(body.id_token).sub));
    for (const name of ['access_token', 'refresh_token'])
      if (typeof body[name] === 'string') given.push(body[name]);
    const idToken = await idTokenOf(decodeJwt(body.id_token), scopes);
    given.push(idToken);
    return { ...body, id_token: idToken };
  }

  function discoveryOf(document: Record<string, unknown>): object {
    const {
      authorization_response_iss_parameter_supported: says,
      code_challenge_methods_supported: pkce,
      ...rest
    } = document;
    return {
      ...rest,
      ...(behaviour.saysIssuer ? { authorization_response_iss_parameter_supported: says } : {}),
      ...(behaviour.saysPkce ? { code_challenge_methods_supported: pkce } : {}),
      issuer: knobs.discoveryIssuer ?? issuer,
      ...knobs.discovery,
    };
  }

  function withoutGroups(claims: Record<string, unknown>): Record<string, unknown> {
    if (knobs.dropGroups !== true && knobs.groupOverage === undefined) return claims;
    const { groups, ...rest } = claims;
    if (knobs.groupOverage === 'hasgroups') return { ...rest, hasgroups: true };
    if (knobs.groupOverage !== 'claim') return rest;
    const endpoint = 'https://graph.windows.net/tenant/users/oid/getMemberObjects';
    return { ...rest, _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } };
  }

  function idTokenOf(claims: Record<string, unknown>, scopes: ReadonlySet<string>): Promise<string> {
    const user = userOf(String(claims.sub));
    const ahead = knobs.clockAheadS ?? 0;
    return sign({
      ...claims,
      ...withoutGroups({ ...behaviour.idToken(user, scopes), ...user.claims }),
      iat: Number(claims.iat) + ahead,
      exp: Number(claims.exp) + ahead,
      ...(ahead === 0 ? {} : { nbf: Number(claims.iat) + ahead }),
      ...(knobs.tokenIssuer === undefined ? {} : { iss: knobs.tokenIssuer }),
      ...(knobs.tokenAudience === undefined ? {} : { aud: knobs.tokenAudience }),
      ...(knobs.tokenNonce === undefined ? {} : { nonce: knobs.tokenNonce }),
      ...knobs.tokenClaims,
    });
  }

  async function sign(
    claims: Record<string, unknown>,
    { typ = 'JWT', ...header }: Record<string, unknown> = {},
    signing = knobs.signing,
  ): Promise<string> {
    const known = JSON.parse(JSON.stringify(claims)) as Record<string, unknown>;
    const said = { typ: String(typ), kid: pair.kid, ...header };
    if (signing === 'none') return new UnsecuredJWT(known).encode();
    if (signing === 'secret' || signing === 'public_key_as_secret') {
      const secret = signing === 'secret' ? clientSecret : JSON.stringify(pair.jwk);
      return new SignJWT(known).setProtectedHeader({ alg: 'HS256', ...said }).sign(Buffer.from(secret));
    }
    const { privateKey } = signing === 'foreign_key' ? await newPair() : pair;
    return new SignJWT(known).setProtectedHeader({ alg: 'RS256', ...said }).sign(privateKey);
  }

  return {
    preset,
    issuer,
    origin,
    clientId,
    clientSecret,
    knobs,
    asked,
    given,
    exchange: exchanging.exchange,
    get lastTokenRequest() {
      return { body: new URLSearchParams(last.tokenBody), authorization: last.tokenHeader };
    },
    get lastAuthorization() {
      return new URLSearchParams(last.authorization);
    },
    async rotateKeys() {
      pair = await newPair();
    },
    setUser: (login, user) => void users.set(login, user),
    async signIn(url, login, browser = createBrowser()) {
      let isInside = false;
      const stopAt = (at: URL) => {
        isInside ||= at.origin === origin;
        return isInside && at.origin !== origin;
      };
      const page = await browser.open(url, { stopAt });
      if (page.status === 0) return page.url;
      const left = await browser.submit(page, { button: login, stopAt });
      if (left.status !== 0) throw new Error(`the issuer answers ${left.status}: ${left.text}`);
      return left.url;
    },
    assertion(login, to, other = {}) {
      const user = users.get(login) as IdpUser;
      const now = Math.floor(Date.now() / 1000);
      const scopes = new Set(behaviour.scopes);
      return sign(
        {
          ...behaviour.idToken(user, scopes),
          iss: issuer,
          sub: user.sub,
          aud: to.audience,
          client_id: to.clientId,
          resource: to.resource,
          scope: to.scope,
          jti: randomBytes(12).toString('hex'),
          iat: now,
          exp: now + 300,
          ...other.claims,
        },
        { typ: 'oauth-id-jag+jwt', ...other.header },
        other.signing,
      );
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function inWordsOf(behaviour: PresetBehaviour, body: Record<string, unknown>, clientId: string): object {
  if (body.error !== 'invalid_client') return body;
  return { ...body, error_description: behaviour.secretRefused.replace('{client}', clientId) };
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Its storage, which ends with it. */
function createMemory() {
  const kept = new Map<string, Record<string, unknown>>();
  return (model: string) => {
    const key = (id: string) => `${model}:${id}`;
    const find = async (id: string) => kept.get(key(id)) as never;
    return {
      find,
      findByUid: async (uid: string) =>
        [...kept].find(([name, one]) => name.startsWith(`${model}:`) && one.uid === uid)?.[1] as never,
      findByUserCode: async () => undefined,
      upsert: async (id: string, payload: object) => void kept.set(key(id), { ...payload }),
      consume: async (id: string) => {
        const one = kept.get(key(id));
        if (one !== undefined) one.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id: string) => void kept.delete(key(id)),
      revokeByGrantId: async (grantId: string) => {
        for (const [name, one] of kept) if (one.grantId === grantId) kept.delete(name);
      },
    };
  };
}
