import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EraClient, openEraClient } from './era-client.ts';
import { type EraServer, type Heard, startEraServer } from './era-server.ts';
import { type Json, startApp, type TestApp } from './start-app.ts';

const sources = { alpha: 'legacy', beta: 'legacy', gamma: 'modern' } as const;
type Id = keyof typeof sources;
const ids = Object.keys(sources) as Id[];
const eras = ['legacy', 'modern'] as const;
const manyTools = 600;
const long = 'a_name_that_goes_on_and_on_'.repeat(4);

/** Every page of a list, each as it came. */
async function pagesOf(client: EraClient, method: string): Promise<Json[]> {
  const pages: Json[] = [];
  for (let params = {}; pages.length < 20; ) {
    const { result, error } = await client.request(method, params);
    assert.equal(error, undefined, JSON.stringify(error));
    pages.push(result);
    if (result.nextCursor === undefined) return pages;
    params = { cursor: result.nextCursor };
  }
  throw new Error('the list has no end');
}
const listOf = async (client: EraClient, method: string, key: string): Promise<Json[]> =>
  (await pagesOf(client, method)).flatMap((page) => page[key]);
const toolsOf = (client: EraClient) => listOf(client, 'tools/list', 'tools');

const heardOf = ({ heard }: EraServer, method: string) =>
  heard.filter(({ message }: Heard) => message.method === method).map(({ message }) => message.params);

describe('three servers of both eras, which all call their things alike, behind one gateway', () => {
  const servers = {} as Record<Id, EraServer>;
  const clients = {} as Record<(typeof eras)[number], EraClient>;
  let app: TestApp;

  before(async () => {
    for (const id of ids) {
      servers[id] = await startEraServer(sources[id]);
      const { tools } = servers[id].offer;
      const more = Array.from({ length: manyTools }, (_, i) => `Many${i}`);
      for (const name of [`${long}1`, `${long}2`, ...more]) {
        tools.push({ name, inputSchema: { type: 'object' } });
      }
    }
    const workers = ids.map((id) => `  - { id: ${id}, mcp: { uri: "${servers[id].uri}" } }`);
    app = await startApp(`workers:\n${workers.join('\n')}\ngateways:\n  - { name: All, slug: all }\n`);
    for (const id of ids) {
      const { state, message } = await app.app.rooms.sources.refresh('default', id);
      assert.equal(state, 'healthy', message);
    }
    const headers = { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' };
    for (const era of eras) clients[era] = await openEraClient(era, `${app.url}/mcp/all`, headers);
  });
  after(async () => {
    for (const era of eras) await clients[era].close();
    await app.close();
    for (const id of ids) await servers[id].close();
  });

  /** How the gateway writes a URI of a source: the source that was known first keeps its own, the others' say whose they are. */
  function shownFor(uris: readonly string[]): (id: Id, own: string) => string {
    const [first, ...others] = ids.filter((id) => !uris.includes(`${id}+test://text`));
    assert.ok(first !== undefined && others.length === 0, `one source keeps its URIs: ${uris}`);
    return (id, own) => (id === first ? own : `${id}+${own}`);
  }

  /** The server that got the last request of this method, and nobody else did. */
  async function reached(method: string, act: () => Promise<unknown>): Promise<Id[]> {
    const before = new Map(ids.map((id) => [id, heardOf(servers[id], method).length]));
    await act();
    return ids.filter((id) => heardOf(servers[id], method).length > (before.get(id) as number));
  }

  test('clients of both eras see the same list, source after source, and again the same', async () => {
    const names = (await toolsOf(clients.legacy)).map(({ name }) => name);
    for (const id of ids) await app.app.rooms.sources.refresh('default', id);
    for (const era of eras) {
      const again = await toolsOf(clients[era]);
      assert.deepEqual(
        again.map(({ name }) => name),
        names,
      );
    }
    const owners = names.map((name: string) => name.split('_', 1)[0]);
    assert.deepEqual([...new Set(owners)], ids);
    assert.deepEqual(owners, owners.toSorted());
    const counts = ids.map((id) => servers[id].offer.tools.length);
    assert.equal(
      names.length,
      counts.reduce((sum, count) => sum + count),
    );
  });

  test('names are unique and no longer than 64 characters, and each still calls its own tool', async () => {
    const names: string[] = (await toolsOf(clients.modern)).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
    for (const id of ids) {
      const own = names.filter((name) => name.startsWith(`${id}_a_name_that_goes_on`));
      assert.equal(own.length, 2);
      for (const [i, name] of own.entries()) {
        await clients.modern.request('tools/call', { name, arguments: {} });
        assert.equal(servers[id].ran.at(-1), `${long}${i + 1}`);
      }
    }
  });

  test('a list longer than a page is read page after page, and a cursor of ones own making is refused', async () => {
    for (const era of eras) {
      const pages = await pagesOf(clients[era], 'tools/list');
      assert.ok(pages.length > 1);
      const names = pages.flatMap(({ tools }) => tools.map(({ name }: Json) => name));
      assert.equal(new Set(names).size, names.length);
      const { error } = await clients[era].request('tools/list', { cursor: 'made-up' });
      assert.equal(error.code, -32602);
    }
  });

  test('lists are the own of who asked', async () => {
    const methods = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];
    for (const method of methods) {
      for (const page of await pagesOf(clients.modern, method)) {
        assert.equal(page.cacheScope, 'private');
        assert.ok(page.ttlMs >= 0);
      }
      for (const page of await pagesOf(clients.legacy, method)) {
        assert.deepEqual([page.cacheScope, page.ttlMs, page.resultType], [undefined, undefined, undefined]);
      }
    }
  });

  for (const era of eras) {
    test(`tools and prompts reach the source that they are of (${era} client)`, async () => {
      const prompts = await listOf(clients[era], 'prompts/list', 'prompts');
      assert.deepEqual(
        prompts.map(({ name }) => name).filter((name) => /_Greet$/.test(name)),
        ids.map((id) => `${id}_Greet`),
      );
      for (const id of ids) {
        const call = { name: `${id}_Echo`, arguments: {} };
        assert.deepEqual(await reached('tools/call', () => clients[era].request('tools/call', call)), [id]);
        assert.equal(servers[id].ran.at(-1), 'Echo');
        const get = { name: `${id}_Greet`, arguments: { who: id } };
        const got = await clients[era].request('prompts/get', get);
        assert.equal(got.result.messages[0].content.text, `Hello, ${id}`);
        assert.equal(heardOf(servers[id], 'prompts/get').at(-1).name, 'Greet');
        const ref = { type: 'ref/prompt', name: `${id}_Greet` };
        const complete = { ref, argument: { name: 'who', value: id } };
        const ask = () => clients[era].request('completion/complete', complete);
        assert.deepEqual(await reached('completion/complete', ask), [id]);
      }
    });

    test(`resources and templates reach the source that they are of (${era} client)`, async () => {
      const resources = await listOf(clients[era], 'resources/list', 'resources');
      const templates = await listOf(clients[era], 'resources/templates/list', 'resourceTemplates');
      const uris: string[] = resources.map(({ uri }) => uri);
      assert.equal(new Set(uris).size, uris.length);
      const shown = shownFor(uris);
      assert.deepEqual(
        uris.filter((uri) => uri.endsWith('test://text')),
        ids.map((id) => shown(id, 'test://text')),
      );
      for (const [i, id] of ids.entries()) {
        const { uriTemplate } = templates[i];
        assert.equal(uriTemplate, shown(id, 'test://item/{id}'));
        for (const uri of [shown(id, 'test://text'), uriTemplate.replace('{id}', '5')]) {
          const read = () => clients[era].request('resources/read', { uri });
          assert.deepEqual(await reached('resources/read', read), [id]);
          const { result } = await read();
          assert.equal(result.contents[0].uri, uri);
          assert.equal(heardOf(servers[id], 'resources/read').at(-1).uri, uri.replace(`${id}+`, ''));
        }
      }
    });

    test(`the page of a tool is that of its own source (${era} client)`, async () => {
      const tools = await toolsOf(clients[era]);
      for (const id of ids) {
        const panel = tools.find(({ name }) => name === `${id}_Panel`);
        const read = () => clients[era].request('resources/read', { uri: panel._meta.ui.resourceUri });
        assert.deepEqual(await reached('resources/read', read), [id]);
      }
    });

    test(`what any source can do is declared (${era} client)`, () => {
      const { capabilities } = clients[era].welcome;
      assert.equal(capabilities.tools.listChanged, true);
      assert.equal(capabilities.prompts.listChanged, true);
      assert.deepEqual([capabilities.resources.listChanged, capabilities.resources.subscribe], [true, true]);
      assert.ok(capabilities.completions && capabilities.logging);
      assert.ok(capabilities.extensions['com.example/weather']);
      if (era === 'legacy') assert.ok(capabilities.tasks.requests.tools.call);
      else assert.ok(capabilities.extensions['io.modelcontextprotocol/tasks']);
    });
  }

  for (const era of eras) {
    test(`a change of one source is told, and only its own resource is said to have changed (${era} client)`, async () => {
      const resources = await listOf(clients[era], 'resources/list', 'resources');
      const shown = shownFor(resources.map(({ uri }) => uri));
      const watched = ids.map((id) => shown(id, 'test://text'));
      const stream = await clients[era].listen(watched);
      for (const [i, id] of ids.entries()) {
        servers[id].updateResource('test://text');
        const { params } = await stream.next('notifications/resources/updated');
        assert.equal(params.uri, watched[i]);
      }
      const before = (await toolsOf(clients[era])).length;
      servers.beta.addTool();
      await stream.next('notifications/tools/list_changed');
      assert.equal((await toolsOf(clients[era])).length, before + 1);
    });
  }
});
