import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, ProtocolError, Server, type ServerContext } from '@modelcontextprotocol/server';
import { contributor, type Desk, secretNumber, slowAnswer } from './desk.ts';

/** What the toolkit has, by name. */
export const atlassianTools = [
  'CrashPage',
  'FailPage',
  'GetPage',
  'GetPerson',
  'Slow',
  'StreamPage',
] as const;
type ToolName = (typeof atlassianTools)[number];

/** A toolkit like Atlassian's, as an MCP server of every revision. */
export async function startAtlassianServer(
  desk: Desk,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const mcp = createMcpHandler(() => {
    const server = new Server(
      { name: 'atlassian', version: '1.0.0' },
      { capabilities: { tools: {}, logging: {} } },
    );
    server.setRequestHandler('tools/list', async () => ({
      tools: atlassianTools.map((name) => ({ name, inputSchema: { type: 'object' as const } })),
    }));
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const tool = atlassianTools.find((name) => name === params.name);
      if (tool === undefined) throw new ProtocolError(-32602, `unknown tool ${params.name}`);
      await desk.enter({ toolkit: 'Atlassian', tool });
      return runTool(tool, context);
    });
    return server;
  });
  const serve = toNodeHandler(mcp);
  const http = createServer(
    (request, response) => void serve(request as Parameters<typeof serve>[0], response),
  );
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    async close() {
      await mcp.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}

const text = (said: string) => ({ type: 'text' as const, text: said });

async function runTool(tool: ToolName, { mcpReq }: ServerContext) {
  switch (tool) {
    case 'GetPage':
      return { content: [text('A page of Atlassian')] };
    case 'GetPerson':
      return {
        content: [
          text(JSON.stringify(contributor)),
          {
            type: 'resource' as const,
            resource: { uri: 'test://person', text: `Number: ${secretNumber}` },
          },
        ],
        structuredContent: contributor,
      };
    case 'FailPage':
      return {
        content: [text(`nobody has the number ${secretNumber}`)],
        structuredContent: { ssn: secretNumber },
        isError: true,
      };
    case 'CrashPage':
      throw new ProtocolError(-32050, `the number ${secretNumber} is locked`, { ssn: secretNumber });
    case 'StreamPage':
      await tellProgress(mcpReq);
      return { content: [text('The page was streamed')] };
    case 'Slow':
      return { content: [text(slowAnswer)] };
  }
}

async function tellProgress({ _meta, notify, log }: ServerContext['mcpReq']): Promise<void> {
  const progressToken = _meta?.progressToken;
  for (const progress of [1, 2]) {
    await log('error', { said: `line ${progress}: ${secretNumber}` }, 'page');
    if (progressToken === undefined) continue;
    const message = `page ${progress}: ${secretNumber}`;
    await notify({
      method: 'notifications/progress',
      params: { progressToken, progress, total: 2, message },
    });
  }
}
