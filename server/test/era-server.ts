import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  ProtocolError,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';

export type Era = 'legacy' | 'modern';

export interface EraServer {
  readonly uri: string;
  /** `calling` with the `_meta` of a call, `cancelled` when the tool Wait was told to stop. */
  readonly events: EventEmitter;
  /** What the tool Raw answers, as JSON text: the SDK would not pass it on untouched. */
  raw: string;
  addTool(): void;
  close(): Promise<void>;
}

const object = {
  type: 'object' as const,
  properties: { zulu: { type: 'string' }, alfa: { type: 'string' } },
};
const marked = {
  type: 'object' as const,
  properties: { text: { type: 'string', 'x-mcp-header': 'Text' } },
};
const described = {
  title: 'An echo',
  description: 'Says it again',
  inputSchema: object,
  outputSchema: { type: 'object' as const, properties: { said: { type: 'string' } } },
  annotations: { readOnlyHint: true, title: 'Echo' },
  icons: [{ src: 'https://example.com/echo.png', sizes: ['48x48'] }],
  _meta: { 'vendor/kept': { deep: [1] } },
};

/** A server of one era, on the official SDK. */
export async function startEraServer(era: Era): Promise<EraServer> {
  const events = new EventEmitter();
  const tools = [
    { name: 'Echo', ...described },
    ...['Steps', 'Wait', 'Fail', 'Raw'].map((name) => ({ name, inputSchema: object })),
    ...(era === 'modern'
      ? [
          {
            name: 'Listed',
            inputSchema: object,
            outputSchema: { type: 'array', items: { type: 'integer' } },
          },
          { name: 'Marked', inputSchema: marked },
        ]
      : []),
  ];
  const state = { raw: '{}' };

  function makeServer(): Server {
    const server = new Server(
      { name: 'upstream', version: '9' },
      { capabilities: { tools: { listChanged: true } } },
    );
    server.setRequestHandler('tools/list', async () => ({ tools }) as never);
    server.setRequestHandler('tools/call', async ({ params }, ctx) => {
      const { name, _meta } = params;
      events.emit('calling', _meta);
      if (name === 'Fail') throw new ProtocolError(4242, 'the disk is full', { free: 0 });
      if (name === 'Listed') return { content: [], structuredContent: [1, 2] } as never;
      if (name === 'Steps') {
        for (const progress of [1, 2]) {
          const progressToken = _meta?.progressToken as number;
          await ctx.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: 2, message: `step ${progress}` },
          });
        }
      }
      if (name === 'Wait') {
        const { signal } = ctx.mcpReq;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        events.emit('cancelled');
      }
      return {
        content: [{ type: 'text', text: name }],
        structuredContent: { said: name },
        _meta: { 'vendor/kept': 1 },
      };
    });
    return server;
  }

  const modern = createMcpHandler(makeServer, { legacy: 'reject' });
  const sessions = new Map<string, { server: Server; transport: WebStandardStreamableHTTPServerTransport }>();
  async function serveSession(request: Request): Promise<Response> {
    const known = sessions.get(request.headers.get('mcp-session-id') ?? '');
    if (known !== undefined) return known.transport.handleRequest(request);
    const server = makeServer();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
    });
    await server.connect(transport);
    return transport.handleRequest(request);
  }
  const serve = toNodeHandler({
    fetch: era === 'modern' ? (request) => modern.fetch(request) : serveSession,
  });

  const http = createServer(async (request, response) => {
    const body = await text(request);
    const message = body === '' ? {} : JSON.parse(body);
    if (message.method === 'tools/call' && message.params.name === 'Raw') {
      response.setHeader('content-type', 'application/json');
      response.end(`{"jsonrpc":"2.0","id":${message.id},"result":${state.raw}}`);
    } else void serve(request as IncomingMessage as Parameters<typeof serve>[0], response, message);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    uri: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    events,
    addTool() {
      tools.push({ name: `Added${tools.length}`, inputSchema: object });
      modern.notify.toolsChanged();
      for (const { server } of sessions.values()) void server.sendToolListChanged();
    },
    async close() {
      await modern.close();
      for (const { server } of sessions.values()) await server.close();
      http.closeAllConnections();
      http.close();
    },
  });
}
