import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Era } from './era-server.ts';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';
import { startTaskServer, type TaskServer } from './task-server.ts';

const eras = ['legacy', 'modern'] as const;
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
const ui = { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } } };
const notes = {
  legacy: { experimental: { 'vendor/notes': {} } },
  modern: { extensions: { 'vendor.example/notes': {} } },
};

describe('extensions that the gateway does not know', () => {
  const servers = {} as Record<Era, TaskServer>;
  let app: TestApp;

  before(async () => {
    for (const era of eras) servers[era] = await startTaskServer(era);
    app = await startApp(`
workers:
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
  - { id: second, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: Legacy, slug: legacy, tool_filter: { allowed_tools: [legacy.*] } }
  - { name: Modern, slug: modern, tool_filter: { allowed_tools: [modern.*] } }
  - { name: Two, slug: two, tool_filter: { allowed_tools: [modern.*, second.*] } }
  - { name: Tool, slug: tool, tool_filter: { allowed_tools: [modern.Slow] } }
  - { name: App, slug: app, tool_filter: { allowed_tools: [modern.App] } }
`);
    for (const id of [...eras, 'second']) {
      const status = await app.app.rooms.sources.refresh('default', id);
      assert.equal(status.state, 'healthy', status.message);
    }
  });
  after(async () => {
    await app.close();
    for (const era of eras) await servers[era].close();
  });

  async function ask(method: string, params: Json, capabilities: Json, slug: string, key = app.key) {
    const asked = modern(method, params);
    (asked.message.params._meta as Json)[capabilitiesKey] = capabilities;
    const named: Record<string, string> = params.uri === undefined ? {} : { 'mcp-name': params.uri };
    const headers = { ...asked.headers, ...named, authorization: `Bearer ${key}` };
    const response = await app.rpc(slug, asked.message, headers);
    return { status: response.status, ...(await messageOf(response)) };
  }

  const find = (capabilities: Json, slug: string, key?: string) =>
    ask('notes/find', { word: 'fox', 'x-vendor': [1] }, capabilities, slug, key);

  test('a method reaches the one server that declares the extension which its client declares', async () => {
    const { result, error } = await find(notes.modern, 'modern');
    assert.equal(error, undefined, JSON.stringify(error));
    assert.deepEqual([result.resultType, result.notes], ['complete', ['fox']]);
    const heard = servers.modern.requests.at(-1);
    assert.deepEqual([heard?.message.params.word, heard?.message.params['x-vendor']], ['fox', [1]]);
    assert.deepEqual(heard?.message.params._meta[capabilitiesKey], notes.modern);
    assert.equal(heard?.headers['mcp-method'], 'notes/find');
    const [record] = await app.records('&kind=extension');
    assert.deepEqual([record?.decision, record?.tool], ['allowed', 'modern.notes/find']);
  });

  test('clients and servers of before 2026-07-28 have them too', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: notes.legacy,
      clientInfo: { name: 'test', version: '1' },
    };
    const welcome = await app.rpc('legacy', { id: 1, method: 'initialize', params });
    const session = welcome.headers.get('mcp-session-id') as string;
    assert.deepEqual((await messageOf(welcome)).result.capabilities.experimental, notes.legacy.experimental);
    const asked = { id: 2, method: 'notes/find', params: { word: 'fox' } };
    const { result } = await messageOf(await app.rpc('legacy', asked, { 'mcp-session-id': session }));
    assert.deepEqual(result, { notes: ['fox'] });
  });

  test('a method is unknown where it is nobody’s: undeclared, of two servers, or of a server that is shown in part', async () => {
    const restricted = { name: 'restricted', scopes: ['call'], tools: ['modern.Slow'] };
    const { key } = (await (await app.api('POST', '/v1/api_keys', restricted)).json()) as { key: string };
    const answers = [
      await find({}, 'modern'),
      await find(ui, 'modern'),
      await find(notes.modern, 'two'),
      await find(notes.modern, 'tool'),
      await find(notes.modern, 'modern', key),
      await ask('tools/notes', {}, notes.modern, 'modern'),
      await ask('Tools/call', {}, notes.modern, 'modern'),
      await ask('notes/lose', {}, notes.modern, 'modern'),
    ];
    for (const { status, error } of answers) assert.deepEqual([status, error?.code], [404, -32601]);
    const lost = servers.modern.requests.filter(({ message }) => message.method === 'notes/lose');
    assert.equal(lost.length, 1, 'only the last one was for the server to refuse');
  });

  test('an app is shown with its tool: the tool names its page, and the page can be read', async () => {
    const listed = await ask('tools/list', {}, ui, 'app');
    assert.deepEqual(
      listed.result.tools.map(({ name, _meta }: Json) => [name, _meta.ui.resourceUri]),
      [['modern_App', 'ui://app/main']],
    );
    const declared = await ask('server/discover', {}, ui, 'app');
    assert.deepEqual(declared.result.capabilities.extensions['io.modelcontextprotocol/ui'], {});
    const uri: string = listed.result.tools[0]._meta.ui.resourceUri;
    const { result, error } = await ask('resources/read', { uri }, ui, 'app');
    assert.equal(error, undefined, JSON.stringify(error));
    const [page] = result.contents;
    assert.deepEqual([page.uri, page.mimeType, page.text], [uri, 'text/html;profile=mcp-app', '<p>app</p>']);
    const elsewhere = await ask('resources/read', { uri }, ui, 'tool');
    assert.equal(elsewhere.error?.code, -32602);
  });
});
