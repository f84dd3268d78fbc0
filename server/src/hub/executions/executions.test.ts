import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ExecutionResponse } from '@sallyport/contracts';
import { manualClock, systemClock } from '#foundation';
import { askingAs, executionsOf, requestOf, sharedDb, withoutHub } from '../../../test/executing.ts';
import { type HeldWorker, startHeldWorker } from '../../../test/held-worker.ts';
import { startApp, type TestApp } from '../../../test/start-app.ts';
import type { Asking, Executions } from './contract.ts';
import type { Ended } from './starting.ts';

let worker: HeldWorker;
let app: TestApp;
let executions: Executions;
let alice: Asking;
const ended: Ended[] = [];

before(async () => {
  worker = await startHeldWorker();
  app = await startApp(
    `
workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s, timeout: 60 } }
gateways:
  - { name: Main, slug: main, tool_filter: { allowed_tools: ["Kit.*"] } }
  - { name: Other, slug: other, tool_filter: { allowed_tools: ["Kit.*"] } }
`,
    { env: withoutHub },
  );
  await app.app.rooms.sources.refresh('default', 'kit');
  executions = await executionsOf(app, systemClock, { onEnded: (one) => void ended.push(one) });
  alice = askingAs(app, 'alice', 'main');
});
after(async () => {
  await executions?.close(0);
  await app?.close();
  await worker?.stop();
});

type More = Parameters<typeof requestOf>[4] & { held?: boolean; asking?: Asking };
function attempt(name: string, text: string, { held, asking = alice, ...request }: More = {}) {
  const input = { text, ...(held === undefined ? {} : { held }) };
  return executions.execute(asking, requestOf(app, asking, name, input, request));
}
async function execute(name: string, text: string, more: More = {}): Promise<ExecutionResponse> {
  const answer = await attempt(name, text, more);
  return answer.ok ? answer.value : assert.fail(JSON.stringify(answer.error));
}
async function refused(name: string, text: string, more: More = {}) {
  const answer = await attempt(name, text, more);
  return answer.ok ? assert.fail(JSON.stringify(answer.value)) : answer.error;
}
async function resumed(id: string, waitMs = 5000, asking = alice): Promise<ExecutionResponse> {
  const answer = await executions.resume(asking, id, null, waitMs);
  return answer.ok ? answer.value : assert.fail(JSON.stringify(answer.error));
}
async function cancelled(id: string): Promise<ExecutionResponse> {
  const answer = await executions.cancel(alice, id);
  return answer.ok ? answer.value : assert.fail(JSON.stringify(answer.error));
}
async function rows(): Promise<number> {
  const { db } = app.app.rooms;
  const [row] = await db.query<{ count: number }>('select count(*)::int as count from hub_executions');
  return row?.count ?? -1;
}

describe('a sync execution', () => {
  it('answers with the output, and leaves nothing behind', async () => {
    const before = await rows();
    for (const name of ['Kit.Write', 'Kit.Read']) {
      const { status, output, tool } = await execute(name, 'plain');
      assert.deepEqual([status, output, tool], ['succeeded', 'plain', `worker://${name}`]);
    }
    assert.equal(await rows(), before);
  });

  it('is written down before a tool that has an effect is called, and not before one that has none', async () => {
    const before = await rows();
    for (const [name, more] of [
      ['Kit.Write', 1],
      ['Kit.Read', 0],
    ] as const) {
      const text = `written ${name}`;
      const answer = execute(name, text, { held: true });
      await worker.arrived(text);
      assert.equal(await rows(), before + more);
      worker.release(text);
      await answer;
    }
  });

  it('that takes longer answers with an id, goes on, and is heard of later', async () => {
    for (const name of ['Kit.Write', 'Kit.Read']) {
      const text = `long ${name}`;
      const { status, execution_id: id, advice } = await execute(name, text, { held: true, wait_ms: 0 });
      assert.equal(status, 'running');
      assert.match(advice ?? '', /resume_execution/);
      await worker.arrived(text);
      worker.release(text);
      assert.equal((await resumed(id)).output, text);
      // By its row, now that nothing runs here any more.
      assert.equal((await resumed(id, 0)).output, text);
    }
  });

  it('that could not be written down when it took longer is, once the database is back', async () => {
    const shared = sharedDb(app);
    let isAway = true;
    const query = (sql: string, params?: readonly unknown[]) =>
      isAway && /^insert/.test(sql) ? Promise.reject(new Error('away')) : shared.query(sql, params);
    const clock = manualClock(Date.now());
    const others = await executionsOf(app, clock, { db: { ...shared, query } as typeof shared });
    const bob = askingAs(app, 'bob', 'main');
    const request = requestOf(app, bob, 'Kit.Read', { text: 'away', held: true }, { wait_ms: 0 });
    await assert.rejects(others.execute(bob, request), /away/);
    await worker.arrived('away');
    worker.release('away');
    isAway = false;
    const listed = async () => (await others.list(bob, { limit: 1, offset: 0 })).items[0];
    while ((await listed()) === undefined) clock.advance(5000);
    while ((await listed())?.status === 'running') clock.advance(5000);
    assert.equal((await listed())?.output, 'away');
    await others.close(0);
  });

  it('names the argument that does not fit, as the input that it came in', async () => {
    const request = requestOf(app, alice, 'Kit.Write', { text: 3 });
    const answer = await executions.execute(alice, request);
    assert.ok(!answer.ok);
    assert.deepEqual([answer.error.code, answer.error.field], ['catalog.arguments_invalid', 'input.text']);
  });

  it('goes on when its client goes away', async () => {
    const gone = new AbortController();
    const asking = { ...alice, signal: gone.signal };
    const answer = execute('Kit.Write', 'gone', { held: true, asking, query: 'gone' });
    await worker.arrived('gone');
    gone.abort();
    assert.equal((await answer).status, 'running');
    worker.release('gone');
    while (!ended.some(({ query }) => query === 'gone')) await execute('Kit.Read', 'meanwhile');
    assert.equal(worker.cut(), 0);
  });

  it('tells once when it has ended, and for which query', async () => {
    ended.length = 0;
    await execute('Kit.Write', 'told', { query: 'write a text' });
    assert.deepEqual(
      ended.map(({ tool, succeeded, query }) => [tool.qualifiedName, succeeded, query]),
      [['Kit.Write', true, 'write a text']],
    );
  });
});

describe('an async execution', () => {
  it('is accepted at once, and heard of later', async () => {
    const { status, execution_id: id } = await execute('Kit.Write', 'async', { mode: 'async' });
    assert.equal(status, 'pending');
    assert.equal((await resumed(id)).output, 'async');
  });

  it('is refused with more input than is kept', async () => {
    const error = await refused('Kit.Write', 'x'.repeat(1024 * 1024), { mode: 'async' });
    assert.deepEqual([error.code, error.field], ['request.too_large', 'input']);
  });

  it('that fails before the tool is called says so', async () => {
    const request = requestOf(app, alice, 'Kit.Write', {}, { mode: 'async' });
    const answer = await executions.execute(alice, request);
    assert.ok(answer.ok);
    const { status, error } = await resumed(answer.value.execution_id);
    assert.deepEqual(
      [status, error?.name, error?.field],
      ['failed', 'catalog.arguments_invalid', 'input.text'],
    );
  });
});

describe('an idempotency key', () => {
  const runs = (text: string) => worker.ran.Write.filter((one) => one === text).length;

  it('has one effect, and every repetition the same answer', async () => {
    const first = await execute('Kit.Write', 'key 1', { idempotency_key: 'k1' });
    assert.deepEqual(await execute('Kit.Write', 'key 1', { idempotency_key: 'k1' }), first);
    assert.equal(runs('key 1'), 1);
  });

  it('has one effect for many at once, which all hear the same', async () => {
    const more = { idempotency_key: 'k2', held: true };
    const all = Array.from({ length: 100 }, () => execute('Kit.Write', 'key 2', more));
    await worker.arrived('key 2');
    worker.release('key 2');
    const ids = new Set(
      (await Promise.all(all)).map(({ execution_id, output }) => `${execution_id} ${output}`),
    );
    assert.equal(ids.size, 1);
    assert.equal(runs('key 2'), 1);
  });

  it('is refused for another input or another tool, while the first runs and afterwards', async () => {
    const first = execute('Kit.Write', 'key 3', { idempotency_key: 'k3', held: true });
    await worker.arrived('key 3');
    const others = () =>
      Promise.all([
        refused('Kit.Write', 'key 3 other', { idempotency_key: 'k3' }),
        refused('Kit.Put', 'key 3', { idempotency_key: 'k3', held: true }),
      ]);
    const during = await others();
    worker.release('key 3');
    await first;
    for (const { code, field } of [...during, ...(await others())])
      assert.deepEqual([code, field], ['request.repeated', 'idempotency_key']);
    assert.equal(worker.ran.Put.includes('key 3'), false);
  });

  it('is free again after a refusal, as nothing was done', async () => {
    const request = requestOf(app, alice, 'Kit.Write', { nope: 1 }, { idempotency_key: 'k4' });
    assert.equal((await executions.execute(alice, request)).ok, false);
    assert.equal((await execute('Kit.Write', 'key 4', { idempotency_key: 'k4' })).output, 'key 4');
  });

  it('of one user, key or gateway says nothing of the same of another', async () => {
    const key = await app.app.rooms.identity.createKey({
      ...{ projectId: 'default', name: 'k', scopes: ['call'], users: null, gateways: null, tools: null },
      ...{ serviceAccountId: null, expiresAt: null },
    });
    const askings = [
      alice,
      askingAs(app, 'bob', 'main'),
      askingAs(app, 'alice', 'other'),
      askingAs(app, 'alice', null),
      askingAs(app, 'alice', 'main', key.plaintext),
    ];
    for (const asking of askings) await execute('Kit.Write', 'key 5', { idempotency_key: 'k5', asking });
    assert.equal(runs('key 5'), askings.length);
  });

  it('keeps a failure that may have had its effect', async () => {
    const answer = execute('Kit.Write', 'key 6', { idempotency_key: 'k6', held: true });
    await worker.arrived('key 6');
    await cancelled(
      (await execute('Kit.Write', 'key 6', { idempotency_key: 'k6', held: true, wait_ms: 0 })).execution_id,
    );
    assert.equal((await answer).status, 'cancelled');
    assert.equal(
      (await execute('Kit.Write', 'key 6', { idempotency_key: 'k6', held: true })).status,
      'cancelled',
    );
    assert.equal(runs('key 6'), 1);
    worker.release('key 6');
  });
});

describe('an execution of somebody else', () => {
  it('is as unknown as one that never was', async () => {
    const { execution_id: id } = await execute('Kit.Write', 'mine', { held: true, wait_ms: 0 });
    const strangers = [
      askingAs(app, 'bob', 'main'),
      askingAs(app, 'alice', 'other'),
      askingAs(app, 'alice', null),
    ];
    for (const stranger of strangers) {
      for (const say of [
        (which: string) => executions.resume(stranger, which, null, 0),
        (which: string) => executions.resume(stranger, which, { a: { action: 'accept' } }, 0),
        (which: string) => executions.cancel(stranger, which),
        (which: string) => executions.look(stranger, which),
      ]) {
        const [real, none] = [await say(id), await say('te_0')];
        assert.ok(!real.ok && !none.ok);
        assert.equal(real.error.code, 'execution.unknown');
        assert.equal(real.error.message.replace(id, 'te_0'), none.error.message);
      }
      const { items } = await executions.list(stranger, { limit: 100, offset: 0 });
      assert.equal(
        items.some(({ execution_id }) => execution_id === id),
        false,
      );
    }
    const { items } = await executions.list(alice, { limit: 1, offset: 0 });
    assert.deepEqual(
      items.map(({ execution_id }) => execution_id),
      [id],
    );
    worker.release('mine');
    assert.equal((await resumed(id)).status, 'succeeded');
  });
});

describe('what is no id', () => {
  it('is as unknown as one that never was', async () => {
    for (const id of ['\0', 'te_\0', 'te_\ud800', '__proto__', "te_' or 1=1", 'te_'.padEnd(100, '0')]) {
      for (const answer of [
        await executions.resume(alice, id, null, 0),
        await executions.cancel(alice, id),
        await executions.look(alice, id),
      ])
        assert.equal(!answer.ok && answer.error.code, 'execution.unknown', JSON.stringify(id));
    }
  });
});

describe('an answer to an execution that waits for none', () => {
  it('is refused, and changes nothing', async () => {
    const { execution_id: id } = await execute('Kit.Write', 'no question', { held: true, wait_ms: 0 });
    for (const finish of [() => {}, () => worker.release('no question')]) {
      finish();
      const answer = await executions.resume(alice, id, { name: { action: 'accept' } }, 0);
      assert.ok(!answer.ok);
      assert.deepEqual([answer.error.code, answer.error.field], ['execution.not_waiting', 'response']);
    }
    assert.equal((await resumed(id)).status, 'succeeded');
  });
});

describe('cancelling', () => {
  it('stops what runs, and says that what it did is not known', async () => {
    const cuts = worker.cut();
    const { execution_id: id } = await execute('Kit.Write', 'cancel 1', { held: true, wait_ms: 0 });
    await worker.arrived('cancel 1');
    const { status, advice } = await cancelled(id);
    assert.equal(status, 'cancelled');
    assert.match(advice ?? '', /not known/);
    assert.equal(worker.cut(), cuts + 1);
    worker.release('cancel 1');
  });

  it('of what has no effect says no more', async () => {
    const { execution_id: id } = await execute('Kit.Read', 'cancel 2', { held: true, wait_ms: 0 });
    await worker.arrived('cancel 2');
    const { status, advice } = await cancelled(id);
    assert.deepEqual([status, advice], ['cancelled', undefined]);
    worker.release('cancel 2');
  });

  it('of what has ended changes nothing', async () => {
    const { execution_id: id } = await execute('Kit.Write', 'cancel 3', { mode: 'async' });
    const end = await resumed(id);
    assert.deepEqual(await cancelled(id), end);
  });
});

describe('more executions than a project may have open', () => {
  it('are refused, whoever they are of; what leaves nothing behind runs on', async () => {
    const { db } = app.app.rooms;
    await db.query(
      `insert into hub_executions (id, project_id, owner, request_hash, tool_id, ref, mode, status, attempt, repeatable, cancelled,
         request, answer, leased_by, leased_until, created_at, expires_at)
       select 'many' || n, 'default', 'owner ' || n, '', '', '', 'async', 'waiting', 1, false, false, '', '', '', now(), now(),
         now() + interval '1 day' from generate_series(1, 5000) as n`,
    );
    for (const more of [{ mode: 'async' as const }, { idempotency_key: 'full' }]) {
      const { code, message } = await refused('Kit.Put', 'full', more);
      assert.equal(code, 'policy.concurrency_limited');
      assert.match(message, /^5000 executions of this project have not ended/);
    }
    assert.equal((await execute('Kit.Put', 'not full')).status, 'succeeded');
    await db.query(`delete from hub_executions where id like 'many%'`);
    assert.equal((await execute('Kit.Put', 'full', { idempotency_key: 'full' })).status, 'succeeded');
    assert.equal(worker.ran.Put.filter((text) => text === 'full').length, 1);
  });
});

describe('a result that is larger than is kept', () => {
  it('is given once, and told of afterwards', async () => {
    const text = 'x'.repeat(1024 * 1024);
    const first = await execute('Kit.Write', text, { idempotency_key: 'large' });
    assert.equal(first.output, text);
    const again = await execute('Kit.Write', text, { idempotency_key: 'large' });
    assert.deepEqual([again.status, again.output], ['succeeded', undefined]);
    assert.match(again.advice ?? '', /given once/);
    assert.equal(worker.ran.Write.filter((one) => one === text).length, 1);
  });
});

describe('what came of an execution, when its caller asks for it later', () => {
  let asking: Asking;
  before(() => {
    asking = askingAs(app, 'later', 'main');
  });
  async function asked(key: string, id: string) {
    const answers = [await executions.look(asking, id), await executions.resume(asking, id, null, 0)];
    const { items } = await executions.list(asking, { limit: 100, offset: 0 });
    const listed = items.find(({ execution_id }) => execution_id === id);
    const repeated = await execute('Kit.Write', key, { asking, idempotency_key: key });
    return [...answers.map((one) => (one.ok ? one.value : assert.fail())), listed ?? assert.fail(), repeated];
  }

  it('is told without what rules made since take out, and whole again once they are gone', async () => {
    const { rules } = app.app.rooms.policy;
    const key = 'the code is zebra-17';
    const { execution_id: id } = await execute('Kit.Write', key, { asking, idempotency_key: key });
    for (const action of ['redact', 'block'] as const) {
      const rule = await rules.create('default', {
        ...{
          name: 'no zebras',
          direction: 'output',
          tools: ['Kit.*'],
          match: { pattern: 'zebra-\\d+' },
          action,
        },
      });
      for (const answer of await asked(key, id)) {
        assert.equal(answer.status, 'succeeded');
        assert.equal(JSON.stringify(answer).includes('zebra'), false, JSON.stringify(answer));
        assert.equal(answer.output === undefined, action === 'block');
      }
      await rules.remove('default', rule.id);
    }
    for (const answer of await asked(key, id)) assert.equal(answer.output, key);
    assert.equal(worker.ran.Write.filter((one) => one === key).length, 1);
  });

  it('is withheld once the tool is not theirs any more', async () => {
    const { grants } = app.app.rooms.policy;
    const key = 'granted no more';
    const { execution_id: id } = await execute('Kit.Write', key, { asking, idempotency_key: key });
    const denied = await grants.create('default', {
      ...{ effect: 'deny', subject: { user: 'later' }, tools: ['Kit.*'] },
    });
    for (const answer of await asked(key, id)) {
      assert.deepEqual([answer.status, answer.output], ['succeeded', undefined]);
      assert.match(answer.advice ?? '', /withheld/);
    }
    await grants.remove('default', denied.id);
  });

  it('is held to what may be heard of the version that was called', async () => {
    const { grants } = app.app.rooms.policy;
    const bob = askingAs(app, 'bob', null);
    const key = 'of an older version';
    const { execution_id: id } = await execute('Kit.Write@1.0.0', key, { asking: bob, idempotency_key: key });
    for (const [metadata, output] of [
      [{ read_only: true }, undefined],
      [{ read_only: false }, key],
    ] as const) {
      const denied = await grants.create('default', {
        ...{ effect: 'deny', subject: { user: 'bob' }, tools: ['Kit.Write'], metadata },
      });
      const answer = await executions.look(bob, id);
      assert.ok(answer.ok);
      assert.equal(answer.value.output, output);
      await grants.remove('default', denied.id);
    }
  });
});

describe('what is kept', () => {
  it('holds neither input nor output in the open', async () => {
    const secret = 'a very private text';
    await execute('Kit.Write', secret, { idempotency_key: 'private' });
    const { execution_id: id } = await execute('Kit.Put', secret, { held: true, mode: 'async' });
    await worker.arrived(secret);
    const kept = JSON.stringify(await app.app.rooms.db.query('select * from hub_executions'));
    assert.equal(kept.includes('private text'), false);
    assert.ok(kept.includes(id));
    worker.release(secret);
    await resumed(id);
  });

  it('of what was called is nothing once that is over', async () => {
    const requestOfRow = async (id: string) => {
      const { db } = app.app.rooms;
      const [row] = await db.query<{ request: string }>('select request from hub_executions where id = $1', [
        id,
      ]);
      return row?.request;
    };
    for (const name of ['Kit.Write', 'Kit.Read']) {
      const text = `over ${name}`;
      const { execution_id: id } = await execute(name, text, { held: true, mode: 'async' });
      assert.notEqual(await requestOfRow(id), '');
      await worker.arrived(text);
      worker.release(text);
      assert.equal((await resumed(id)).output, text);
      assert.equal(await requestOfRow(id), '');
    }
  });

  it('is listed without what is long', async () => {
    const asking = askingAs(app, 'lister', 'main');
    const text = 'y'.repeat(100_000);
    const { execution_id: id } = await execute('Kit.Write', text, { idempotency_key: 'long', asking });
    await execute('Kit.Write', 'short', { idempotency_key: 'short', asking });
    const { items } = await executions.list(asking, { limit: 100, offset: 0 });
    assert.deepEqual(
      items.map(({ status, output, advice }) => [status, output, advice === undefined]),
      [
        ['succeeded', 'short', true],
        ['succeeded', undefined, false],
      ],
    );
    const one = await executions.look(asking, id);
    assert.equal(one.ok && one.value.output, text);
  });

  it('is bounded for each caller', async () => {
    const asking = askingAs(app, 'greedy', 'main');
    const all = await Promise.all(
      Array.from({ length: 320 }, () => attempt('Kit.Write', 'greedy', { held: true, wait_ms: 0, asking })),
    );
    const error = await refused('Kit.Write', 'greedy', { asking });
    assert.equal(error.code, 'policy.concurrency_limited');
    assert.equal((await execute('Kit.Write', 'others')).status, 'succeeded');
    worker.release('greedy');
    await Promise.all(all.map((one) => (one.ok ? resumed(one.value.execution_id, 5000, asking) : null)));
    assert.equal((await execute('Kit.Write', 'again', { asking })).status, 'succeeded');
  });
});
