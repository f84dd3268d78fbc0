import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { consentAt } from '../../../../test/oauth-providers/index.ts';
import { type Json, messageOf, modern } from '../../../../test/start-app.ts';
import { type MailWorld, startMailWorld } from '../../rest/fixtures/mail-world.ts';
import { adminKey } from '../../rest/fixtures/rest-server.ts';

/** A tool that acts as the user elsewhere, run through the hub before they consented; the official clients are unchanged. */

let world: MailWorld;
let count = 0;
before(async () => {
  world = await startMailWorld();
  const body = { name: 'Hub', slug: 'hub', presentation: 'hub' };
  assert.equal((await world.server.ask('POST', '/v1/gateways', { body })).status, 201);
});
after(() => world?.close());

const address = () => new URL(`${world.server.url}/mcp/hub`);
const headersOf = (user: string) => ({ authorization: `Bearer ${adminKey}`, 'arcade-user-id': user });
const whoami = { name: 'execute_tool', arguments: { tool: 'worker://Mail.Whoami' } };

/** What a client does with an address that its user is to open. */
type Answer = (url: string) => Promise<'accept' | 'decline'>;

interface Connected {
  call(params: { name: string; arguments: Record<string, unknown> }): Promise<Json>;
  /** Addresses that its user was asked to open. */
  readonly asked: string[];
  close(): Promise<void>;
}

interface AnyClient {
  callTool(params: object): Promise<Json>;
  close(): Promise<void>;
}

const elicits = { capabilities: { elicitation: { url: {} } } };
const info = { name: 'test', version: '1' };

async function v2(user: string, mode: 'legacy' | { pin: string }, answer: Answer | null): Promise<Connected> {
  const capabilities = answer === null ? {} : elicits;
  const client = new Client(info, { versionNegotiation: { mode: mode as 'legacy' }, ...capabilities });
  const asked: string[] = [];
  if (answer !== null)
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      const { url } = params as { url: string };
      asked.push(url);
      return { action: await answer(url) };
    });
  const requestInit = { headers: headersOf(user) };
  await client.connect(new StreamableHTTPClientTransport(address(), { requestInit }));
  return connected(client as unknown as AnyClient, asked);
}

async function v1(user: string, answer: Answer | null): Promise<Connected> {
  const client = new ClientV1(info, answer === null ? {} : elicits);
  const asked: string[] = [];
  if (answer !== null)
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      const { url } = params as { url: string };
      asked.push(url);
      return { action: await answer(url) };
    });
  const transport = new TransportV1(address(), { requestInit: { headers: headersOf(user) } });
  await client.connect(transport as never);
  return connected(client as unknown as AnyClient, asked);
}

const connected = (client: AnyClient, asked: string[]): Connected => ({
  asked,
  call: (params) => client.callTool(params),
  close: () => client.close(),
});

const clients: Readonly<Record<string, (user: string, answer: Answer | null) => Promise<Connected>>> = {
  'SDK v2, without a handshake': (user, answer) => v2(user, { pin: '2026-07-28' }, answer),
  'SDK v2, with one': (user, answer) => v2(user, 'legacy', answer),
  'SDK v1': v1,
};

for (const [name, connect] of Object.entries(clients)) {
  describe(`an execution that needs a consent, for ${name}`, () => {
    async function executed(answer: Answer | null, user = `user-${++count}`) {
      const client = await connect(user, answer);
      try {
        const { structuredContent: told, isError } = await client.call(whoami);
        return { told, isError, asked: client.asked };
      } finally {
        await client.close();
      }
    }

    it('sends the user there, and goes on in the same call once they consented', async () => {
      const { told, asked } = await executed(async (url) => {
        await consentAt(url, { as: 'ann', allow: true });
        return 'accept';
      });
      assert.deepEqual([told.status, told.output, asked.length], ['succeeded', 'ann', 1]);
    });

    it('waits for a consent that is still under way when the client comes back', async () => {
      let consenting: Promise<unknown> | null = null;
      const { told, asked } = await executed(async (url) => {
        consenting = consentAt(url, { as: 'bea', allow: true });
        return 'accept';
      });
      await consenting;
      assert.deepEqual([told.status, told.output, asked.length], ['succeeded', 'bea', 1]);
    });

    it('is over where the user does not want to, here or over there; nobody is asked again', async () => {
      const here = await executed(async () => 'decline');
      assert.deepEqual([here.told.status, here.asked.length], ['cancelled', 1]);
      assert.match(here.told.advice, /did not want/);
      const there = await executed(async (url) => {
        await consentAt(url, { as: 'ann', allow: false });
        return 'accept';
      });
      assert.deepEqual(
        [there.told.status, there.told.error.name, there.isError, there.asked.length],
        ['failed', 'credentials.authorization_failed', true, 1],
      );
    });

    it('is told of with the address where the client opens no links, and resumed by the model', async () => {
      const client = await connect(`user-${++count}`, null);
      const { structuredContent: waiting, isError } = await client.call(whoami);
      assert.deepEqual([waiting.status, waiting.waiting_for, isError], ['waiting', 'consent', false]);
      const { execution_id, authorization_url } = waiting;
      await consentAt(authorization_url, { as: 'cleo', allow: true });
      const resume = { name: 'resume_execution', arguments: { execution_id, wait_ms: 10_000 } };
      const { structuredContent: ended } = await client.call(resume);
      assert.deepEqual([ended.status, ended.output], ['succeeded', 'cleo']);
      await client.close();
    });
  });
}

it('a client of 2025-11-25 hears that it may stop waiting for the user', async () => {
  const client = new ClientV1(info, elicits);
  const done = new Promise((resolve) => {
    client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) =>
      resolve(params.elicitationId),
    );
  });
  let id: unknown;
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    const { url, elicitationId } = params as Json;
    id = elicitationId;
    await consentAt(url, { as: 'ann', allow: true });
    return { action: 'accept' };
  });
  const requestInit = { headers: headersOf(`user-${++count}`) };
  await client.connect(new TransportV1(address(), { requestInit }) as never);
  await client.callTool(whoami);
  assert.equal(await done, id);
  await client.close();
});

it('a client that does forms only is told the address', async () => {
  const client = new ClientV1(info, { capabilities: { elicitation: { form: {} } } });
  const requestInit = { headers: headersOf(`user-${++count}`) };
  await client.connect(new TransportV1(address(), { requestInit }) as never);
  const { structuredContent } = (await client.callTool(whoami)) as Json;
  assert.deepEqual(
    [structuredContent.status, typeof structuredContent.authorization_url],
    ['waiting', 'string'],
  );
  await client.close();
});

describe('a task that needs a consent', () => {
  async function ask(user: string, method: string, params: Json, elicitation: object | null): Promise<Json> {
    const { message, headers } = modern(method, params);
    (message.params._meta as Json)['io.modelcontextprotocol/clientCapabilities'] = {
      extensions: { 'io.modelcontextprotocol/tasks': {} },
      ...(elicitation === null ? {} : { elicitation }),
    };
    const response = await fetch(address(), {
      method: 'POST',
      headers: {
        ...headers,
        ...headersOf(user),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
    const { result, error } = await messageOf(response);
    assert.equal(error, undefined, JSON.stringify(error));
    return result;
  }

  async function begin(elicitation: object | null) {
    const user = `user-${++count}`;
    const asynchronous = { ...whoami, arguments: { ...whoami.arguments, mode: 'async' } };
    const { taskId } = await ask(user, 'tools/call', asynchronous, elicitation);
    const look = async (until: (task: Json) => boolean): Promise<Json> => {
      for (;;) {
        const task = await ask(user, 'tasks/get', { taskId }, elicitation);
        if (until(task)) return task;
      }
    };
    const update = (inputResponses: Json) =>
      ask(user, 'tasks/update', { taskId, inputResponses }, elicitation);
    return { look, update };
  }

  const isAsking = ({ status }: Json) => status === 'input_required';
  const isOver = ({ status }: Json) => status === 'completed' || status === 'cancelled';

  it('asks who opens links, and goes on by itself once they consented', async () => {
    const { look, update } = await begin({ url: {} });
    const [[key, { params }]] = Object.entries((await look(isAsking)).inputRequests) as [[string, Json]];
    assert.equal(params.mode, 'url');
    await update({ [key]: { action: 'accept' } });
    assert.equal(isAsking(await look(() => true)), true);
    await consentAt(params.url, { as: 'dora', allow: true });
    const { status, result } = await look(isOver);
    assert.deepEqual([status, result.structuredContent.output], ['completed', 'dora']);
  });

  it('is over where the user does not want to', async () => {
    const { look, update } = await begin({ url: {} });
    const [key = ''] = Object.keys((await look(isAsking)).inputRequests);
    await update({ [key]: { action: 'decline' } });
    assert.equal((await look(isOver)).status, 'cancelled');
  });

  it('says where to consent to whoever cannot be asked', async () => {
    const { look } = await begin(null);
    const { status, statusMessage } = await look(({ statusMessage }) => statusMessage !== undefined);
    assert.equal(status, 'working');
    const [url = ''] = /http:\/\/\S+\/connect\/[\w-]+/.exec(statusMessage) ?? [];
    await consentAt(url, { as: 'emma', allow: true });
    assert.equal((await look(isOver)).result.structuredContent.output, 'emma');
  });
});
