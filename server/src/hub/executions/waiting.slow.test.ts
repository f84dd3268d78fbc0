import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ExecutionResponse } from '@sallyport/contracts';
import type { CallNotification } from '#domain';
import { systemClock } from '#foundation';
import { createMetrics } from '#telemetry';
import { linkIn, startActing } from '../../../test/acting.ts';
import { type BothEras, eras, startBothEras } from '../../../test/both-eras.ts';
import {
  askingAs,
  countedIn,
  executionsOf,
  requestOf,
  sharedDb,
  withoutHub,
} from '../../../test/executing.ts';
import { forwardClock } from '../../../test/forward-clock.ts';
import { type HeldWorker, startHeldWorker } from '../../../test/held-worker.ts';
import { consentAt, startPlain } from '../../../test/oauth-providers/index.ts';
import { startApp, type TestApp } from '../../../test/start-app.ts';
import type { Asking, Executions } from './contract.ts';

/** Executions that wait for a person. */

type Response = Parameters<Executions['resume']>[2];
function speaking(executions: Executions, app: TestApp) {
  const told = async (answer: ReturnType<Executions['execute']>): Promise<ExecutionResponse> => {
    const given = await answer;
    return given.ok ? given.value : assert.fail(JSON.stringify(given.error));
  };
  const refused = async (answer: ReturnType<Executions['execute']>) => {
    const given = await answer;
    return given.ok ? assert.fail(JSON.stringify(given.value)) : given.error;
  };
  return {
    execute: (
      asking: Asking,
      name: string,
      input: Record<string, unknown>,
      more?: Parameters<typeof requestOf>[4],
    ) => told(executions.execute(asking, requestOf(app, asking, name, input, more))),
    resume: (asking: Asking, id: string, response: Response = null, waitMs: number | null = null) =>
      told(executions.resume(asking, id, response, waitMs)),
    refused: (asking: Asking, id: string, response: Response) =>
      refused(executions.resume(asking, id, response, null)),
    cancel: (asking: Asking, id: string) => told(executions.cancel(asking, id)),
  };
}

describe('an execution that needs an approval', () => {
  const clock = forwardClock();
  const metrics = createMetrics();
  let worker: HeldWorker;
  let app: TestApp;
  let executions: Executions;
  let say: ReturnType<typeof speaking>;
  let alice: Asking;
  before(async () => {
    worker = await startHeldWorker();
    app = await startApp(
      `
workers:
  - { id: kit, http: { uri: "${worker.uri}", secret: s } }
gateways:
  - { name: Main, slug: main, tool_filter: { allowed_tools: ["Kit.*"] } }
rules:
  - { name: ask first, direction: input, tools: ["Kit.*"], condition: "arguments.text.startsWith('hold')", action: approve, approvers: [{ user: boss }], message: Ask your boss. }
`,
      { clock, env: withoutHub },
    );
    await app.app.rooms.sources.refresh('default', 'kit');
    executions = await executionsOf(app, clock, { metrics });
    say = speaking(executions, app);
    alice = askingAs(app, 'alice', 'main');
  });
  after(async () => {
    await executions?.close(0);
    await app?.close();
    await worker?.stop();
  });
  /** What has been counted since it was asked last. */
  async function counted() {
    const last = asked;
    asked = await countedIn(metrics);
    const added = Object.entries(asked).map(
      ([status, count]) => [status, count - (last[status] ?? 0)] as const,
    );
    return Object.fromEntries(added.filter(([, count]) => count > 0));
  }
  let asked: Awaited<ReturnType<typeof countedIn>> = {};
  const runs = (text: string) => worker.ran.Write.filter((one) => one === text).length;
  async function decide(id: string | undefined, verdict: 'approve' | 'deny'): Promise<void> {
    const answer = await app.api('POST', `/v1/approvals/${id}/${verdict}`, { user_id: 'boss' });
    assert.equal(answer.status, 200, await answer.text());
  }

  it('waits in every mode, and runs exactly once when it is approved', async () => {
    for (const mode of ['sync', 'async', 'stream', 'interactive'] as const) {
      const text = `hold ${mode}`;
      const input = { text };
      const first = await say.execute(alice, 'Kit.Write', input, { mode });
      const { execution_id: id } = first;
      const waits = mode === 'async' ? await say.resume(alice, id, null, 5000) : first;
      assert.deepEqual([waits.status, waits.waiting_for], ['waiting', 'approval']);
      assert.match(waits.advice ?? '', /^Ask your boss\./);
      assert.deepEqual(await say.resume(alice, id), waits);
      await decide(waits.approval_id, 'approve');
      const all = await Promise.all(Array.from({ length: 10 }, () => say.resume(alice, id)));
      assert.deepEqual(new Set(all.map(({ status }) => status)), new Set(['succeeded']));
      assert.equal(runs(text), 1);
      assert.deepEqual(await counted(), { waiting: 1, succeeded: 1 });
    }
  });

  it('is gone on with by the same request under the same key', async () => {
    const more = { idempotency_key: 'k' };
    const first = await say.execute(alice, 'Kit.Write', { text: 'hold key' }, more);
    const waits = { ...more, wait_ms: 0 };
    assert.deepEqual(await say.execute(alice, 'Kit.Write', { text: 'hold key' }, waits), first);
    await decide(first.approval_id, 'approve');
    const second = await say.execute(alice, 'Kit.Write', { text: 'hold key' }, more);
    assert.deepEqual([second.execution_id, second.status], [first.execution_id, 'succeeded']);
    assert.equal(runs('hold key'), 1);
  });

  it('waits for the decision as long as its caller does', async () => {
    const { execution_id: id, approval_id } = await say.execute(alice, 'Kit.Write', { text: 'hold on' });
    const waiting = say.resume(alice, id, null, 60_000);
    await decide(approval_id, 'approve');
    assert.equal((await waiting).status, 'succeeded');
  });

  it('fails when it is denied', async () => {
    await counted();
    const { execution_id: id, approval_id } = await say.execute(alice, 'Kit.Write', { text: 'hold deny' });
    await decide(approval_id, 'deny');
    const { status, error } = await say.resume(alice, id);
    assert.deepEqual([status, error?.name, runs('hold deny')], ['failed', 'policy.approval_denied', 0]);
    assert.deepEqual(await counted(), { waiting: 1, failed: 1 });
  });

  it('can be cancelled, and never runs then', async () => {
    await counted();
    const { execution_id: id, approval_id } = await say.execute(alice, 'Kit.Write', { text: 'hold stop' });
    assert.equal((await say.cancel(alice, id)).status, 'cancelled');
    await decide(approval_id, 'approve');
    assert.equal((await say.resume(alice, id)).status, 'cancelled');
    assert.equal((await say.cancel(alice, id)).status, 'cancelled');
    assert.equal(runs('hold stop'), 0);
    assert.deepEqual(await counted(), { waiting: 1, cancelled: 1 });
  });

  it('is given up with its approval whatever became of others, waits longer where that was given late, and is forgotten after a day', async () => {
    await counted();
    const { db } = app.app.rooms;
    const spoilt = await say.execute(alice, 'Kit.Write', { text: 'hold spoilt' });
    await db.query(`update hub_executions set answer = 'spoilt' where id = $1`, [spoilt.execution_id]);
    const late = await say.execute(alice, 'Kit.Write', { text: 'hold late' });
    const never = await say.execute(alice, 'Kit.Write', { text: 'hold never' });
    clock.forward(50 * 60_000);
    await decide(late.approval_id, 'approve');
    clock.forward(20 * 60_000);
    const ended = async () => {
      for (;;) {
        const now = await say.resume(alice, never.execution_id, null, 0);
        if (now.status !== 'waiting') return now;
      }
    };
    assert.deepEqual(
      [(await ended()).status, (await ended()).error?.name],
      ['failed', 'policy.approval_required'],
    );
    assert.equal((await say.resume(alice, late.execution_id)).status, 'succeeded');
    assert.deepEqual(await counted(), { waiting: 3, failed: 1, succeeded: 1 });
    clock.forward(25 * 60 * 60_000);
    const left = () => db.query('select 1 from hub_executions where id = $1', [never.execution_id]);
    while ((await left()).length > 0) clock.forward(10 * 60_000);
    assert.equal((await say.refused(alice, never.execution_id, null)).code, 'execution.unknown');
  });
});

describe('an execution that needs a consent', () => {
  it('waits with the address, and runs once the user came back from it', async () => {
    const acting = await startActing(startPlain, { env: withoutHub });
    const executions = await executionsOf(acting.app, acting.clock);
    const say = speaking(executions, acting.app);
    const ada = askingAs(acting.app, 'ada', 'main');
    const first = await say.execute(ada, 'Acting.Read', {});
    assert.deepEqual([first.status, first.waiting_for], ['waiting', 'consent']);
    assert.equal(first.authorization_url, linkIn(await acting.call('ada')));
    assert.deepEqual(await say.resume(ada, first.execution_id), first);
    const calls = acting.worker.calls;
    const waiting = say.resume(ada, first.execution_id, null, 60_000);
    await consentAt(first.authorization_url as string, { as: 'ada', allow: true });
    const { status, output } = await waiting;
    assert.deepEqual(
      [status, (output as { user: string }).user, acting.worker.calls - calls],
      ['succeeded', 'ada', 1],
    );

    const never = await say.execute(askingAs(acting.app, 'bob', 'main'), 'Acting.Read', {});
    acting.clock.forward(11 * 60_000);
    const bob = askingAs(acting.app, 'bob', 'main');
    const ended = async () => {
      for (;;) {
        const now = await executions.look(bob, never.execution_id);
        assert.ok(now.ok);
        if (now.value.status !== 'waiting') return now.value;
      }
    };
    assert.equal((await ended()).error?.name, 'credentials.authorization_failed');
    await executions.close(0);
    await acting.close();
  });
});

describe('an interactive execution', () => {
  let world: BothEras;
  let executions: Executions;
  let say: ReturnType<typeof speaking>;
  before(async () => {
    world = await startBothEras();
    executions = await executionsOf(world.app, systemClock);
    say = speaking(executions, world.app);
  });
  after(async () => {
    await executions?.close(0);
    await world?.close();
  });
  const accept = (content: object) => ({ action: 'accept', content });

  for (const era of eras) {
    it(`brings questions back, and goes on with their answers (${era})`, async () => {
      const alice = askingAs(world.app, 'alice', era);
      const first = await say.execute(alice, `${era}.AskTwice`, {}, { mode: 'interactive' });
      assert.deepEqual([first.status, first.waiting_for], ['waiting', 'input']);
      const { execution_id: id, questions = {} } = first;
      const [key = ''] = Object.keys(questions);
      assert.equal(questions[key]?.method, 'elicitation/create');
      const second = await say.resume(alice, id, { [key]: accept({ first: 'one' }) });
      assert.equal(second.waiting_for, 'input');
      const [next = ''] = Object.keys(second.questions ?? {});
      const last = await say.resume(alice, id, { [next]: accept({ second: 'two' }) });
      assert.equal(last.status, 'succeeded', JSON.stringify(last));
      assert.match(JSON.stringify([last.output, last.content]), /one.*two/);
    });

    it(`names the field of an answer that does not fit, and waits on (${era})`, async () => {
      const alice = askingAs(world.app, 'alice', era);
      const { execution_id: id, questions = {} } = await say.execute(
        alice,
        `${era}.AskForm`,
        {},
        { mode: 'interactive' },
      );
      const [key = ''] = Object.keys(questions);
      const wrong: [Response, string][] = [
        [{}, `response.${key}`],
        [{ [key]: 'Ann' }, `response.${key}`],
        [{ [key]: { action: 'maybe' } }, `response.${key}`],
        [{ [key]: { action: 'accept' } }, `response.${key}.content`],
        [{ [key]: accept({}) }, `response.${key}.content.name`],
        [{ [key]: accept({ name: 3 }) }, `response.${key}.content.name`],
        [{ [key]: accept({ name: 'Ann', age: 3 }) }, `response.${key}.content.age`],
        [{ [key]: accept({ name: 'Ann' }), other: accept({}) }, 'response.other'],
      ];
      for (const [response, field] of wrong) {
        const error = await say.refused(alice, id, response);
        assert.deepEqual([error.code, error.field], ['request.params_invalid', field]);
      }
      const stranger = await say.refused(askingAs(world.app, 'bob', era), id, {
        [key]: accept({ name: 'Eve' }),
      });
      assert.equal(stranger.code, 'execution.unknown');
      const answers = { [key]: accept({ name: 'Ann' }) };
      const both = await Promise.all([0, 1].map(() => executions.resume(alice, id, answers, null)));
      const done = both.filter((one) => one.ok && one.value.status === 'succeeded');
      assert.equal(done.length, 1, JSON.stringify(both));
    });
  }

  it('takes an answer for the question that it was given to, however late another replica brings it', async () => {
    const alice = askingAs(world.app, 'alice', 'modern');
    const { execution_id: id, questions = {} } = await say.execute(
      alice,
      'modern.AskTwice',
      {},
      { mode: 'interactive' },
    );
    const [key = ''] = Object.keys(questions);
    const db = sharedDb(world.app);
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = await executionsOf(world.app, systemClock, {
      db: {
        ...db,
        async query(sql, params) {
          if (sql.startsWith('select request')) {
            arrived.resolve();
            await released.promise;
          }
          return db.query(sql, params);
        },
      },
    });
    const late = slow.resume(alice, id, { [key]: accept({ first: 'late' }) }, null);
    await arrived.promise;
    const second = await say.resume(alice, id, { [key]: accept({ first: 'one' }) });
    released.resolve();
    const refused = await late;
    assert.ok(!refused.ok);
    assert.equal(refused.error.code, 'execution.not_waiting');
    assert.match(refused.error.message, /answered already/);
    const [next = ''] = Object.keys(second.questions ?? {});
    const last = await say.resume(alice, id, { [next]: accept({ second: 'two' }) });
    assert.match(JSON.stringify([last.output, last.content]), /one.*two/);
    assert.equal(
      (await say.refused(alice, id, { [next]: accept({ second: 'three' }) })).code,
      'execution.not_waiting',
    );
    await slow.close(0);
  });

  it('of the mode stream passes on what the tool says, and an async one does not', async () => {
    for (const [mode, count] of [
      ['stream', 2],
      ['async', 0],
    ] as const) {
      const said: string[] = [];
      const alice = {
        ...askingAs(world.app, 'alice', 'legacy'),
        meta: { progressToken: 'mine' },
        notify: ({ method, params }: CallNotification) =>
          void said.push(`${method} ${params?.progressToken}`),
      };
      const { execution_id: id, status } = await say.execute(alice, 'legacy.Steps', {}, { mode });
      if (status === 'pending') assert.equal((await say.resume(alice, id, null, 5000)).status, 'succeeded');
      assert.deepEqual(
        said,
        Array.from({ length: count }, () => 'notifications/progress mine'),
      );
    }
  });

  it('of another mode fails, and says which mode asks', async () => {
    const alice = askingAs(world.app, 'alice', 'modern');
    const { status, advice } = await say.execute(alice, 'modern.AskForm', {});
    assert.equal(status, 'failed');
    assert.match(advice ?? '', /interactive/);
  });

  it('is given up when nobody answers', async () => {
    const clock = forwardClock();
    const late = await executionsOf(world.app, clock);
    const alice = askingAs(world.app, 'alice', 'modern');
    const begun = await late.execute(
      alice,
      requestOf(world.app, alice, 'modern.AskForm', {}, { mode: 'interactive' }),
    );
    assert.ok(begun.ok);
    clock.forward(11 * 60_000);
    for (;;) {
      const now = await late.look(alice, begun.value.execution_id);
      assert.ok(now.ok);
      if (now.value.status === 'waiting') continue;
      assert.deepEqual([now.value.status, now.value.error?.name], ['failed', 'source.waiting_lost']);
      break;
    }
    await late.close(0);
  });
});
