import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type HeldWorker, startHeldWorker } from './held-worker.ts';
import { startListingWorker } from './listing-worker.ts';
import { type Json, messageOf, startApp, type TestApp, toolCall } from './start-app.ts';

/** What nobody in good faith asks of the hub. */

const megabyte = 1024 * 1024;
let kit: HeldWorker;
let wordy: Awaited<ReturnType<typeof startListingWorker>>;
let app: TestApp;

/** They say a megabyte of themselves each. */
const novels = [0, 1, 2, 3, 4].map((n) => ({
  name: `Novel${n}`,
  description: `${n} "quoted" `.repeat(megabyte / 11),
}));

before(async () => {
  [kit, wordy] = await Promise.all([startHeldWorker(), startListingWorker('Books', novels)]);
  app = await startApp(`
workers:
  - { id: kit, http: { uri: "${kit.uri}", secret: s, timeout: 60 } }
  - { id: books, http: { uri: "${wordy.uri}", secret: s } }
gateways: [{ name: Hub, slug: hub, presentation: hub }]
`);
  for (const id of ['kit', 'books']) {
    const status = await app.app.rooms.sources.refresh('default', id);
    assert.equal(status.state, 'healthy', status.message);
  }
});
after(async () => {
  await app?.close();
  await kit?.stop();
  await wordy?.stop();
});

async function call(name: string, args: object, user = 'alice'): Promise<Json> {
  const { result, error } = await messageOf(
    await app.rpc('hub', toolCall(name, args), { 'arcade-user-id': user }),
  );
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}
async function told(name: string, args: object, user?: string): Promise<Json> {
  const result = await call(name, args, user);
  assert.equal(result.isError, false, JSON.stringify(result).slice(0, 1000));
  return result.structuredContent;
}
async function refusal(name: string, args: object): Promise<Json> {
  const { isError, _meta } = await call(name, args);
  assert.equal(isError, true, `${name} ${JSON.stringify(args).slice(0, 200)}`);
  return _meta['sallyport/refusal'];
}
const write = (text: string, more: object = {}) => ({ tool: 'Kit.Write', input: { text }, ...more });
const runs = (text: string) => kit.ran.Write.filter((one) => one === text).length;

describe('tools that say a megabyte of themselves', () => {
  it('are told of in full, five at a time, and found in one line each', async () => {
    const { tools } = await told('get_tool_details', {
      tools: novels.map(({ name }) => `Books.${name}`),
    });
    for (const { description } of tools) assert.ok(description.length > 0.9 * megabyte);
    const answer = await told('search_tools', { query: 'quoted novel' });
    assert.ok(answer.tools.length > 0 && JSON.stringify(answer).length < 4000);
  });
});

describe('idempotency keys', () => {
  it('of which 200 come at once have one effect each, whoever repeats them', async () => {
    const keys = Array.from({ length: 200 }, (_, n) => `at once ${n}`);
    const all = keys
      .flatMap((key) => [key, key])
      .map((key) => told('execute_tool', write(key, { idempotency_key: key })));
    const answers = await Promise.all(all);
    for (const [at, { status, output }] of answers.entries())
      assert.deepEqual([status, output], ['succeeded', keys[Math.floor(at / 2)]]);
    for (const key of keys) assert.equal(runs(key), 1);
    assert.equal(new Set(answers.map(({ execution_id }) => execution_id)).size, 200);
  });

  it('stand for one tool and one input', async () => {
    await told('execute_tool', write('one', { idempotency_key: 'across' }));
    for (const other of [
      { tool: 'Kit.Put', input: { text: 'one' } },
      { tool: 'Kit.Write', input: { text: 'one', held: false } },
    ]) {
      const { code, field } = await refusal('execute_tool', { ...other, idempotency_key: 'across' });
      assert.deepEqual([code, field], ['request.repeated', 'idempotency_key']);
    }
    assert.deepEqual([runs('one'), kit.ran.Put.includes('one')], [1, false]);
  });

  it('may be of any characters, each another key; what is too long, or no text, is refused by name', async () => {
    const odd = [
      '\0',
      '\u0000a',
      '\ud800',
      '\udfff',
      '‮abc',
      '😀',
      "'; drop table hub_executions; --",
      ' ',
      '__proto__',
      'é',
      'e\u0301',
    ];
    for (const [at, key] of odd.entries()) {
      for (let times = 0; times < 2; times++)
        assert.equal(
          (await told('execute_tool', write(`odd ${at}`, { idempotency_key: key }))).output,
          `odd ${at}`,
        );
      assert.equal(runs(`odd ${at}`), 1, JSON.stringify(key));
    }
    for (const key of ['', 'x'.repeat(10 * 1024), '😀'.repeat(300), 7, {}, ['k']]) {
      const { code, field } = await refusal('execute_tool', write('never', { idempotency_key: key }));
      assert.deepEqual([code, field], ['catalog.arguments_invalid', 'arguments.idempotency_key']);
    }
    assert.equal(runs('never'), 0);
  });
});

describe('numbers and lists that are none', () => {
  it('are refused by name, and nothing is run', async () => {
    const ran = kit.ran.Write.length;
    for (const wait_ms of [-1, 1e9, 1e308, 0.5, '1000', Number.MAX_SAFE_INTEGER]) {
      for (const [name, args] of [
        ['execute_tool', write('never', { wait_ms })],
        ['resume_execution', { execution_id: 'te_0', wait_ms }],
      ] as const) {
        const { code, field } = await refusal(name, args);
        assert.deepEqual([code, field], ['catalog.arguments_invalid', 'arguments.wait_ms']);
      }
    }
    for (const queries of [[], Array.from({ length: 1000 }, (_, n) => `query ${n}`), [''], [7], [['x']]])
      assert.match((await refusal('search_tools', { queries })).field, /^arguments\.queries/);
    assert.equal(kit.ran.Write.length, ran);
  });

  it('are refused by name where text that stands for an object is nested without end', async () => {
    for (const levels of [10_000, 100_000]) {
      const text = `{"text":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      for (const [name, args, at] of [
        ['execute_tool', { tool: 'Kit.Write', input: text }, 'input'],
        ['resume_execution', { execution_id: 'te_0', response: text }, 'response'],
      ] as const) {
        const { code, field } = await refusal(name, args);
        assert.deepEqual([code, field], ['request.too_deep', `arguments.${at}`]);
      }
    }
  });

  it('are refused by name over REST, where a body may hold what is no JSON', async () => {
    const raw = async (path: string, body: string) => {
      const response = await fetch(`${app.url}/v1/hub/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.key}`, 'content-type': 'application/json' },
        body,
      });
      return { status: response.status, ...((await response.json()) as Json) };
    };
    const nan = await raw(
      'execute_tool',
      '{"user_id":"a","tool":"Kit.Write","input":{"text":"n"},"wait_ms":NaN}',
    );
    assert.equal(nan.status, 400);
    const huge = await raw(
      'execute_tool',
      '{"user_id":"a","tool":"Kit.Write","input":{"text":"n"},"wait_ms":1e400}',
    );
    assert.deepEqual([huge.status, huge.field], [400, 'wait_ms']);
    const many = JSON.stringify({ user_id: 'a', queries: Array.from({ length: 1000 }, () => 'x') });
    assert.deepEqual([(await raw('search_tools', many)).field], ['queries']);
    assert.equal(runs('n'), 0);
  });
});

describe('an execution that has ended', () => {
  it('stays as it ended, whoever cancels or answers it', async () => {
    const ended = await told('execute_tool', write('ended', { idempotency_key: 'ended' }));
    const { execution_id } = ended;
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(await told('cancel_execution', { execution_id }), ended);
      const response = { name: { action: 'accept', content: {} } };
      assert.equal(
        (await refusal('resume_execution', { execution_id, response })).code,
        'execution.not_waiting',
      );
    }
    assert.deepEqual(await told('resume_execution', { execution_id }), ended);
    assert.equal(runs('ended'), 1);
  });
});

describe('a caller with more executions than they may have open', () => {
  it('is told so, loses none, and has room again when they end', async () => {
    const held = Array.from({ length: 200 }, (_, n) => `open ${n}`);
    const open = async (text: string) =>
      call('execute_tool', { tool: 'Kit.Write', input: { text, held: true }, wait_ms: 0 }, 'greedy');
    for (const { structuredContent } of await Promise.all(held.map(open)))
      assert.equal(structuredContent.status, 'running');
    const { isError, _meta } = await open('one more');
    assert.deepEqual([isError, _meta['sallyport/refusal'].code], [true, 'policy.concurrency_limited']);
    assert.equal((await told('execute_tool', write('somebody else'), 'modest')).output, 'somebody else');
    for (const text of held) kit.release(text);
    for (;;) {
      const last = await call('execute_tool', write('again', { mode: 'async' }), 'greedy');
      if (!last.isError) break;
    }
    assert.equal(runs('one more'), 0);
  });
});
