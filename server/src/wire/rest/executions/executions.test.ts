import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { refusal } from '#domain';
import { err, manualClock, ok } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../../test/database.ts';
import type { Answer } from '../route.ts';
import { createExecutions } from './executions.ts';

const clock = manualClock();
let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db?.close());

const open = () => createExecutions({ db, clock, log: silentLog });
const request = (idempotencyKey: string, body: unknown = { tool_name: 'T' }) => ({
  projectId: 'default',
  principalId: 'key_1',
  idempotencyKey,
  body,
});

/** Counts its runs; each answers with its number. */
function counted() {
  let runs = 0;
  const run = async () => ok<Answer>({ status: 200, body: { run: ++runs } });
  return { run, runs: () => runs };
}

describe('a request with an Idempotency-Key', () => {
  it('is carried out once and answered the same again, by the next process too', async () => {
    const { run, runs } = counted();
    const first = await open().once(request('again', { a: 1, b: 2 }), run);
    const second = await open().once(request('again', { b: 2, a: 1 }), run);
    assert.deepEqual(second, first);
    assert.equal(runs(), 1);
  });

  it('joins the one that is still running', async () => {
    const executions = open();
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let runs = 0;
    const run = async () => {
      await gate;
      return ok<Answer>({ status: 200, body: { run: ++runs } });
    };
    const both = [executions.once(request('join'), run), executions.once(request('join'), run)];
    finish();
    const [first, second] = await Promise.all(both);
    assert.equal(runs, 1);
    assert.deepEqual(second, first);
  });

  it('is refused with another body, while the first runs and afterwards', async () => {
    const executions = open();
    const { run, runs } = counted();
    const first = executions.once(request('other', { a: 1 }), run);
    const during = await executions.once(request('other', { a: 2 }), run);
    await first;
    const afterwards = await executions.once(request('other', { a: 2 }), run);
    for (const refused of [during, afterwards]) {
      assert.ok(!refused.ok);
      assert.equal(refused.error.code, 'request.repeated');
    }
    assert.equal(runs(), 1);
  });

  it('is refused, not run again, when the first died under way', async () => {
    const { run, runs } = counted();
    const died = open().once(request('died'), () => Promise.reject(new Error('the process ends')));
    await assert.rejects(died);
    const repeated = await open().once(request('died'), run);
    assert.ok(!repeated.ok);
    assert.match(repeated.error.message, /may or may not have run/);
    assert.equal(runs(), 0);
  });

  it('may be sent again when the first was refused', async () => {
    const { run } = counted();
    const refused = async () => err(refusal('credentials.consent_required', 'consent first'));
    assert.equal((await open().once(request('consent'), refused)).ok, false);
    assert.equal((await open().once(request('consent'), run)).ok, true);
  });

  it('is a new one after a day', async () => {
    const { run, runs } = counted();
    await open().once(request('day'), run);
    clock.advance(24 * 60 * 60 * 1000 + 1);
    await open().once(request('day'), run);
    assert.equal(runs(), 2);
  });

  it('of one principal says nothing about the same key of another', async () => {
    const { run, runs } = counted();
    await open().once(request('mine'), run);
    await open().once({ ...request('mine'), principalId: 'key_2' }, run);
    assert.equal(runs(), 2);
  });

  it('gets back any text that JSON can hold', async () => {
    const body = { text: 'nul \u0000, lone \ud800, quote " and \\' };
    const run = async () => ok<Answer>({ status: 200, body });
    await open().once(request('text'), run);
    const again = await open().once(request('text'), run);
    assert.deepEqual(again, { ok: true, value: { status: 200, body } });
  });
});

it('answers older than a day leave the database', async () => {
  const executions = open();
  const { run } = counted();
  await executions.once(request('old'), run);
  clock.advance(25 * 60 * 60 * 1000);
  await executions.once(request('new'), run);
  const [row] = await db.query<{ count: number }>('select count(*) as count from executions');
  assert.equal(Number(row?.count), 1);
});
