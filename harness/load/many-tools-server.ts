import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type ListedTool, listedTools, sourceName } from './many-tools.ts';

/**
 * Many sources in one process: `/worker/<n>` is an Arcade worker (its lists have an ETag), `/mcp/<n>` an MCP server that says
 * when its list changed. `POST /change/<n>/<tool>` changes one tool. Arguments: how many tools each has, and how many
 * tools are on a page of MCP. It prints its origin.
 */
const [toolsPerSource = 10_000, pageSize = 1000] = process.argv.slice(2).map(Number);

const revisions = new Map<number, Map<number, number>>();
const streams = new Map<number, Set<ServerResponse>>();
/** By source: pages of MCP and bodies of workers, as long as nothing changes; bodies are kept compressed. */
const pages = new Map<number, readonly string[]>();
const bodies = new Map<number, { readonly etag: string; readonly packed: Buffer }>();

const toolsOf = (source: number): readonly ListedTool[] =>
  listedTools(source, toolsPerSource, revisions.get(source));

function pagesOf(source: number): readonly string[] {
  const known = pages.get(source);
  if (known !== undefined) return known;
  const tools = toolsOf(source);
  const made: string[] = [];
  for (let from = 0; from < tools.length; from += pageSize) {
    const next = from + pageSize < tools.length ? { nextCursor: String(made.length + 1) } : {};
    made.push(JSON.stringify({ tools: tools.slice(from, from + pageSize), ...next }));
  }
  pages.set(source, made);
  return made;
}

function bodyOf(source: number) {
  const known = bodies.get(source);
  if (known !== undefined) return known;
  const body = JSON.stringify(toolsOf(source).map((tool) => workerTool(source, tool)));
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
  const made = { etag, packed: deflateRawSync(body, { level: 1 }) };
  bodies.set(source, made);
  return made;
}

function workerTool(
  source: number,
  { name, title, description, inputSchema, annotations }: ListedTool,
): object {
  const required = inputSchema.required as readonly string[];
  const parameters = Object.entries(
    inputSchema.properties as Record<string, { type: string; description: string; enum?: string[] }>,
  );
  return {
    name,
    description,
    toolkit: { name: sourceName(source), description: title, version: '1.4.0' },
    input: {
      parameters: parameters.map(([parameter, { type, description, enum: values }]) => ({
        name: parameter,
        required: required.includes(parameter),
        description,
        inferrable: true,
        value_schema: {
          val_type: type === 'object' ? 'json' : type,
          ...(type === 'array' ? { inner_val_type: 'string' } : {}),
          ...(values === undefined ? {} : { enum: values }),
        },
      })),
    },
    output: {
      description: 'What was found or made.',
      available_modes: ['value', 'error'],
      value_schema: { val_type: 'json' },
    },
    requirements: { authorization: null, secrets: null, metadata: null },
    metadata: { behavior: { read_only: annotations.readOnlyHint, destructive: annotations.destructiveHint } },
  };
}

/** The answer as JSON text; `null`: there is none. */
function answerMcp(
  source: number,
  { id, method, params }: { id?: number; method: string; params?: { cursor?: string } },
): string | null {
  if (id === undefined) return null;
  const reply = (member: string, value: string) => `{"jsonrpc":"2.0","id":${id},"${member}":${value}}`;
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true } };
    const serverInfo = { name: sourceName(source), version: '1.4.0' };
    return reply('result', JSON.stringify({ protocolVersion: '2025-11-25', capabilities, serverInfo }));
  }
  if (method === 'tools/list')
    return reply('result', pagesOf(source)[Number(params?.cursor ?? 0)] ?? '{"tools":[]}');
  return reply('error', '{"code":-32601,"message":"unknown method"}');
}

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [, kind, number = '', more] = (request.url ?? '').split('/');
  const source = Number(number);
  const json = (status: number, body: string, headers = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  if (kind === 'change') {
    const ofSource = revisions.get(source) ?? new Map<number, number>();
    ofSource.set(Number(more), (ofSource.get(Number(more)) ?? 0) + 1);
    revisions.set(source, ofSource);
    pages.delete(source);
    bodies.delete(source);
    const said = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    for (const stream of streams.get(source) ?? []) stream.write(`event: message\ndata: ${said}\n\n`);
    return json(200, '{}');
  }
  if (kind === 'worker') {
    const { etag, packed } = bodyOf(source);
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    return json(200, inflateRawSync(packed).toString('utf8'), { etag });
  }
  if (kind !== 'mcp') return json(404, '{}');
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const ofSource = streams.get(source) ?? new Set();
    streams.set(source, ofSource.add(response));
    response.on('close', () => ofSource.delete(response));
    return;
  }
  if (request.method === 'DELETE') return json(200, '{}');
  const answer = answerMcp(source, JSON.parse(Buffer.concat(chunks).toString('utf8')));
  if (answer === null) return response.writeHead(202).end();
  return json(200, answer, { 'mcp-session-id': `session-${source}` });
});
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
