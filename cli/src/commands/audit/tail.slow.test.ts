import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startSallyport, type TestSallyport } from '../../../test/sallyport.ts';
import { runIn, type TestIoOptions, tempFolder, testIo } from '../../../test/test-io.ts';
import { run } from '../../run.ts';

let server: TestSallyport;
before(async () => {
  server = await startSallyport();
});
after(() => server.stop());

const withEnv = (more: TestIoOptions = {}): TestIoOptions => ({
  env: { SALLYPORT_URL: server.url, SALLYPORT_API_KEY: server.key },
  now: Date.now,
  ...more,
});
const call = (user: string, tool = 'ArcadeEvalRef.Whoami') =>
  server.ask('POST', '/v1/tools/execute', { tool_name: tool, user_id: user }).catch(() => undefined);
const recordsIn = (out: string) =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { id: string; user_id: string; decision: string; tool: string });

test('the newest come last, and filters keep what fits', async (t) => {
  const folder = await tempFolder(t);
  for (const user of ['ann', 'bob', 'cid']) await call(user);
  await call('ann', 'no.such');
  const tail = (...args: string[]) => runIn(folder, ['audit', 'tail', ...args], withEnv());
  const last = recordsIn((await tail('-n', '2', '--kind', 'tool_call', '--json')).out);
  assert.deepEqual(
    last.map(({ user_id, tool }) => [user_id, tool]),
    [
      ['cid', 'ArcadeEvalRef.Whoami'],
      ['ann', 'no.such'],
    ],
  );
  const refused = await tail('--decision', 'refused', '--user', 'ann', '--code', 'catalog.tool_unknown');
  assert.match(
    refused.out,
    /^\S+Z {2}refused {2}tool_call {2}no\.such for ann in \d+ ms catalog\.tool_unknown \(/,
  );
  assert.equal(recordsIn((await tail('--since', '1h', '--tool', 'ArcadeEvalRef.*', '--json')).out).length, 3);
  assert.match((await tail('--since', 'yesterday')).err, /--since takes 10m, 2h, 3d or an ISO 8601 time/);
});

test('following shows each record once, whatever comes at the same time, and ends when it is told to', async (t) => {
  const folder = await tempFolder(t);
  for (let at = 0; at < 5; at++) await call(`before-${at}`);
  const stopped = new AbortController();
  // Time is short here, so that records come between the questions and while they are answered.
  const sleep = async (_ms: number, signal?: AbortSignal) =>
    void (await wait(5, undefined, signal === undefined ? {} : { signal }));
  const io = testIo(folder, withEnv({ sleep, signal: stopped.signal }));
  const args = ['audit', 'tail', '-f', '-n', '2', '--json', '--tool', 'ArcadeEvalRef.*'];
  const done = run(args, io);
  const shown = async (count: number) => {
    while (recordsIn(io.out()).length < count) await wait(10, undefined, { signal: t.signal });
  };
  await shown(2);
  const expected = 120;
  for (let at = 0; at < expected; at += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, one) => call(`during-${at + one}`)));
  }
  await shown(expected + 2);
  stopped.abort();
  assert.equal(await done, 0, io.err());
  const found = recordsIn(io.out());
  assert.equal(new Set(found.map(({ id }) => id)).size, found.length, 'none twice');
  assert.deepEqual(
    found.slice(0, 2).map(({ user_id }) => user_id),
    ['before-3', 'before-4'],
  );
  assert.deepEqual(
    new Set(found.slice(2).map(({ user_id }) => user_id)),
    new Set(Array.from({ length: expected }, (_, at) => `during-${at}`)),
  );
});
