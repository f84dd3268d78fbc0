import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { createEverythingServer } from './everything-server.ts';
import { createTaskDesk } from './task-tools.ts';

export interface Fixture {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the fixture at `/mcp` on loopback: sessions up to revision 2025-11-25, stateless since 2026-07-28. */
export async function serveFixture(): Promise<Fixture> {
  const sessions = new Map<
    string,
    { server: McpServer; transport: WebStandardStreamableHTTPServerTransport }
  >();
  const changes = { tools: 0, prompts: 0 };
  const notices = {
    changes,
    toolsChanged() {
      changes.tools += 1;
      modern.notify.toolsChanged();
      for (const { server } of sessions.values()) server.sendToolListChanged();
    },
    promptsChanged() {
      changes.prompts += 1;
      modern.notify.promptsChanged();
      for (const { server } of sessions.values()) server.sendPromptListChanged();
    },
  };
  const modern = createMcpHandler(({ era }) => createEverythingServer(notices, era), { legacy: 'reject' });
  const answerTask = createTaskDesk();

  async function serveSession(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    const known = id === null ? undefined : sessions.get(id);
    if (known !== undefined) return known.transport.handleRequest(request);
    if (id !== null) return refuse(404, 'Session not found');
    const parsedBody: unknown = request.method === 'POST' ? await request.json().catch(() => null) : null;
    if (!isInitializeRequest(parsedBody)) return refuse(400, 'Initialize first');
    const server = createEverythingServer(notices, 'legacy');
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (newId) => void sessions.set(newId, { server, transport }),
      onsessionclosed: (oldId) => void sessions.delete(oldId),
    });
    await server.connect(transport);
    return transport.handleRequest(request, { parsedBody });
  }

  const serve = toNodeHandler({
    async fetch(request) {
      if (await isLegacyRequest(request)) return serveSession(request);
      const message =
        request.method === 'POST'
          ? await request
              .clone()
              .json()
              .catch(() => null)
          : null;
      const answer = message ? answerTask(message, request.headers) : null;
      return answer ?? modern.fetch(request);
    },
  });
  const hostAllowed = localhostHostValidation();
  const originAllowed = localhostOriginValidation();
  const http = createServer((req, res) => {
    if (hostAllowed(req, res) && originAllowed(req, res)) void serve(req as Parameters<typeof serve>[0], res);
  });
  await listen(http);
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    async close() {
      await modern.close();
      for (const { server } of sessions.values()) await server.close();
      http.closeAllConnections();
      http.close();
    },
  };
}

function refuse(status: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code: -32600, message }, id: null }, { status });
}

export function listen(http: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(0, '127.0.0.1', () => resolve());
  });
}
