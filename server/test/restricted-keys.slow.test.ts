import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type BothEras, eras, startBothEras } from './both-eras.ts';
import type { Era } from './era-server.ts';
import { type Json, messageOf, modern, type TestApp } from './start-app.ts';

/** What a restricted key can do over MCP, in both generations. For the REST API see wire/rest/who-may-call.test.ts. */

let both: BothEras;
let app: TestApp;

before(async () => {
  both = await startBothEras();
  app = both.app;
});
after(() => both?.close());

async function newKey(restrictions: object): Promise<string> {
  const made = await app.api('POST', '/v1/api_keys', {
    name: 'restricted',
    scopes: ['call', 'read'],
    ...restrictions,
  });
  assert.equal(made.status, 201);
  return ((await made.json()) as Json).key;
}

interface Client {
  ask(method: string, params?: Json): Promise<Json>;
}

/** A client of the era, before the server of the same era. */
async function connect(era: Era, key: string, user = 'alice', slug: string = era): Promise<Client> {
  const who = { authorization: `Bearer ${key}`, 'arcade-user-id': user };
  if (era === 'modern') {
    return {
      async ask(method, params = {}) {
        const { message, headers } = modern(method, params);
        return messageOf(await app.rpc(slug, message, { ...headers, ...who }));
      },
    };
  }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const opened = await app.rpc(slug, { id: 0, method: 'initialize', params }, who);
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await opened.text();
  return {
    ask: async (method, given = {}) =>
      messageOf(await app.rpc(slug, { id: 1, method, params: given }, { ...who, ...session })),
  };
}

const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'] as const;
const entriesOf = ({ result }: Json): string[] =>
  [
    ...(result.tools ?? []),
    ...(result.prompts ?? []),
    ...(result.resources ?? []),
    ...(result.resourceTemplates ?? []),
  ].map(({ name }: Json) => name);

/** Every way to use something by its name: with one that is there, and one that is not. */
const argument = { name: 'who', value: 'A' };
const uses: readonly [method: string, params: (name: string) => Json, there: string, notThere: string][] = [
  ['tools/call', (name) => ({ name, arguments: {} }), 'Steps', 'Stepz'],
  ['prompts/get', (name) => ({ name, arguments: { who: 'Ann' } }), 'Greet', 'Greez'],
  ['resources/read', (uri) => ({ uri }), 'test://text', 'test://texz'],
  ['completion/complete', (name) => ({ ref: { type: 'ref/prompt', name }, argument }), 'Greet', 'Greez'],
  [
    'completion/complete',
    (uri) => ({ ref: { type: 'ref/resource', uri }, argument: { name: 'id', value: '' } }),
    'test://item/{id}',
    'test://itez/{id}',
  ],
];
const legacyUses: typeof uses = [
  ['resources/subscribe', (uri) => ({ uri }), 'test://text', 'test://texz'],
  ['tasks/get', (taskId) => ({ taskId }), 'abc', 'abz'],
];
const usesOf = (era: Era) => (era === 'legacy' ? [...uses, ...legacyUses] : uses);

for (const era of eras) {
  describe(`over ${era} MCP, a key restricted`, () => {
    const heard = () => both.servers[era].heard.filter(({ message }) => message.id !== undefined).length;

    test('to one tool lists that tool and nothing else, and can use nothing else: it is not there', async () => {
      const client = await connect(era, await newKey({ tools: [`${era}.Echo`] }));
      const seen: string[] = [];
      for (const list of lists) seen.push(...entriesOf(await client.ask(list)));
      assert.deepEqual(seen, ['Echo']);
      assert.equal((await client.ask('tools/call', { name: 'Echo', arguments: {} })).error, undefined);
      const before = heard();
      for (const [method, paramsFor, there, notThere] of usesOf(era)) {
        const refused = (await client.ask(method, paramsFor(there))).error;
        const unknown = (await client.ask(method, paramsFor(notThere))).error;
        assert.ok(refused, `${method} ${there}`);
        assert.equal(JSON.stringify(refused).replaceAll(there, notThere), JSON.stringify(unknown));
      }
      assert.equal(heard(), before, 'its server was asked nothing');
    });

    test('to a prompt lists that prompt and no tool', async () => {
      const client = await connect(era, await newKey({ tools: [`${era}.Greet`] }));
      const seen: string[] = [];
      for (const list of lists) seen.push(...entriesOf(await client.ask(list)));
      assert.deepEqual(seen, ['Greet']);
      const { result } = await client.ask('prompts/get', { name: 'Greet', arguments: { who: 'Ann' } });
      assert.match(JSON.stringify(result), /Ann/);
      assert.ok((await client.ask('tools/call', { name: 'Echo', arguments: {} })).error);
    });

    test('to reading lists everything and uses nothing, and is told the same of what is not there', async () => {
      const client = await connect(era, await newKey({ scopes: ['read'] }));
      for (const list of lists) assert.ok(entriesOf(await client.ask(list)).length > 0, list);
      const before = heard();
      for (const [method, paramsFor, ...names] of usesOf(era).filter(([name]) => name !== 'tasks/get')) {
        for (const name of names) {
          const { error } = await client.ask(method, paramsFor(name));
          assert.equal(error?.data.name, 'identity.scope_missing', `${method} ${name}`);
        }
      }
      assert.equal(heard(), before, 'its server was asked nothing');
    });
  });
}

test('a listener hears only of what its key may have', async () => {
  const key = await newKey({ tools: ['modern.Echo'] });
  const { message, headers } = modern('subscriptions/listen', {
    notifications: { toolsListChanged: true, resourceSubscriptions: ['test://text'] },
  });
  const response = await app.rpc('modern', message, { ...headers, authorization: `Bearer ${key}` });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  const data = Buffer.from(value ?? []).toString();
  await reader.cancel();
  const { params } = JSON.parse(
    data
      .split('\n')
      .find((line) => line.startsWith('data: '))
      ?.slice(6) ?? '',
  );
  assert.deepEqual(params.notifications, { toolsListChanged: true, resourceSubscriptions: [] });
});

/** The status and body of every HTTP method at a gateway. */
async function tryDoor(key: string, slug: string, user = 'alice'): Promise<(string | number)[]> {
  const headers = {
    authorization: `Bearer ${key}`,
    'arcade-user-id': user,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  };
  const init = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  const { message, headers: own } = modern('tools/list');
  const answers: (string | number)[] = [];
  for (const request of [
    { method: 'POST', headers, body: JSON.stringify(init) },
    { method: 'POST', headers: { ...headers, ...own }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) },
    { method: 'GET', headers },
    { method: 'GET', headers: { ...headers, 'mcp-session-id': 'x' } },
    { method: 'DELETE', headers: { ...headers, 'mcp-session-id': 'x' } },
  ]) {
    const response = await fetch(`${app.url}/mcp/${slug}`, request);
    answers.push(response.status, (await response.text()).replaceAll(slug, '…'));
  }
  return answers;
}

const codesIn = (answers: readonly (string | number)[]) =>
  answers.filter((answer) => typeof answer === 'string').map((text) => JSON.parse(text).error.data.name);

describe('at the door, a key restricted', () => {
  test('to a gateway finds no other one', async () => {
    const key = await newKey({ gateways: ['modern'] });
    assert.deepEqual(await tryDoor(key, 'legacy'), await tryDoor(key, 'nowhere'));
    assert.ok((await (await connect('modern', key)).ask('tools/list')).result);
  });

  test('to users acts for nobody else', async () => {
    const key = await newKey({ users: ['alice', 'bot-*'] });
    for (const slug of ['legacy', 'nowhere']) {
      assert.deepEqual(new Set(codesIn(await tryDoor(key, slug, 'bob'))), new Set(['identity.user_refused']));
    }
    for (const user of ['alice', 'bot-7']) {
      assert.ok((await (await connect('modern', key, user)).ask('tools/list')).result);
    }
  });

  test('to approving comes into no gateway', async () => {
    const key = await newKey({ scopes: ['approve'] });
    for (const slug of ['legacy', 'nowhere']) {
      assert.deepEqual(new Set(codesIn(await tryDoor(key, slug))), new Set(['identity.scope_missing']));
    }
  });

  test('to a time that is over comes in nowhere, and the API is closed, too', async () => {
    const { plaintext } = await app.app.rooms.identity.createKey({
      projectId: 'default',
      name: 'expired',
      scopes: ['admin'],
      users: null,
      gateways: null,
      tools: null,
      serviceAccountId: null,
      expiresAt: '2020-01-01T00:00:00Z',
    });
    for (const slug of ['legacy', 'nowhere']) {
      assert.deepEqual(new Set(codesIn(await tryDoor(plaintext, slug))), new Set(['identity.expired']));
    }
    const { paths } = (await (await fetch(`${app.url}/v1/swagger`)).json()) as Json;
    const open = ['/v1/health', '/v1/config', '/v1/swagger'];
    for (const [path, operations] of Object.entries(paths as object)) {
      for (const method of open.includes(path) ? [] : Object.keys(operations)) {
        const response = await fetch(app.url + path.replace(/\{\w+\}/g, 'x'), {
          method: method.toUpperCase(),
          headers: { authorization: plaintext },
        });
        assert.equal(((await response.json()) as Json).name, 'identity.expired', `${method} ${path}`);
      }
    }
  });

  test('in several ways is restricted in all of them', async () => {
    const key = await newKey({
      users: ['alice'],
      gateways: ['modern'],
      tools: ['modern.Echo'],
      scopes: ['call'],
    });
    const client = await connect('modern', key);
    assert.deepEqual(entriesOf(await client.ask('tools/list')), ['Echo']);
    assert.ok((await client.ask('tools/call', { name: 'Steps', arguments: {} })).error);
    assert.deepEqual(await tryDoor(key, 'legacy'), await tryDoor(key, 'nowhere'));
    assert.deepEqual(
      new Set(codesIn(await tryDoor(key, 'modern', 'bob'))),
      new Set(['identity.user_refused']),
    );
    const execute = await fetch(`${app.url}/v1/tools/execute`, {
      method: 'POST',
      headers: { authorization: key, 'content-type': 'application/json' },
      body: JSON.stringify({ tool_name: 'modern.Echo', input: {}, user_id: 'alice' }),
    });
    assert.equal(((await execute.json()) as Json).name, 'identity.scope_missing');
  });
});
