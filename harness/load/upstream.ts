import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What stands behind the gateway while it is measured: a process that answers the worker protocol (`/worker/…`) and MCP
 * (`/mcp`, both eras) as cheaply as it can. Toolkit `Bench` has as many tools as the first argument says; each gives its
 * argument `text` back. `Large` gives it back with as many letters more as its argument `bytes` says.
 * The second argument is the port; any free one unless given.
 */
const toolCount = Number(process.argv[2] ?? 500);
const names = [...Array.from({ length: toolCount - 1 }, (_, index) => `Tool${index}`), 'Large'];
const description =
  'Gives back the text that it is given, unchanged, so that every answer can be checked by its caller.';

const workerTools = JSON.stringify(
  names.map((name) => ({
    name,
    fully_qualified_name: `Bench.${name}@1.0.0`,
    description,
    toolkit: { name: 'Bench', description: 'Tools to be measured with', version: '1.0.0' },
    input: {
      parameters: [
        {
          name: 'text',
          required: true,
          description: 'The text to give back.',
          value_schema: { val_type: 'string' },
          inferrable: true,
        },
        {
          name: 'bytes',
          required: false,
          description: 'How many letters more.',
          value_schema: { val_type: 'integer' },
          inferrable: true,
        },
      ],
    },
    output: {
      description: 'The text.',
      available_modes: ['value', 'error'],
      value_schema: { val_type: 'string' },
    },
    requirements: { authorization: null, secrets: null, metadata: null },
  })),
);
const mcpTools = names.map((name) => ({
  name: `Bench_${name}`,
  description,
  inputSchema: {
    type: 'object',
    properties: {
      text: { type: 'string', description: 'The text to give back.' },
      bytes: { type: 'integer', description: 'How many letters more.' },
    },
    required: ['text'],
  },
}));

interface Arguments {
  readonly text?: string;
  readonly bytes?: number;
}

interface RpcRequest {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly arguments?: Arguments; readonly _meta?: object };
}

/** Where the letters stand that `bytes` asks for: they are put in as bytes, or they would cost more than whoever passes them on. */
const gap = '\u2026letters\u2026';
const letters = Buffer.alloc(16 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz');

function textOf({ text = '', bytes }: Arguments = {}): string {
  return bytes === undefined ? text : text + gap;
}

const serverInfo = { name: 'bench-upstream', version: '1.0.0' };
const capabilities = { tools: {} };

function rpcResult({ method, params }: RpcRequest): object | null {
  const modern = params?._meta !== undefined && JSON.stringify(params._meta).includes('protocolVersion');
  const complete = modern ? { resultType: 'complete' } : {};
  const cacheable = modern ? { ...complete, ttlMs: 0, cacheScope: 'private' } : {};
  switch (method) {
    case 'initialize':
      return { protocolVersion: '2025-11-25', capabilities, serverInfo };
    case 'server/discover':
      return { ...cacheable, supportedVersions: ['2026-07-28'], capabilities };
    case 'ping':
      return {};
    case 'tools/list':
      return { ...cacheable, tools: mcpTools };
    case 'tools/call':
      return { ...complete, content: [{ type: 'text', text: textOf(params?.arguments) }] };
    default:
      return null;
  }
}

function answerRpc(body: string, res: ServerResponse): void {
  const request = JSON.parse(body) as RpcRequest;
  if (request.id === undefined) {
    res.writeHead(202).end();
    return;
  }
  const result = rpcResult(request);
  const outcome = result === null ? { error: { code: -32601, message: 'Method not found' } } : { result };
  const json = JSON.stringify({ jsonrpc: '2.0', id: request.id, ...outcome });
  send(res, result === null ? 404 : 200, json, request.params?.arguments?.bytes);
}

function answerInvoke(body: string, res: ServerResponse): void {
  const { execution_id, inputs } = JSON.parse(body) as { execution_id?: string; inputs?: Arguments };
  const output = { value: textOf(inputs), error: null, logs: [] };
  const answer = {
    execution_id,
    finished_at: '2026-01-01T00:00:00.000Z',
    duration: 0.1,
    success: true,
    output,
  };
  send(res, 200, JSON.stringify(answer), inputs?.bytes);
}

function send(res: ServerResponse, status: number, json: string, bytes?: number): void {
  const type = { 'Content-Type': 'application/json' };
  if (bytes === undefined) {
    res.writeHead(status, { ...type, 'Content-Length': Buffer.byteLength(json) }).end(json);
    return;
  }
  const [head = '', tail = ''] = json.split(gap);
  res.writeHead(status, { ...type, 'Content-Length': Buffer.byteLength(head + tail) + bytes });
  res.write(head);
  res.write(letters.subarray(0, bytes));
  res.end(tail);
}

function readBody(req: IncomingMessage, use: (body: string) => void): void {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => use(Buffer.concat(chunks).toString('utf8')));
}

const http = createServer((req, res) => {
  if (req.url === '/worker/health') send(res, 200, '{"status":"ok","tool_count":"1"}');
  else if (req.url === '/worker/tools') send(res, 200, workerTools);
  else if (req.url === '/worker/tools/invoke') readBody(req, (body) => answerInvoke(body, res));
  else if (req.url === '/mcp' && req.method === 'POST') readBody(req, (body) => answerRpc(body, res));
  else if (req.url === '/mcp') res.writeHead(405).end();
  else send(res, 404, '{}');
});
http.keepAliveTimeout = 600_000;
http.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
);
process.on('SIGTERM', () => process.exit(0));
