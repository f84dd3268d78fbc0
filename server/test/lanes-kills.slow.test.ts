import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Connection } from './connections.ts';
import { readExposition } from './exposition.ts';
import { asAlice, type Lanes, secret, startLanes, works } from './lanes.ts';
import { startReferenceServer, toolCall } from './start-app.ts';

/** What ends, and when, costs no record of an answered call. */

const echo = toolCall('ArcadeEvalRef_Echo', { text: 'hi' });
let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let lanes: Awaited<ReturnType<typeof startLanes>>;

before(async () => {
  worker = await startReferenceServer(secret);
});
after(() => worker.stop());
beforeEach(async () => {
  lanes = await startLanes(worker.uri);
});
afterEach(() => lanes.close());

/** Calls one after the other until told to stop, or until the connection fails; how many were answered. */
async function callOn(connection: Connection, isOver: () => boolean, onAnswer: () => void): Promise<number> {
  let answered = 0;
  while (!isOver()) {
    const answer = await connection.post('/mcp/main', echo).catch(() => null);
    if (answer === null) break;
    assert.ok(works(answer), JSON.stringify(answer));
    answered++;
    onAnswer();
  }
  return answered;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const recorded = async (of: Lanes) =>
  (await of.api('GET', '/v1/audit_events?limit=1&kind=tool_call')).body.total_count as number;

/** Calls on many connections; `act` happens in the middle of it. */
async function underLoad(act: () => Promise<unknown> | unknown): Promise<number> {
  let isOver = false;
  let answers = 0;
  const enough = Promise.withResolvers<void>();
  const onAnswer = () => {
    if (++answers === 100) enough.resolve();
  };
  const calling = lanes.open(12).all.map((one) => callOn(one, () => isOver, onAnswer));
  await enough.promise;
  await act();
  isOver = true;
  return (await Promise.all(calling)).reduce((sum, count) => sum + count, 0);
}

test('a lane that is killed takes no record of an answered call with it, and comes back', async () => {
  const [first] = lanes.pids();
  const answered = await underLoad(async () => {
    process.kill(first as number, 'SIGKILL');
    await lanes.served(3);
  });
  // One that nobody got an answer to may be on record, too: for each connection at most.
  const count = await recorded(lanes);
  assert.ok(count >= answered && count <= answered + 12, `${count} records of ${answered} answered calls`);
  assert.equal((await lanes.api('GET', '/v1/audit_events/verify')).body.valid, true);
  const again = lanes.open(9, asAlice);
  assert.ok((await Promise.all(again.all.map((one) => one.post('/mcp/main', echo)))).every(works));
  const [, , third] = lanes.pids();
  assert.ok(isAlive(third as number));
});

test('connections that wait for a lane that is killed are served by the office', async () => {
  const pids = lanes.pids();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const { all } = lanes.open(12);
  const posted = all.map((one) => one.post('/mcp/main', echo).catch(() => null));
  // Those of the office; by then all are given away.
  await Promise.race(posted);
  await lanes.api('GET', '/v1/health');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  const answers = await Promise.all(posted);
  // Of each lane, one was on its way.
  assert.ok(answers.filter((answer) => answer === null).length <= pids.length);
  assert.ok(answers.every((answer) => answer === null || works(answer)));
  assert.equal(await lanes.server.stop('SIGTERM'), 0);
});

test('what a lane counted is counted on when it is killed, and the next one adds to it', async () => {
  const counted = async () => {
    const text = await (await fetch(`${lanes.server.url}/metrics`)).text();
    const { samples = [] } = readExposition(text, 'text').get('sallyport_calls_total') ?? {};
    return samples.reduce((sum, { labels, value }) => sum + (labels.kind === 'tool_call' ? value : 0), 0);
  };
  const callEach = async () => {
    const connections = lanes.open(9);
    for (const answer of await Promise.all(connections.all.map((one) => one.post('/mcp/main', echo))))
      assert.ok(works(answer));
    connections.close();
  };
  await callEach();
  assert.equal(await counted(), 9);
  const [killed] = lanes.pids() as [number];
  process.kill(killed, 'SIGKILL');
  while (isAlive(killed)) await lanes.api('GET', '/v1/health');
  assert.equal(await counted(), 9);
  await lanes.served(3);
  await callEach();
  assert.equal(await counted(), 18);
});

test('a stop under load finishes what is under way, and records every answered call', async () => {
  const pids = lanes.pids();
  const exit = once(lanes.server.child, 'exit');
  const answered = await underLoad(() => {
    lanes.server.child.kill('SIGTERM');
    return exit;
  });
  assert.deepEqual(await exit, [0, null]);
  assert.deepEqual(pids.filter(isAlive), []);
  const next = await startLanes(worker.uri, 1, lanes.directory);
  try {
    const count = await recorded(next);
    assert.ok(count >= answered && count <= answered + 12, `${count} records of ${answered} answered calls`);
    assert.equal((await next.api('GET', '/v1/audit_events/verify')).body.valid, true);
  } finally {
    next.close();
  }
});

test('no lane outlives an office that is killed, and the next start finds every answered call', async () => {
  const pids = lanes.pids();
  const answered = await underLoad(() => {
    lanes.server.child.kill('SIGKILL');
    return once(lanes.server.child, 'exit');
  });
  while (pids.some(isAlive)) await new Promise((resolve) => setImmediate(resolve));
  const next = await startLanes(worker.uri, 1, lanes.directory);
  try {
    const count = await recorded(next);
    assert.ok(count >= answered && count <= answered + 12, `${count} records of ${answered} answered calls`);
    assert.equal((await next.api('GET', '/v1/audit_events/verify')).body.valid, true);
  } finally {
    next.close();
  }
});
