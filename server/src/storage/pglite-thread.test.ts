import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Fault } from '#foundation';
import { silentLog } from '#telemetry';
import { startThread } from './pglite-thread.ts';

function threadThat(onMessage: string): ReturnType<typeof startThread> {
  const code = `import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (request) => { ${onMessage} });
    parentPort.postMessage({ id: 0, rows: [] });`;
  const file = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return startThread(file, { directory: '/nowhere', template: null }, silentLog);
}

const query = (sql: string) => ({ kind: 'query', sql, params: [] }) as const;

for (const [how, code] of [
  ['throws', "throw new Error('out of memory')"],
  ['exits', 'process.exit(3)'],
] as const) {
  it(`rejects what is under way, and everything later, when the thread ${how}`, async () => {
    const thread = threadThat(code);
    await thread.opened;
    const first = thread.send(query('select 1'));
    const second = thread.send(query('select 2'));
    await assert.rejects(first, Fault);
    await assert.rejects(second, /The embedded database has stopped/);
    await assert.rejects(thread.send(query('select 3')), Fault);
    assert.equal(thread.alive(), false);
    await thread.end();
  });
}

it('rejects the opening when the thread dies before it', async () => {
  const file = new URL('data:text/javascript,throw new Error("no room")');
  const thread = startThread(file, { directory: '/nowhere', template: null }, silentLog);
  await assert.rejects(thread.opened, /The embedded database in \/nowhere does not start.*no room/);
  await thread.end();
});
