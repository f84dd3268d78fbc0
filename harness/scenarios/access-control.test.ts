import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { accessControl } from '../requirements/access-control.ts';
import { accessControlScenarios } from './access-control/scenarios.ts';
import { type Adapter, notSupported } from './gateway-under-test.ts';
import { createRecorder } from './recorder.ts';
import { verdicts } from './report.ts';
import { runScenario, type Scenario, type Setting, type Stage } from './scenario.ts';

const setting = { gateway: { control: {} }, upstreams: {}, worker: 'stock' } as unknown as Setting;
const scenario = (run: Scenario['run']): Scenario => ({ title: 't', verifies: ['gate.no-restart'], run });
const verdictOf = async (...runs: Scenario['run'][]) => {
  const results = [];
  for (const run of runs) results.push(await runScenario(scenario(run), setting));
  return verdicts(results).find(({ id }) => id === 'gate.no-restart')?.verdict;
};

describe('the judge', () => {
  it('has a scenario for every requirement', () => {
    const cited = new Set(accessControlScenarios.flatMap(({ verifies }) => verifies));
    for (const { id } of accessControl) assert.ok(cited.has(id), `no scenario cites ${id}`);
  });

  it('has five tests and five gates, each under an id and a title of its own, and no two scenarios of one title', () => {
    assert.deepEqual(
      ['test', 'gate'].map((kind) => accessControl.filter((requirement) => requirement.kind === kind).length),
      [5, 5],
    );
    assert.equal(new Set(accessControl.map(({ id }) => id)).size, 10);
    const titles = accessControlScenarios.map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length);
  });

  it('lets pass what was checked and held, and nothing else', async () => {
    const good: Scenario['run'] = async ({ check }) => check('so', true, '');
    const bad: Scenario['run'] = async ({ check }) => check('so', false, '');
    const unable: Scenario['run'] = async () => notSupported('it cannot');
    assert.equal(await verdictOf(good, good), 'passed');
    assert.equal(await verdictOf(good, bad), 'failed');
    assert.equal(await verdictOf(async () => {}), 'failed');
    assert.equal(await verdictOf(good, async () => Promise.reject(new Error('broken'))), 'failed');
    assert.equal(await verdictOf(good, unable), 'not supported');
    assert.equal(await verdictOf(unable, bad), 'failed');
    const then = (first: Scenario['run']) => (stage: Stage) => first(stage).then(() => unable(stage));
    assert.equal(await verdictOf(then(good)), 'not supported');
    assert.equal(await verdictOf(then(bad)), 'failed');
    assert.equal(await verdictOf(), 'failed');
  });

  it('takes back what a scenario did, and fails one whose changes cannot be taken back', async () => {
    const granted = new Set<string>();
    const control = {
      async grant(user: string) {
        granted.add(user);
        return user;
      },
      revoke: async (grant: string) => void granted.delete(grant),
    };
    const gateway = { control } as unknown as Awaited<ReturnType<Adapter['start']>>;
    const grants = scenario(async ({ grant, check }) => {
      await grant('ada', []);
      check('granted', granted.has('ada'), '');
    });
    assert.equal((await runScenario(grants, { ...setting, gateway })).verdict, 'passed');
    assert.equal(granted.size, 0);
    control.revoke = async () => Promise.reject(new Error('no'));
    assert.equal((await runScenario(grants, { ...setting, gateway })).verdict, 'failed');
  });

  it('sees a value in every byte that a client got: in heads, in bodies, escaped and escaped again', async () => {
    const value = '219-09-9999';
    const answers: readonly [head: string, body: string, holds: boolean][] = [
      ['', 'nothing', false],
      ['', `amid ${value}, text`, true],
      [value, '', true],
      ['', '{"a":"219\\u002d09-9999"}', true],
      ['', '"{\\"a\\":\\"219\\\\u002D09-9999\\"}"', true],
    ];
    const server = createServer(({ url }, response) => {
      const [head = '', body = ''] = answers[Number(url?.slice(1))] ?? [];
      response.setHeader('x-said', head).end(body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    for (const [index, [, body, holds]] of answers.entries()) {
      const recorder = createRecorder();
      assert.equal(await (await recorder.fetch(`http://127.0.0.1:${port}/${index}`)).text(), body);
      assert.equal(recorder.holds(value), holds, body);
    }
    server.close();
    server.closeAllConnections();
  });
});
