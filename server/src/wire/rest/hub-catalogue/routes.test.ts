import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { forwardClock } from '../../../../test/forward-clock.ts';
import {
  adminKey,
  type RestServer,
  startRestServer,
  startTestWorker,
  workerSecret,
} from '../fixtures/rest-server.ts';

const clock = forwardClock();
const join = encodeURIComponent('worker://Test.Join');
let server: RestServer;
let worker: Awaited<ReturnType<typeof startTestWorker>>;
/** Of an agent that governs nothing. */
let agent: string;

before(async () => {
  worker = await startTestWorker();
  server = await startRestServer({ clock });
  const http = { uri: worker.url, secret: workerSecret };
  assert.equal((await server.ask('POST', '/v1/workers', { body: { id: 'test', http } })).status, 201);
  agent = await server.newKey({ name: 'agent', scopes: ['call', 'read'] });
  // Once the clock was set forward, no worker takes our tokens.
  await run('Test.Fail', {});
});
after(async () => {
  await server?.close();
  await worker?.stop();
});

async function got(path: string) {
  const { status, body } = await server.ask('GET', path);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}
const names = async (query = '') =>
  (await got(`/v1/hub/tools${query}`)).items.map(({ name }: { name: string }) => name);
const curate = (tool: string, body: object) => server.ask('PATCH', `/v1/hub/tools/${tool}`, { body });

async function curated(tool: string, body: object) {
  const asked = await curate(tool, body);
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  return asked.body;
}

const ask = (path: string, body: object) => server.ask('POST', `/v1/hub/${path}`, { key: agent, body });
const found = async (query: string, key = agent) => {
  const { body } = await server.ask('POST', '/v1/hub/search_tools', { key, body: { query, user_id: 'ann' } });
  return body.tools.map(({ tool }: { tool: string }) => tool);
};
const run = (tool: string, input: object) => ask('execute_tool', { tool, input, user_id: 'ann' });

/** The last change of this kind, as the log has it. */
async function lastChange(operation: string) {
  const { items } = await got('/v1/audit_events?kind=admin&limit=10');
  const event = items.find(({ tool }: { tool: string }) => tool === operation);
  assert.ok(event, operation);
  return event;
}

describe('the tools of the hub', () => {
  it('are all of the project, with what people say of them and what there is to mend', async () => {
    const { items, total_count } = await got('/v1/hub/tools?limit=1000');
    assert.equal(total_count, 4);
    const shown = items.find(({ name }: { name: string }) => name === 'Test.Join');
    const { id, advice, ...rest } = shown;
    assert.match(id, /^tool_[0-9a-f]{24}$/);
    assert.match(advice[0], /^its description has only 11 characters/);
    assert.deepEqual(rest, {
      tool: 'worker://Test.Join',
      name: 'Test.Join',
      namespace: 'worker://Test',
      source: 'test',
      version: '2.0.0',
      description: 'Joins words',
      available: true,
      owner: null,
      lifecycle: 'active',
      successor: null,
      when_to_use: null,
      synonyms: [],
      tags: [],
      example_queries: [],
      examples: [],
    });
    for (const name of [join, id, 'Test.Join', encodeURIComponent('worker://Test.Join@2.0.0')])
      assert.deepEqual(await got(`/v1/hub/tools/${name}`), shown);
  });

  it('are unknown under any other name', async () => {
    for (const name of ['mcp%3A%2F%2FTest.Join', 'No.Such', 'tool_0123456789abcdef01234567', '%F0']) {
      const { status, body } = await server.ask('GET', `/v1/hub/tools/${name}`);
      assert.deepEqual([status, body.name], [404, 'resource.unknown'], name);
    }
  });

  it('can be changed, which is recorded, and taken back', async () => {
    const change = { owner: 'team', when_to_use: 'for sentences', examples: [{ words: ['a', 'b'] }] };
    const after = await curated(join, change);
    assert.deepEqual({ ...after, ...change }, after);
    assert.deepEqual(await got(`/v1/hub/tools/${join}`), after);
    const { changes } = await lastChange('hub_tools.curate');
    assert.equal(changes.before.owner, null);
    assert.equal(changes.after.owner, 'team');
    assert.equal((await server.ask('DELETE', `/v1/hub/tools/${after.id}`)).status, 204);
    assert.equal((await lastChange('hub_tools.forget')).changes.before.owner, 'team');
    assert.equal((await got(`/v1/hub/tools/${join}`)).owner, null);
    assert.equal((await server.ask('DELETE', `/v1/hub/tools/${join}`)).status, 404);
  });

  it('take nothing that does not fit them, and name what does not', async () => {
    for (const [body, field] of [
      [{ examples: [{ words: 'a' }] }, 'examples[0].words'],
      [{ examples: [{ words: ['a'], more: 1 }] }, 'examples[0].more'],
      [{ successor: 'Test.Count' }, 'successor'],
      [{ lifecycle: 'deprecated', successor: 'No.Such' }, 'successor'],
      [{ lifecycle: 'deprecated', successor: 'Test.Join' }, 'successor'],
      [{ lifecycle: 'gone' }, 'lifecycle'],
      [{ title: 'x' }, 'title'],
      [{ tags: ['x'.repeat(300)] }, 'tags.0'],
    ] as const) {
      const asked = await curate(join, body);
      assert.deepEqual([asked.status, asked.body.field], [400, field], JSON.stringify(asked.body));
    }
  });

  it('are listed by what they are asked for', async () => {
    await curated('Test.Join', { owner: 'team', synonyms: ['concatenate'] });
    await curated('Test.Fail', { lifecycle: 'deprecated', successor: 'worker://Test.Join' });
    assert.deepEqual(await names('?owner=team'), ['Test.Join']);
    assert.deepEqual(await names('?q=CONCAT'), ['Test.Join']);
    assert.deepEqual(await names('?lifecycle=deprecated'), ['Test.Fail']);
    assert.deepEqual(await names('?namespace=mcp%3A%2F%2FTest'), []);
    assert.equal((await names('?namespace=worker%3A%2F%2F')).length, 4);
    assert.equal((await names('?namespace=worker%3A%2F%2FTest&limit=2&offset=1')).length, 2);
    assert.equal((await names('?undocumented=true')).length, 4);
    await curated('Test.Count', { when_to_use: 'whenever somebody wants to know how often it was called' });
    assert.deepEqual(await names('?undocumented=false'), ['Test.Count']);
    assert.equal((await got('/v1/hub/tools/Test.Fail')).successor, 'worker://Test.Join');
    for (const name of ['Join', 'Fail', 'Count'])
      assert.equal((await server.ask('DELETE', `/v1/hub/tools/Test.${name}`)).status, 204);
  });
});

describe('a tool that the hub does not show', () => {
  it('is found and run by nobody while it is hidden; gateways and the rest of the API go on', async () => {
    assert.deepEqual((await found('join words')).slice(0, 1), ['worker://Test.Join']);
    await curated(join, { lifecycle: 'hidden' });
    for (const key of [agent, adminKey])
      assert.ok(!(await found('join words', key)).includes('worker://Test.Join'));
    const [refused, nowhere] = [await run('Test.Join', { words: ['a'] }), await run('No.Such', {})];
    assert.deepEqual([refused.status, refused.body.name], [nowhere.status, nowhere.body.name]);
    assert.equal(refused.body.message.replace('Test.Join', 'No.Such'), nowhere.body.message);
    const input = { tool_name: 'Test.Join', user_id: 'ann', input: { words: ['a'] } };
    assert.equal((await server.ask('POST', '/v1/tools/execute', { key: agent, body: input })).status, 200);
    assert.equal((await server.ask('DELETE', `/v1/hub/tools/${join}`)).status, 204);
    assert.ok((await found('join words')).includes('worker://Test.Join'));
  });

  it('is found and run by those who govern while it is a draft', async () => {
    await curated(join, { lifecycle: 'draft' });
    assert.ok(!(await found('join words')).includes('worker://Test.Join'));
    assert.equal((await run('Test.Join', { words: ['a'] })).body.name, 'catalog.tool_unknown');
    assert.ok((await found('join words', adminKey)).includes('worker://Test.Join'));
    const own = { tool: 'Test.Join', input: { words: ['a'] }, user_id: 'ann' };
    const ran = await server.ask('POST', '/v1/hub/execute_tool', { body: own });
    assert.equal(ran.body.status, 'succeeded', JSON.stringify(ran.body));
    assert.equal((await server.ask('DELETE', `/v1/hub/tools/${join}`)).status, 204);
  });
});

describe('what the hub learns', () => {
  /** The time of all searches is over, and what they led to is written: that comes before anything is forgotten. */
  async function learn() {
    clock.forward(11 * 60_000);
    await server.ask('DELETE', '/v1/hub/learned?query=nobody+said+this');
  }

  it('is shown to those who govern, and forgotten when they say so, without its words in the log', async () => {
    assert.ok((await found('Join these words, please')).includes('worker://Test.Join'));
    const { body: ran } = await run('worker://Test.Join', { words: ['a'] });
    assert.equal(ran.status, 'succeeded', JSON.stringify(ran));
    await learn();
    await server.ask('DELETE', '/v1/hub/learned?query=join+words');
    const { items } = await got('/v1/hub/learned');
    const [{ last_used, tool_id, weight, ...learned }] = items;
    assert.ok(Date.parse(last_used) > 0 && weight > 0 && weight < 1);
    assert.deepEqual(learned, {
      ...{ tool: 'worker://Test.Join', query: 'join these words, please' },
      ...{ callers: 1, uses: 1 },
    });
    assert.deepEqual((await got(`/v1/hub/learned?tool=${tool_id}`)).items, items);
    assert.deepEqual((await got('/v1/hub/learned?tool=Test.Count')).items, []);
    for (const [query, field] of [
      ['', 'all'],
      ['?all=true&tool=Test.Join', 'all'],
      ['?all=yes', 'all'],
    ]) {
      const { status, body } = await server.ask('DELETE', `/v1/hub/learned${query}`);
      assert.deepEqual([status, body.field], [400, field]);
    }
    const words = encodeURIComponent('join these words, please');
    const { status, body } = await server.ask('DELETE', `/v1/hub/learned?query=${words}`);
    assert.deepEqual([status, body], [200, { forgotten: 1 }]);
    assert.deepEqual((await got('/v1/hub/learned')).items, []);
    const event = await lastChange('hub_learned.delete');
    assert.equal(event.changes.forgotten, 1);
    assert.doesNotMatch(JSON.stringify(event), /these words/);
  });

  it('moves what was learned up, for everybody', async () => {
    const jargon = 'zusammenkleben';
    const scoreOf = async () => {
      const { body } = await ask('search_tools', { query: jargon });
      return body.tools.findIndex(({ tool }: { tool: string }) => tool === 'worker://Test.Join');
    };
    const before = await scoreOf();
    const { governance } = server.app.rooms.hub ?? assert.fail('there is no hub');
    const { id } = (await got(`/v1/hub/tools/${join}`)) as { id: string };
    for (const bearer of ['ann', 'bob', 'kim']) {
      governance.searched(bearer, 'default', [{ query: jargon, hits: [{ id, alike: [] }] }]);
      governance.executed(bearer, 'default', id, true);
    }
    await learn();
    assert.equal((await got('/v1/hub/learned')).items[0].callers, 3);
    assert.equal(await scoreOf(), 0, `was at ${before}`);
    assert.equal((await server.ask('DELETE', '/v1/hub/learned?all=true')).body.forgotten, 1);
  });
});

describe('what callers miss', () => {
  it('is told, counted, and can be forgotten, without its words in the log', async () => {
    const said = await ask('report_missing', { need: 'Translate to Klingon, tell ann@corp.example' });
    assert.ok(said.status < 300, JSON.stringify(said.body));
    const [{ id, last_reported, ...need }] = (await got('/v1/hub/missing')).items;
    assert.ok(Date.parse(last_reported) > 0);
    assert.deepEqual(need, { need: 'Translate to Klingon, tell …', callers: 1, reports: 1 });
    assert.equal((await server.ask('DELETE', `/v1/hub/missing/${id}`)).status, 204);
    assert.equal((await server.ask('DELETE', `/v1/hub/missing/${id}`)).status, 404);
    assert.equal((await server.ask('DELETE', '/v1/hub/missing/%00')).status, 400);
    assert.doesNotMatch(JSON.stringify(await lastChange('hub_missing.delete')), /Klingon/);
  });

  it('stands in the review queue beside what is documented too little, until it is dismissed', async () => {
    await ask('report_missing', { need: 'Translate to Klingon' });
    const { items } = await got('/v1/hub/review?kind=missing_tool');
    assert.deepEqual(
      items.map(({ query, tool }: Record<string, string>) => [query, tool]),
      [['Translate to Klingon', undefined]],
    );
    const all = await got('/v1/hub/review?limit=2');
    assert.equal(all.page_count, 2);
    assert.ok(all.items[0].help >= all.items[1].help);
    const dismiss = () => server.ask('POST', `/v1/hub/review/${items[0].id}/dismiss`);
    assert.equal((await dismiss()).status, 204);
    assert.equal((await dismiss()).status, 404);
    assert.deepEqual((await got('/v1/hub/review?kind=missing_tool')).items, []);
    assert.doesNotMatch(JSON.stringify(await lastChange('hub_review.dismiss')), /Klingon/);
  });
});

describe('usage', () => {
  it('counts calls on every way in, the most called first', async () => {
    clock.forward(61_000);
    const { items } = await got('/v1/hub/usage');
    assert.equal(items[0].tool, 'worker://Test.Join');
    const [fail] = (await got('/v1/hub/usage?tool=Test.Fail&days=1')).items;
    assert.deepEqual([fail.tool, fail.calls, fail.failures], ['worker://Test.Fail', 1, 1]);
    assert.equal((await server.ask('GET', '/v1/hub/usage?days=91')).body.field, 'days');
  });
});
