import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Fault } from '#foundation';
import { openTestDatabase } from '../../test/database.ts';
import type { Db } from './contract.ts';
import { describeDb } from './contract-suite.ts';
import { createRemoteDb, serveDb } from './remote-db.ts';

/** Both sides, with messages between them that are copied as between processes. */
async function joined() {
  const held = await openTestDatabase();
  const { port1, port2 } = new MessageChannel();
  const served = serveDb(held, (answer) => port1.postMessage(answer));
  const remote = createRemoteDb((request) => port2.postMessage(request));
  port1.on('message', served.asked);
  port2.on('message', remote.answered);
  async function cut() {
    served.close();
    port1.close();
    await held.close();
  }
  async function close() {
    await remote.db.close();
    await cut();
  }
  return { held, served, remote, close, cut };
}

describeDb('a database in another process', async (): Promise<Db> => {
  const { remote, close } = await joined();
  return { ...remote.db, close };
});

it('rows added as lines go through whole, with what goes with them', async () => {
  const { held, remote, close } = await joined();
  await held.query('create table notes (id integer, text text, author text)');
  await remote.db.append({
    table: 'notes',
    columns: { text: 'text' },
    same: { author: 'ann' },
    lines: Buffer.from('{"text":"ü"}\n{"text":null}\n'),
    existing: 'fail',
    statement: { sql: 'update notes set id = $1', params: [7] },
  });
  assert.deepEqual(await held.query('select * from notes'), [
    { id: 7, text: 'ü', author: 'ann' },
    { id: 7, text: null, author: 'ann' },
  ]);
  await close();
});

it('transactions of a process that is gone are undone, and keep nobody waiting', async () => {
  const { held, served, remote, cut } = await joined();
  await held.query('create table notes (id integer)');
  const begun = Promise.withResolvers<void>();
  const work = remote.db.tx(async (queries) => {
    await queries.query('insert into notes values (1)');
    begun.resolve();
    await new Promise(() => {});
  });
  work.catch(() => undefined);
  await begun.promise;
  served.close();
  assert.deepEqual(await held.query('select id from notes'), []);
  remote.lost();
  await assert.rejects(remote.db.query('select 1'), Fault);
  // That work never ends, so there is nothing to wait for.
  await cut();
});

it('what was asked fails when the process that holds the database is gone', async () => {
  const { remote, close } = await joined();
  const query = remote.db.query('select pg_sleep(0.05)');
  remote.lost();
  await assert.rejects(query, /process that holds the database is gone/);
  await close();
});
