import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { temporaryDirectory } from './database.ts';
import { noRedis, type RedisServer, startRedisServer } from './redis-server.ts';
import { type Json, startReferenceServer } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

/** Two replicas, each a process with a database of its own, before one worker and one Redis server. */

const secret = 'a-worker-secret-of-more-than-32-bytes';
const auth = { authorization: 'Bearer sp_the_key_of_this_test', 'content-type': 'application/json' };

describe('replicas that share a Redis server', { skip: noRedis }, () => {
  let redis: RedisServer;
  let worker: Awaited<ReturnType<typeof startReferenceServer>>;
  const directories: string[] = [];
  const replicas: TestProcess[] = [];

  before(async () => {
    redis = await startRedisServer();
    worker = await startReferenceServer(secret);
    for (let n = 0; n < 2; n++) {
      const directory = temporaryDirectory();
      directories.push(directory);
      writeFileSync(
        join(directory, 'sallyport.yaml'),
        `
workers: [{ id: reference, http: { uri: "${worker.uri}", secret: "${secret}" } }]
gateways: [{ slug: all }]
limits:
  - { name: Fifteen, tools: ["ArcadeEvalRef.Whoami"], per: [user], rate: { limit: 15, per_seconds: 86400 } }
`,
      );
      replicas.push(await startProcess({ SALLYPORT_REDIS_URL: redis.url }, directory));
    }
    for (const replica of replicas) await until(async () => (await call(replica, 'first')).ok);
  });
  after(async () => {
    for (const { child } of replicas) child.kill('SIGKILL');
    await worker?.stop();
    await redis?.close();
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });

  async function call({ url }: TestProcess, user: string): Promise<{ ok: boolean; code: string | null }> {
    const params = { name: 'ArcadeEvalRef_Whoami', arguments: {} };
    const answer = await fetch(`${url}/mcp/all`, {
      method: 'POST',
      headers: { ...auth, 'arcade-user-id': user },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    const { result }: Json = await answer.json();
    return { ok: result?.isError === false, code: result?._meta?.['sallyport/refusal']?.code ?? null };
  }

  async function ready({ url }: TestProcess): Promise<{ status: number; redis: Json }> {
    const answer = await fetch(`${url}/readyz`);
    const { checks }: Json = await answer.json();
    return { status: answer.status, redis: checks.redis };
  }

  /** Calls of both replicas, several at once. */
  const calls = (user: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => call(replicas[n % 2] as TestProcess, user)));

  it('let exactly as many calls pass together as the limit says', async () => {
    const outcomes = await calls('alice', 60);
    assert.equal(outcomes.filter(({ ok }) => ok).length, 15);
    assert.deepEqual(
      new Set(outcomes.filter(({ ok }) => !ok).map(({ code }) => code)),
      new Set(['policy.rate_limited']),
    );
  });

  it('go on each for itself when it is killed in the middle, say so, and share again when it is back', async () => {
    assert.equal((await calls('bob', 8)).filter(({ ok }) => ok).length, 8);
    await redis.kill();
    const alone = await calls('bob', 60);
    assert.equal(alone.filter(({ ok }) => ok).length, 2 * 15 - 8, 'each has counted what passed it');
    assert.ok(alone.every(({ ok, code }) => ok || code === 'policy.rate_limited'));
    for (const replica of replicas) {
      const { status, redis: told } = await ready(replica);
      assert.deepEqual([status, told.ok], [200, false]);
    }
    await redis.start();
    for (const replica of replicas) await until(async () => (await ready(replica)).redis.ok);
    assert.equal((await calls('carl', 60)).filter(({ ok }) => ok).length, 15);
  });

  it('answer within a moment while it stands still', async () => {
    redis.child.kill('SIGSTOP');
    try {
      assert.equal((await calls('dora', 60)).filter(({ ok }) => ok).length, 2 * 15);
    } finally {
      redis.child.kill('SIGCONT');
    }
  });

  it('stop as ever', async () => {
    for (const replica of replicas) assert.equal(await replica.stop('SIGTERM'), 0);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}
