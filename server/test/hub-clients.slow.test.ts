import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { startEraServer } from './era-server.ts';
import { type Json, startApp, startReferenceServer, type TestApp, type TestWorker } from './start-app.ts';

/** The official clients, unchanged: they hold what comes back to the schemas that the six promise. */

const secret = 'a-secret-of-at-least-32-characters-00';
let worker: TestWorker;
let server: Awaited<ReturnType<typeof startEraServer>>;
let app: TestApp;

before(async () => {
  worker = await startReferenceServer(secret);
  server = await startEraServer('modern');
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: { value: ${secret} } } }
  - { id: docs, mcp: { uri: "${server.uri}" } }
gateways: [{ name: Hub, slug: hub, presentation: hub }]
`);
  for (const id of ['reference', 'docs']) await app.app.rooms.sources.refresh('default', id);
});
after(async () => {
  await app?.close();
  await server?.close();
  await worker?.stop();
});

interface AnyClient {
  listTools(): Promise<Json>;
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<Json>;
  close(): Promise<void>;
}

const info = { name: 'test', version: '1' };
const address = () => new URL(`${app.url}/mcp/hub`);
const requestInit = () => ({
  headers: { authorization: `Bearer ${app.key}`, 'arcade-user-id': 'alice' },
});

const clients: Readonly<Record<string, () => Promise<AnyClient>>> = {
  async 'SDK v1'() {
    const client = new ClientV1(info);
    await client.connect(new TransportV1(address(), { requestInit: requestInit() }) as never);
    return client as unknown as AnyClient;
  },
  async 'SDK v2, with a handshake'() {
    const client = new Client(info, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new StreamableHTTPClientTransport(address(), { requestInit: requestInit() }));
    return client as unknown as AnyClient;
  },
  async 'SDK v2, without one'() {
    const client = new Client(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    await client.connect(new StreamableHTTPClientTransport(address(), { requestInit: requestInit() }));
    return client as unknown as AnyClient;
  },
};

for (const [name, connect] of Object.entries(clients)) {
  describe(`${name} on a gateway that presents the hub`, () => {
    let client: AnyClient;
    before(async () => {
      client = await connect();
    });
    after(() => client?.close());
    const call = async (tool: string, args: Record<string, unknown>) =>
      await client.callTool({ name: tool, arguments: args });

    it('takes the list, and every answer for what its schema promises', async () => {
      const { tools } = await client.listTools();
      assert.equal(tools.length, 6);
      assert.ok(tools.every(({ outputSchema }: Json) => outputSchema.type === 'object'));
      const found = await call('search_tools', { query: 'add two numbers' });
      assert.equal(found.structuredContent.tools[0].tool, 'worker://ArcadeEvalRef.Add');
      await call('search_tools', { query: 'zzzz', namespace: 'mcp://nowhere' });
      await call('get_tool_details', { tools: ['ArcadeEvalRef.Add', 'mcp://docs.Echo', 'no.such'] });
      await call('list_namespaces', { prefix: 'w' });
      const ran = await call('execute_tool', { tool: 'ArcadeEvalRef.Add', input: { a: 1, b: 2 } });
      assert.equal(ran.structuredContent.output, 3);
    });

    it('takes executions in every state, and refusals', async () => {
      const failed = await call('execute_tool', { tool: 'mcp://docs.Fail' });
      assert.equal(failed.isError, true);
      const begun = await call('execute_tool', { tool: 'mcp://docs.AskForm', mode: 'interactive' });
      assert.equal(begun.structuredContent.status, 'waiting');
      const { execution_id, questions } = begun.structuredContent;
      const [key = ''] = Object.keys(questions);
      const response = { [key]: { action: 'accept', content: { name: 'Bo' } } };
      const ended = await call('resume_execution', { execution_id, response });
      assert.equal(ended.structuredContent.status, 'succeeded');
      const other = await call('execute_tool', { tool: 'mcp://docs.AskForm', mode: 'interactive' });
      const cancelled = await call('cancel_execution', {
        execution_id: other.structuredContent.execution_id,
      });
      assert.equal(cancelled.structuredContent.status, 'cancelled');
      const wrong = await call('execute_tool', { tool: 'ArcadeEvalRef.Add', input: {} });
      assert.equal(wrong.isError, true);
    });
  });
}
