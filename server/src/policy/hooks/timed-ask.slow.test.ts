import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, it } from 'node:test';
import { type HookServer, startHookServer } from '../../../test/hook-server.ts';
import { alice, callOf, startHooked, toolOf, webhook } from './fixtures/hooked.ts';

const tool = toolOf('Github.CreateIssue');
let hooked: Awaited<ReturnType<typeof startHooked>>;
let server: HookServer;
before(async () => {
  server = await startHookServer();
});
after(() => server.close());
beforeEach(async () => {
  hooked = await startHooked();
});
afterEach(() => hooked.close());

/** Hook points and outcomes, how often, and the seconds that they took together. */
async function taken() {
  const read = await hooked.metrics.read();
  const series = read.find(({ name }) => name === 'sallyport_hook_duration_seconds')?.series ?? [];
  return series.map(({ values, counts = [], sum }) => [
    ...values,
    counts.reduce((all, one) => all + one, 0),
    sum,
  ]);
}

const after40Ms = (answer: object) => () => {
  hooked.clock.advance(40);
  return answer;
};

it('what hooks took is kept by point and by what they said', async () => {
  await hooked.add(webhook(server.url, { pre: {}, post: {} }));
  for (const code of ['OK', 'OK', 'CHECK_FAILED', 'RATE_LIMIT_EXCEEDED']) {
    server.answers['/pre'] = after40Ms({ code });
    await hooked.asking.pre(callOf(tool));
  }
  server.misbehave = (_, response) => {
    hooked.clock.advance(5);
    response.writeHead(500).end();
  };
  await hooked.asking.post({ ...callOf(tool), success: true, output: 1, code: '200', error: null });
  server.misbehave = null;
  assert.deepEqual(await taken(), [
    ['tool.pre', 'passed', 2, 0.08],
    ['tool.pre', 'refused', 1, 0.04],
    ['tool.pre', 'rate_limited', 1, 0.04],
    ['tool.post', 'failed', 1, 0.005],
  ]);
});

it('what was known from before is told apart, as nobody was asked', async () => {
  await hooked.add(webhook(server.url, { access: { cache_enabled: true } }));
  server.answers['/access'] = after40Ms({});
  await hooked.asking.access('p', alice, [tool], null);
  await hooked.asking.access('p', alice, [tool], null);
  assert.deepEqual(await taken(), [
    ['tool.access', 'passed', 1, 0.04],
    ['tool.access', 'cached', 1, 0],
  ]);
});

it('where there are no hooks nothing is kept', async () => {
  await hooked.asking.pre(callOf(tool));
  assert.deepEqual(await taken(), []);
});
