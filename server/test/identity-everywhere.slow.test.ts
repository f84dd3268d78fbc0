import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Gateway } from '#domain';
import { keepCorpSource, type SignedIn, saidBy, signIn, tokenFor } from './access-token.ts';
import { openEraClient } from './era-client.ts';
import { type EraServer, startEraServer } from './era-server.ts';
import { startHookServer } from './hook-server.ts';
import { type Json, messageOf, modern, startApp, type TestApp } from './start-app.ts';
import { startTaskServer, type TaskServer } from './task-server.ts';

/** Who signed in stays who they are: wherever something is decided, and whatever is renewed or restarted in between. */

const eras = ['legacy', 'modern'] as const;
const clientId = 'https://client.example/metadata.json';
let app: TestApp;
let hooks: Awaited<ReturnType<typeof startHookServer>>;
const servers = {} as Record<(typeof eras)[number], EraServer>;
let tasks: TaskServer;
let ada: SignedIn;
let bob: SignedIn;

before(async () => {
  for (const era of eras) servers[era] = await startEraServer(era);
  tasks = await startTaskServer('modern');
  hooks = await startHookServer();
  const people = 'auth_type: user_source, user_source_id: corp';
  app = await startApp(`
egress: { allow: [127.0.0.0/8] }
workers:
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
  - { id: tasks, mcp: { uri: "${tasks.uri}" } }
gateways:
  - { slug: people, ${people}, tool_filter: { allowed_tools: ["legacy.*", "modern.*", "tasks.*"] } }
  - { slug: engineers, ${people}, access: granted }
grants:
  - { subject: { group: engineers }, tools: ["*.Echo"], gateway: engineers, effect: allow }
rules:
  - name: not by this client
    direction: input
    tools: ["*.Steps"]
    condition: client == "https://other.example/metadata.json" && user == "ada"
    action: block
`);
  for (const id of ['legacy', 'modern', 'tasks']) await app.app.rooms.sources.refresh('default', id);
  const { identity } = app.app.rooms;
  await keepCorpSource(identity);
  ada = await signIn(identity);
  bob = await signIn(
    identity,
    saidBy({ subject: 'bob', userId: 'bob', email: 'bob@example.com', groups: [] }),
  );
  const conduct = { failure_mode: 'fail_closed', phase: 'before' };
  const endpoints = { pre: { url: `${hooks.url}/pre`, ...conduct } };
  const auth = { type: 'bearer', token: 'hook-token' };
  const plugin = { name: 'Checks', plugin_type: 'webhook', webhook_config: { endpoints, auth } };
  const made = await app.api('POST', '/v1/plugins', plugin);
  assert.equal(made.status, 201, await made.text());
});
after(async () => {
  await app?.close();
  await hooks?.close();
  await tasks?.close();
  for (const era of eras) await servers[era]?.close();
});

const gateway = (slug: string) => app.app.rooms.catalog.view(slug)?.gateway as Gateway;

/** A token that was never seen before. */
const tokenOf = (who: SignedIn, slug = 'people', more: object = {}) =>
  tokenFor(app.app.rooms.identity, who, gateway(slug), { issuer: app.url, ...more });

async function ask(
  who: SignedIn,
  message: object,
  headers: Record<string, string> = {},
  slug = 'people',
  more: object = {},
) {
  const response = await fetch(`${app.url}/mcp/${slug}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await tokenOf(who, slug, more)}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  });
  return response;
}

async function askNow(
  who: SignedIn,
  method: string,
  params: Json,
  more: { slug?: string; options?: object } = {},
) {
  const { message, headers } = modern(method, params);
  const capabilities = { elicitation: { form: {} }, extensions: { 'io.modelcontextprotocol/tasks': {} } };
  const asked = message as Json;
  asked.params._meta['io.modelcontextprotocol/clientCapabilities'] = capabilities;
  return messageOf(await ask(who, message, headers, more.slug, more.options));
}

describe('what decides over a call knows', () => {
  test('the client that the user let in: rules', async () => {
    for (const era of eras) {
      const name = `${era === 'legacy' ? 'Legacy' : 'Modern'}_Steps`;
      const steps = { name: await nameOf(`${era}.Steps`), arguments: {} };
      const blocked = await askNow(ada, 'tools/call', steps, {
        options: { clientId: 'https://other.example/metadata.json' },
      });
      assert.equal(blocked.result?.isError, true, name);
      assert.equal(blocked.result._meta['sallyport/refusal'].code, 'policy.input_blocked');
      const passed = await askNow(ada, 'tools/call', steps);
      assert.notEqual(passed.result?.isError, true, JSON.stringify(passed));
    }
    const [blocked] = await app.records('&code=policy.input_blocked');
    assert.equal(blocked.client_id, 'https://other.example/metadata.json');
  });

  test('the groups of the sign-in: grants', async () => {
    const echo = await nameOf('modern.Echo', 'engineers');
    const names = async (who: SignedIn) =>
      (await askNow(who, 'tools/list', {}, { slug: 'engineers' })).result.tools.map(({ name }: Json) => name);
    assert.ok((await names(ada)).includes(echo));
    assert.deepEqual(await names(bob), []);
  });

  test('user, groups, claims and client: hooks, within their contract', async () => {
    await askNow(ada, 'tools/call', { name: await nameOf('modern.Echo'), arguments: {} });
    assert.deepEqual(hooks.asked.at(-1)?.body.context, {
      user_id: 'ada',
      authorization: [],
      secrets: [],
      metadata: {
        groups: ['engineers'],
        claims: { department: 'engines', login: 'ada' },
        client_id: clientId,
      },
    });
    assert.deepEqual(hooks.problems, []);
  });
});

describe('who signed in keeps what is theirs, with a renewed token, after another sign-in and after a restart', () => {
  /** As the same person with something renewed, one way after the other. */
  async function* renewed(): AsyncGenerator<[string, SignedIn]> {
    yield ['a renewed token', ada];
    yield ['another sign-in', await signIn(app.app.rooms.identity)];
    await app.restart();
    for (const id of ['legacy', 'modern', 'tasks']) await app.app.rooms.sources.refresh('default', id);
    yield ['a restart', ada];
  }

  test('a session', async () => {
    const initialize = {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
    };
    const begun = await ask(ada, initialize);
    assert.equal(begun.status, 200);
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') as string };
    for await (const [how, who] of renewed()) {
      assert.equal((await ask(who, { method: 'tools/list' }, session)).status, 200, how);
      assert.equal((await ask(bob, { method: 'tools/list' }, session)).status, 404, `not of another, ${how}`);
    }
    await app.app.rooms.identity.signIns.endAllOf(ada.person.id);
    assert.equal((await ask(ada, { method: 'tools/list' }, session)).status, 401);
    ada = await signIn(app.app.rooms.identity);
    assert.equal((await ask(ada, { method: 'tools/list' }, session)).status, 200);
  });

  test('the state of a request', async () => {
    const call = { name: await nameOf('modern.AskForm'), arguments: {} };
    const asked = await askNow(ada, 'tools/call', call);
    assert.equal(asked.result.resultType, 'input_required', JSON.stringify(asked));
    const { requestState, inputRequests } = asked.result;
    const [key] = Object.keys(inputRequests);
    const inputResponses = { [key as string]: { action: 'accept', content: { name: 'Bo' } } };
    for await (const [how, who] of renewed()) {
      const stolen = await askNow(bob, 'tools/call', { ...call, requestState, inputResponses });
      assert.equal(stolen.error?.data.name, 'request.state_invalid', how);
      const done = await askNow(who, 'tools/call', { ...call, requestState, inputResponses });
      assert.match(JSON.stringify(done.result), /Bo/, `${how}: ${JSON.stringify(done)}`);
    }
  });

  test('a task', async () => {
    const begun = await askNow(ada, 'tools/call', { name: await nameOf('tasks.Slow'), arguments: {} });
    assert.equal(begun.result?.resultType, 'task', JSON.stringify(begun));
    const { taskId } = begun.result;
    for await (const [how, who] of renewed()) {
      const got = await askNow(who, 'tasks/get', { taskId });
      assert.equal(got.result?.taskId, taskId, `${how}: ${JSON.stringify(got)}`);
      assert.equal((await askNow(bob, 'tasks/get', { taskId })).error?.data.name, 'task.unknown');
    }
  });
});

describe('an open stream', () => {
  for (const era of eras) {
    test(`hears nothing more once the sign-in is ended, and goes on for others (${era})`, async () => {
      const { identity } = app.app.rooms;
      const [leaving, staying] = [await signIn(identity), await signIn(identity)];
      const open = async (who: SignedIn) => {
        const authorization = `Bearer ${await tokenOf(who)}`;
        const client = await openEraClient(era, `${app.url}/mcp/people`, { authorization });
        return { client, stream: await client.listen() };
      };
      const [left, stayed] = [await open(leaving), await open(staying)];
      await identity.signIns.end(leaving.signIn.id);
      const change = 'notifications/tools/list_changed';
      const heard = stayed.stream.next(change);
      const ended = assert.rejects(left.stream.next(change), /the stream ended before/);
      servers.modern.addTool();
      await heard;
      await ended;
      for (const { client } of [left, stayed]) await client.close();
    });
  }
});

/** The name under which a gateway shows a tool. */
async function nameOf(tool: string, slug = 'people'): Promise<string> {
  const [source, own] = tool.split('.') as [string, string];
  const view = app.app.rooms.catalog.view(slug);
  const shown = view?.tools.find(({ tool: { sourceId, name } }) => sourceId === source && name === own);
  assert.ok(shown !== undefined, tool);
  return shown.wireName;
}
