import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';

/** A tool of it, with no arguments. */
export const toolOf = (name: string, description = `Runs ${name}`) => ({
  name,
  description,
  inputSchema: { type: 'object' },
});

export interface ChangingServer {
  readonly uri: string;
  readonly port: number;
  tools: readonly ReturnType<typeof toolOf>[];
  /** The `Authorization` that it lets in; `null`: whoever asks. */
  token: string | null;
  /** What calls wait for. */
  hold: Promise<void>;
  onCall: () => void;
  calls: number;
  listed: number;
  close(): Promise<void>;
}

/** An MCP server whose tools change behind its clients' backs. */
export async function startChangingServer(port = 0): Promise<ChangingServer> {
  const state = {
    tools: [toolOf('Read', 'Reads a file'), toolOf('Write', 'Writes a file')] as ChangingServer['tools'],
    token: null as string | null,
    hold: Promise.resolve(),
    onCall: () => {},
    calls: 0,
    listed: 0,
  };
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'files', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', async () => {
      state.listed++;
      return { tools: state.tools } as never;
    });
    server.setRequestHandler('tools/call', async ({ params }) => {
      state.calls++;
      state.onCall();
      await state.hold;
      return { content: [{ type: 'text', text: `ran ${params.name}` }] };
    });
    return server;
  });
  const serve = toNodeHandler(handler);
  const http = createServer((request, response) => {
    if (state.token === null || request.headers.authorization === state.token)
      void serve(request as IncomingMessage as Parameters<typeof serve>[0], response);
    else response.writeHead(401).end();
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const listening = (http.address() as AddressInfo).port;
  return Object.assign(state, {
    uri: `http://127.0.0.1:${listening}/mcp`,
    port: listening,
    async close() {
      await handler.close();
      http.closeAllConnections();
      http.close();
    },
  });
}
