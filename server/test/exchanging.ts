import assert from 'node:assert/strict';
import type { Caller, Gateway } from '#domain';
import { tokenFor } from './access-token.ts';
import { type ActingWorker, actingSecret, startActingWorker } from './acting-worker.ts';
import { createBrowser } from './browser.ts';
import { type ForwardClock, forwardClock } from './forward-clock.ts';
import { type IdentityProvider, type IdpOptions, startIdentityProvider } from './identity-provider.ts';
import { type InternalApi, startInternalApi } from './internal-api.ts';
import { signInAt } from './signing-in.ts';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

/**
 * The whole server behind a company's issuer, and an API of the company that takes the issuer's tokens: the tool `Acting.Read` calls it
 * with what the auth provider `internal` exchanges. People come in at the gateway `main`.
 */
export interface Exchanging {
  readonly app: TestApp;
  readonly idp: IdentityProvider;
  readonly api: InternalApi;
  readonly worker: ActingWorker;
  readonly clock: ForwardClock;
  /** Signs in at the issuer; the access token of a client at the gateway, and the id of the sign-in. */
  signIn(login: string): Promise<SignedInClient>;
  /** Who such a token lets in. */
  enter(token: string): Promise<Caller>;
  /** A call with such a token. */
  call(token: string, tool?: string): Promise<Json>;
  /** Lets time pass, over there too. */
  pass(ms: number): void;
  close(): Promise<void>;
}

export interface SignedInClient {
  readonly token: string;
  /** For the API, once the person has a role. */
  readonly apiToken: string;
  readonly personId: string;
  readonly signInId: string;
}

export interface ExchangingOptions {
  readonly idp?: IdpOptions;
  /** Of `token_exchange`, on top of what suits. */
  readonly settings?: (idp: IdentityProvider) => object;
  /** Members of the config file. */
  readonly config?: (idp: IdentityProvider) => object;
  /** Of the user source. */
  readonly source?: object;
}

const audience = 'https://internal.example';
const clientSecret = 'the-secret-of-the-client-that-exchanges';
const hour = 3_600_000;

export async function startExchanging(options: ExchangingOptions = {}): Promise<Exchanging> {
  const clock = forwardClock();
  const idp = await startIdentityProvider({ refreshTokens: true, ...options.idp });
  const { token_endpoint: tokenEndpoint, jwks_uri: jwksUri } = await discoveryOf(idp);
  idp.exchange.clients.set('exchanger', clientSecret);
  idp.exchange.audiences.add(audience);
  const api = await startInternalApi(audience, { issuer: idp.issuer, jwksUri, now: clock.now });
  const at = { provider: 'internal', origin: api.origin, scopes: [] };
  const worker = await startActingWorker([{ ...at, name: 'Read' }]);
  const settings = {
    ...{ profile: 'rfc8693', token_endpoint: tokenEndpoint, audience },
    ...{ client_id: 'exchanger', client_secret: clientSecret },
    ...options.settings?.(idp),
  };
  const app = await startApp(
    JSON.stringify({
      egress: { allow: ['127.0.0.1'] },
      workers: [{ id: 'acting', http: { uri: worker.uri, secret: actingSecret } }],
      user_sources: [
        {
          ...{ id: 'corp', name: 'Corp', issuer: idp.issuer, user_claim: 'sub', ...options.source },
          ...{ client_id: idp.clientId, client_secret: idp.clientSecret },
        },
      ],
      auth_providers: [{ id: 'internal', type: 'token_exchange', token_exchange: settings }],
      gateways: [{ slug: 'main', auth_types: ['arcade_header', 'user_source'], user_source_ids: ['corp'] }],
      ...options.config?.(idp),
    }),
    { clock },
  );
  if (app.app.rooms.sources.get('default', 'acting') !== null) {
    const { state, message } = await app.app.rooms.sources.refresh('default', 'acting');
    assert.equal(state, 'healthy', message);
  }

  return {
    ...{ app, idp, api, worker, clock },
    async signIn(login) {
      const browser = createBrowser();
      const page = await browser.open(`${app.url}/oauth2/sign_in/default/corp`);
      const inside = await signInAt(browser, page, login);
      assert.equal(inside.status, 200, inside.text);
      const { identity, db, catalog } = app.app.rooms;
      const [row] = await db.query<{ id: string; person_id: string }>(
        'select id, person_id from sign_ins order by created_at desc, id desc limit 1',
      );
      const signIn = await identity.signIns.find(row?.id ?? '');
      assert.ok(signIn !== null);
      const gateway = catalog.gateways('default').find(({ slug }) => slug === 'main') as Gateway;
      const who = { person: { id: signIn.personId }, signIn, cookie: '' } as Parameters<typeof tokenFor>[1];
      const exp = Math.floor((clock.now() + 24 * hour) / 1000);
      const token = await tokenFor(identity, who, gateway, { issuer: app.url, clock, claims: { exp } });
      const apiToken = await tokenFor(identity, who, null, { issuer: app.url, clock, claims: { exp } });
      return { token, apiToken, personId: signIn.personId, signInId: signIn.id };
    },
    async enter(token) {
      const { identity, catalog } = app.app.rooms;
      const gateway = catalog.gateways('default').find(({ slug }) => slug === 'main') as Gateway;
      const caller = await identity.accessTokens.enter(token, gateway);
      return caller.ok ? caller.value : assert.fail(caller.error.message);
    },
    async call(token, tool = 'Acting_Read') {
      const headers = { authorization: `Bearer ${token}`, 'arcade-user-id': '' };
      const { result, error } = await messageOf(await app.rpc('main', toolCall(tool), headers));
      return result ?? assert.fail(JSON.stringify(error));
    },
    pass(ms) {
      idp.knobs.clockAheadS = (idp.knobs.clockAheadS ?? 0) + ms / 1000;
      // The library that signs people in goes by the machine's clock.
      idp.knobs.tokenClaims = { nbf: undefined };
      clock.forward(ms);
    },
    async close() {
      await app.close();
      await worker.stop();
      await api.close();
      await idp.close();
    },
  };
}

export async function discoveryOf({ issuer }: { readonly issuer: string }): Promise<Json> {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  return await answer.json();
}
