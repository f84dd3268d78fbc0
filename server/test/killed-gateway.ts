import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#foundation';
import { type Db, openDatabase } from '#storage';
import { silentLog } from '#telemetry';
import { actingConfig, redirectUriOf } from './acting.ts';
import { type ActingWorker, sha256, startActingWorker } from './acting-worker.ts';
import { temporaryDirectory } from './database.ts';
import { freePort } from './free-port.ts';
import { leaksOf, secretsOf } from './leaks.ts';
import type { Asked, StandIn } from './oauth-providers/index.ts';
import type { Json } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

const adminKey = 'sp_the_key_of_this_test';
const userSecret = 'the-value-of-a-secret-that-a-tool-is-given';

/**
 * The server as a process that is killed and started again, at the same address and with the same data directory. Its provider, the
 * client secret of that and a secret for a tool were registered over the API. The tool `Acting.Read` acts at the provider.
 */
export interface KilledGateway {
  readonly url: string;
  readonly worker: ActingWorker;
  /** `SIGKILL`, and what is done to the database meanwhile; it does not start again by itself. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Both. */
  restart(): Promise<void>;
  /** While it does not run: what time does to the database, say. */
  whileDown(act: (db: Db) => Promise<unknown>): Promise<void>;
  api(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: Json }>;
  authorize(user: string): Promise<Json>;
  status(id: string, waitS?: number): Promise<Json>;
  /** The result of a call over MCP. */
  call(user: string): Promise<Json>;
  /** The user acts as themselves by the one account that they connected, and the tool got its secret. */
  assertActs(user: string): Promise<void>;
  /** Where any secret of the run can be read: below the data directory, or in what any process said. */
  leaks(): readonly string[];
  close(): Promise<void>;
}

export async function startKilledGateway(provider: StandIn): Promise<KilledGateway> {
  const directory = temporaryDirectory();
  const dataDir = join(directory, 'data');
  mkdirSync(dataDir);
  const at = { provider: provider.name, origin: provider.origin };
  const worker = await startActingWorker([{ ...at, name: 'Read', scopes: ['read'], secret: 'SIGNING_KEY' }]);
  writeFileSync(join(directory, 'sallyport.yaml'), actingConfig(worker.uri, []));
  const port = String(await freePort());
  const said: string[] = [];
  let running: TestProcess | null = null;

  const url = `http://127.0.0.1:${port}`;
  provider.redirectUris.add(redirectUriOf(url, provider));

  async function start(): Promise<void> {
    running = await startProcess(
      {
        SALLYPORT_PORT: port,
        SALLYPORT_DATA_DIR: dataDir,
        SALLYPORT_EGRESS_ALLOW: '127.0.0.1',
        SALLYPORT_ADMIN_KEY: adminKey,
        SALLYPORT_LOG_LEVEL: 'debug',
        // It is started again and again, and what is killed here is the office's.
        SALLYPORT_PROCESSES: '1',
      },
      directory,
    );
    while (((await api('GET', '/v1/tools')).body.total_count ?? 0) === 0);
  }
  async function kill(): Promise<void> {
    if (running === null) return;
    await running.stop('SIGKILL');
    said.push(running.stdout(), running.stderr());
    running = null;
  }

  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const api: KilledGateway['api'] = async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
  };

  await start();
  const registered = await api('POST', '/v1/admin/auth_providers', {
    id: provider.name,
    type: 'oauth2',
    oauth2: provider.settings,
  });
  assert.ok(registered.status < 300, JSON.stringify(registered.body));
  const given = await api('POST', '/v1/admin/secrets/SIGNING_KEY', { value: userSecret });
  assert.ok(given.status < 300, JSON.stringify(given.body));

  const call: KilledGateway['call'] = async (user) => {
    const answer = await fetch(`${url}/mcp/main`, {
      method: 'POST',
      headers: { ...headers, 'arcade-user-id': user },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'Acting_Read', arguments: {} },
      }),
    });
    const { result, error } = (await answer.json()) as Json;
    return result ?? assert.fail(JSON.stringify(error));
  };

  return {
    url,
    worker,
    kill,
    start,
    async restart() {
      await kill();
      await start();
    },
    async whileDown(act) {
      const db = await openDatabase({ dataDir }, { clock: systemClock, log: silentLog });
      await act(db);
      await db.close();
    },
    api,
    async authorize(user) {
      const auth_requirement = { id: provider.name, oauth2: { scopes: ['read'] } };
      const { status, body } = await api('POST', '/v1/auth/authorize', { auth_requirement, user_id: user });
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    },
    status: async (id, waitS = 0) => (await api('GET', `/v1/auth/status?id=${id}&wait=${waitS}`)).body,
    call,
    async assertActs(user) {
      const result = await call(user);
      const said = { user, secret: sha256(userSecret) };
      assert.deepEqual(result.structuredContent, said, JSON.stringify(result));
      const { body } = await api('GET', `/v1/connections?user_id=${user}`);
      assert.equal(body.items.length, 1);
    },
    leaks: () => leaksOf([...secretsOf(provider), userSecret], directory, { output: said.join('\n') }),
    async close() {
      await kill();
      await worker.stop();
      await provider.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The next request to the token endpoint, held before or after it is done; nobody waits for it any more once it is let go. */
export function hold(
  provider: StandIn,
  when: 'before' | 'after',
): { readonly arrived: Promise<void>; release(): void } {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  provider[when] = async ({ place }: Asked) => {
    if (place !== 'token') return;
    provider[when] = null;
    arrived.resolve();
    await released.promise;
  };
  return { arrived: arrived.promise, release: () => released.resolve() };
}
