import assert from 'node:assert/strict';
import { type ActingWorker, actingSecret, startActingWorker } from './acting-worker.ts';
import { type ForwardClock, forwardClock } from './forward-clock.ts';
import type { StandIn, StandInOptions } from './oauth-providers/index.ts';
import { type AppOptions, type Json, startApp, type TestApp } from './start-app.ts';

/**
 * The whole server, a worker whose tools act at one stand-in provider, and a clock for both that can be set forward. The gateways are
 * `main` and `other`; the tools `Acting.Read` and `Acting.Write`, with those scopes.
 */
export interface Acting<Provider extends StandIn = StandIn> {
  readonly app: TestApp;
  readonly worker: ActingWorker;
  readonly provider: Provider;
  readonly clock: ForwardClock;
  /** The result of a call over MCP, by a client that opens no links. */
  call(user: string, tool?: string, slug?: string): Promise<Json>;
  /** As whom the user acts; fails where that is refused. */
  actsAs(user: string, tool?: string, slug?: string): Promise<string>;
  /** Begins an authorization over the API. */
  authorize(user: string, scopes?: readonly string[]): Promise<Json>;
  status(id: string, waitS?: number): Promise<{ readonly httpStatus: number; readonly body: Json }>;
  connectionsOf(user: string): Promise<Json[]>;
  close(): Promise<void>;
}

export const linkIn = (result: Json): string =>
  result._meta?.authorization_url ?? assert.fail(JSON.stringify(result));

export async function startActing<Provider extends StandIn>(
  start: (options: StandInOptions) => Promise<Provider>,
  options: Pick<AppOptions, 'env'> = {},
): Promise<Acting<Provider>> {
  const clock = forwardClock();
  const provider = await start({ now: clock.now });
  const at = { provider: provider.name, origin: provider.origin };
  const worker = await startActingWorker([
    { ...at, name: 'Read', scopes: ['read'] },
    { ...at, name: 'Write', scopes: ['write'] },
  ]);
  const app = await startApp(actingConfig(worker.uri, [provider]), { ...options, clock });
  provider.redirectUris.add(redirectUriOf(app.url, provider));
  const { state, message } = await app.app.rooms.sources.refresh('default', 'acting');
  assert.equal(state, 'healthy', message);

  const call: Acting['call'] = async (user, tool = 'Read', slug = 'main') => {
    const params = { name: `Acting_${tool}`, arguments: {} };
    const answer = await app.rpc(slug, { id: 1, method: 'tools/call', params }, { 'arcade-user-id': user });
    const { result, error } = (await answer.json()) as Json;
    return result ?? assert.fail(JSON.stringify(error));
  };
  return {
    app,
    worker,
    provider,
    clock,
    call,
    async actsAs(user, tool, slug) {
      const result = await call(user, tool, slug);
      return result.structuredContent?.user ?? assert.fail(JSON.stringify(result));
    },
    async authorize(user, scopes = ['read']) {
      const asked = await app.api('POST', '/v1/auth/authorize', {
        auth_requirement: { id: provider.name, oauth2: { scopes } },
        user_id: user,
      });
      const answer = (await asked.json()) as Json;
      assert.equal(asked.status, 200, JSON.stringify(answer));
      return answer;
    },
    async status(id, waitS = 0) {
      const answer = await app.api('GET', `/v1/auth/status?id=${id}&wait=${waitS}`);
      return { httpStatus: answer.status, body: await answer.json() };
    },
    async connectionsOf(user) {
      const listed = await app.api('GET', `/v1/connections?user_id=${user}`);
      return ((await listed.json()) as Json).items;
    },
    async close() {
      await app.close();
      await worker.stop();
      await provider.close();
    },
  };
}

const wellKnown = new Set(['github', 'google', 'microsoft', 'notion', 'slack']);

/** The config file: JSON is YAML, too. */
export function actingConfig(workerUri: string, providers: readonly StandIn[]): string {
  return JSON.stringify({
    workers: [{ id: 'acting', http: { uri: workerUri, secret: actingSecret } }],
    // As what it stands in for: with what is known of that, and its own endpoints.
    auth_providers: providers.map(({ name, settings }) => ({
      id: name,
      type: 'oauth2',
      ...(wellKnown.has(name) && { provider_id: name }),
      oauth2: settings,
    })),
    gateways: [{ slug: 'main' }, { slug: 'other' }],
  });
}

export const redirectUriOf = (issuer: string, { name }: StandIn): string =>
  `${issuer}/connect/callback/default/providers/${name}`;
