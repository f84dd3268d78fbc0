import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListedTool, listedTool, sourceName } from './many-tools.ts';

/**
 * Many sources in one process: those with an even number are Arcade workers at `/worker/<n>` (their lists have an ETag), those with an
 * odd one MCP servers at `/mcp/<n>` that say when their list changed. `POST /change/<n>/<tool>` changes one tool. Arguments: how
 * many sources, how many tools each has, and how many tools are on a page of MCP. It prints its origin when every answer is made,
 * so that nobody who measures what asks for them measures the making.
 */
const [sources = 1, toolsPerSource = 10_000, pageSize = 1000] = process.argv.slice(2).map(Number);

interface Kept {
  /** How often it changed. */
  revision: number;
  readonly revisions: Map<number, number>;
  /** Of MCP, its pages; of a worker, its body. */
  readonly answers: Buffer[];
}

const kept = Array.from({ length: sources }, (_, source) => made(source));
const streams = new Map<number, Set<ServerResponse>>();

function isWorker(source: number): boolean {
  return source % 2 === 0;
}

function made(source: number): Kept {
  const size = isWorker(source) ? toolsPerSource : pageSize;
  const answers: Buffer[] = [];
  for (let from = 0; from < toolsPerSource; from += size) {
    const count = Math.min(size, toolsPerSource - from);
    const tools = Array.from({ length: count }, (_, at) => textOf(source, from + at, 0)).join(',');
    const next = from + size < toolsPerSource ? `,"nextCursor":"${answers.length + 1}"` : '';
    answers.push(Buffer.from(isWorker(source) ? `[${tools}]` : `{"tools":[${tools}]${next}}`));
  }
  return { revision: 0, revisions: new Map(), answers };
}

function textOf(source: number, index: number, revision: number): string {
  const tool = listedTool(source, index, revision);
  return JSON.stringify(isWorker(source) ? workerTool(source, tool) : tool);
}

/** Only the text of the one tool is made anew. */
function change(source: number, index: number): void {
  const of = kept[source];
  if (of === undefined) return;
  const revision = (of.revisions.get(index) ?? 0) + 1;
  const at = isWorker(source) ? 0 : Math.floor(index / pageSize);
  const answer = of.answers[at] as Buffer;
  const before = Buffer.from(textOf(source, index, revision - 1));
  const start = answer.indexOf(before);
  const after = Buffer.from(textOf(source, index, revision));
  of.answers[at] = Buffer.concat([answer.subarray(0, start), after, answer.subarray(start + before.length)]);
  of.revisions.set(index, revision);
  of.revision += 1;
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

/** The answer in parts; `null`: there is none. */
function answerMcp(
  source: number,
  { id, method, params }: { id?: number; method: string; params?: { cursor?: string } },
): readonly (string | Buffer)[] | null {
  if (id === undefined) return null;
  const head = `{"jsonrpc":"2.0","id":${id}`;
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true } };
    const serverInfo = { name: sourceName(source), version: '1.4.0' };
    const result = { protocolVersion: '2025-11-25', capabilities, serverInfo };
    return [`${head},"result":${JSON.stringify(result)}}`];
  }
  if (method === 'tools/list') {
    const page = kept[source]?.answers[Number(params?.cursor ?? 0)];
    return [`${head},"result":`, page ?? '{"tools":[]}', '}'];
  }
  return [`${head},"error":{"code":-32601,"message":"unknown method"}}`];
}

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [, kind, number = '', more] = (request.url ?? '').split('/');
  const source = Number(number);
  const json = (status: number, parts: readonly (string | Buffer)[], headers = {}) => {
    const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': length,
      ...headers,
    });
    for (const part of parts) response.write(part);
    response.end();
  };
  if (kind === 'change') {
    change(source, Number(more));
    const said = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    for (const stream of streams.get(source) ?? []) stream.write(`event: message\ndata: ${said}\n\n`);
    return json(200, ['{}']);
  }
  const of = kept[source];
  if (kind === 'worker' && of !== undefined) {
    const etag = `"${source}-${of.revision}"`;
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    return json(200, of.answers, { etag });
  }
  if (kind !== 'mcp') return json(404, ['{}']);
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const ofSource = streams.get(source) ?? new Set();
    streams.set(source, ofSource.add(response));
    response.on('close', () => ofSource.delete(response));
    return;
  }
  if (request.method === 'DELETE') return json(200, ['{}']);
  const answer = answerMcp(source, JSON.parse(Buffer.concat(chunks).toString('utf8')));
  if (answer === null) return response.writeHead(202).end();
  return json(200, answer, { 'mcp-session-id': `session-${source}` });
});
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
