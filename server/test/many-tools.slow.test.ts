import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type HookServer, startHookServer } from './hook-server.ts';
import { startListingWorker } from './listing-worker.ts';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';

/** More tools than an access hook is asked about at once, and than the hub looks at in one piece. */

const count = 12_500;
const nameOf = (n: number) => `T${String(n).padStart(5, '0')}`;
const names = Array.from({ length: count }, (_, n) => nameOf(n));
/** On both sides of where lists are cut. */
const denied = [0, 999, 1000, 9_998, 9_999, 10_000, 10_001, 12_499].map(nameOf);

let worker: Awaited<ReturnType<typeof startListingWorker>>;
let hooks: HookServer;
let app: TestApp;

before(async () => {
  const tools = names.map((name) => ({ name, description: `The tool ${name}` }));
  [worker, hooks] = await Promise.all([startListingWorker('Many', tools), startHookServer()]);
  app = await startApp(`
workers:
  - { id: many, http: { uri: "${worker.uri}", secret: a-secret-of-at-least-32-characters-00 } }
gateways:
  - { name: All, slug: all }
  - { name: Hub, slug: hub, presentation: hub }
egress: { allow: [127.0.0.0/8] }
`);
  const status = await app.app.rooms.sources.refresh('default', 'many');
  assert.equal(status.state, 'healthy', status.message);
});
after(async () => {
  await app?.close();
  await hooks?.close();
  await worker?.stop();
});
afterEach(async () => {
  await removeHooks();
  hooks.misbehave = null;
  assert.deepEqual(hooks.problems, []);
});

async function addHook(conduct: object = {}, more: object = {}): Promise<void> {
  const access = { url: `${hooks.url}/access`, failure_mode: 'fail_closed', phase: 'before', ...conduct };
  const body = { name: 'Checks', plugin_type: 'webhook', webhook_config: { endpoints: { access } }, ...more };
  const made = await app.api('POST', '/v1/plugins', body);
  assert.equal(made.status, 201);
  const tools = Object.fromEntries(denied.map((name) => [name, []]));
  hooks.answers['/access'] = () => ({ deny: { Many: { tools } } });
}

async function removeHooks(): Promise<void> {
  for (const path of ['/v1/hooks', '/v1/plugins']) {
    const { items } = (await (await app.api('GET', path)).json()) as Json;
    for (const { id } of items) assert.equal((await app.api('DELETE', `${path}/${id}`)).status, 204);
  }
}

async function ask(slug: string, method: string, params: Json): Promise<Json> {
  const { message, headers } = modern(method, params);
  const { result, error } = await messageOf(await app.rpc(slug, message, headers));
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}

/** Of the flat list, page by page. */
async function listed(): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { tools, nextCursor } = await ask('all', 'tools/list', cursor === undefined ? {} : { cursor });
    found.push(...tools.map(({ name }: Json) => name.slice('Many_'.length)));
    cursor = nextCursor;
  } while (cursor !== undefined);
  return found;
}

async function six(name: string, args: Json): Promise<Json> {
  return (await ask('hub', 'tools/call', { name, arguments: args })).structuredContent;
}

/** What is found once all of it can be. */
async function searched(query: string): Promise<Json[]> {
  for (;;) {
    const { tools, advice = '' } = await six('search_tools', { query });
    if (!advice.includes('Not every tool can be found yet')) return tools;
  }
}

/** What hooks were asked about while that was done, request by request. */
async function askedWhile(work: () => Promise<void>): Promise<string[][]> {
  const from = hooks.asked.length;
  await work();
  return hooks.asked.slice(from).map(({ body }) => {
    const tools: string[] = [];
    for (const { tools: of } of Object.values(body.toolkits) as Json[]) tools.push(...Object.keys(of));
    return tools;
  });
}

const permitted = names.filter((name) => !denied.includes(name));

describe('an access hook before very many tools', () => {
  it('is asked about each of them in parts, and none that it denies is in the list', async () => {
    await addHook({ cache_enabled: true });
    const asked = await askedWhile(async () => assert.deepEqual((await listed()).toSorted(), permitted));
    assert.ok(asked.length > 1 && asked.every((tools) => tools.length <= 1000));
    assert.deepEqual(asked.flat().toSorted(), names);
  });

  it('leaves the hub what it permits, on both sides of where it is cut: in counts, searches and calls', async () => {
    await addHook({ cache_enabled: true });
    const asked = await askedWhile(async () => {
      const { namespaces } = await six('list_namespaces', {});
      assert.deepEqual(
        namespaces.map(({ tools }: Json) => tools),
        [permitted.length],
      );
    });
    assert.deepEqual(asked.flat().toSorted(), names);
    for (const name of [...denied, nameOf(1), nameOf(9_997), nameOf(10_002), nameOf(12_498)]) {
      const tools = await searched(name);
      const isFound = tools.some(({ tool }: Json) => tool === `worker://Many.${name}`);
      const [details] = (await six('get_tool_details', { tools: [`Many.${name}`] })).tools;
      assert.deepEqual(
        [name, isFound, details.error === undefined],
        [name, !denied.includes(name), !denied.includes(name)],
      );
    }
  });

  it('leaves nothing where one of the parts gets no answer, unless it may fail open', async () => {
    for (const mode of ['fail_closed', 'fail_open']) {
      await addHook({ failure_mode: mode }, { retry: { max_attempts: 1 } });
      let requests = 0;
      hooks.misbehave = (_, response) => {
        if (++requests % 13 === 7) response.writeHead(400).end('not now');
        else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      };
      const left = await listed();
      assert.equal(left.length, mode === 'fail_closed' ? 0 : count);
      await removeHooks();
    }
  });
});
