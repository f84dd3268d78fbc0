import { createInterface } from 'node:readline';
import { type Answer, type HttpConnection, openConnection } from './http-connection.ts';

/** One measurement: closed loop, every connection sends its next request when the last was answered. */
export interface Job {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `stateless`: revision 2026-07-28; `session`: revision 2025-11-25, one session for each connection. */
  readonly style: 'stateless' | 'session';
  readonly method: 'tools/call' | 'tools/list';
  readonly tool: string;
  /** The argument that takes the unique text, which must come back in the answer. */
  readonly argument: string;
  /** Asks for an answer this large, in the argument `bytes`, instead of unique text. */
  readonly answerBytes?: number;
  /** Of `tools/list`, over all pages. */
  readonly expectTools?: number;
  readonly connections: number;
  readonly durationMs: number;
}

export interface Measurement {
  readonly answers: number;
  readonly wrong: number;
  /** The first wrong answer, for a person. */
  readonly firstWrong: string | null;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Message {
  readonly id?: unknown;
  readonly result?: {
    readonly isError?: boolean;
    readonly tools?: readonly unknown[];
    readonly nextCursor?: string;
  };
}

const revisions = { stateless: '2026-07-28', session: '2025-11-25' } as const;
const clientInfo = { name: 'sallyport-bench', version: '1.0.0' };
const envelope = {
  'io.modelcontextprotocol/protocolVersion': revisions.stateless,
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
};
/** What is given where all calls are the same. */
export const sameText = 'the same each time';
let lastId = 0;

/** Runs one job; calls under way at its end are waited for, so that every request sent is counted. */
export async function measure(job: Job): Promise<Measurement> {
  const latencies: number[] = [];
  const tally = { wrong: 0, firstWrong: null as string | null };
  const url = new URL(job.url);
  const open = () => openConnection(url.hostname, Number(url.port || 80));
  const clients = await Promise.all(
    Array.from({ length: job.connections }, () => connectClient(job, open())),
  );
  const startedAt = performance.now();
  const endAt = startedAt + job.durationMs;
  const loop = async (client: Client): Promise<void> => {
    do {
      const began = performance.now();
      const { endedAt, fault } = await (job.method === 'tools/call' ? client.call() : client.list());
      latencies.push(endedAt - began);
      if (fault === null) continue;
      tally.wrong += 1;
      tally.firstWrong ??= fault;
    } while (performance.now() < endAt);
  };
  let seconds: number;
  try {
    await Promise.all(clients.map(loop));
    seconds = (performance.now() - startedAt) / 1000;
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    ...tally,
    answers: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

interface Outcome {
  readonly endedAt: number;
  /** Null for a right answer. */
  readonly fault: string | null;
}

export interface Client {
  /** A call that can be sent again and again, byte by byte, also on other connections; it was answered once. */
  sameCall(): Promise<{ readonly request: string; readonly fault: string | null }>;
  call(): Promise<Outcome>;
  list(): Promise<Outcome>;
  /** Ends the session, where there is one, and the connection. */
  end(): Promise<void>;
}

export async function connectClient(job: Job, connection: HttpConnection): Promise<Client> {
  const { pathname, search, host } = new URL(job.url);
  const fixed = {
    Host: host,
    ...job.headers,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': revisions[job.style],
  };
  const session = job.style === 'session' ? await initialize(connection, pathname + search, fixed) : {};
  const mirrored = job.style === 'stateless' ? { 'Mcp-Method': job.method } : {};
  const named = job.style === 'stateless' && job.method === 'tools/call' ? { 'Mcp-Name': job.tool } : {};
  const head = headOf(pathname + search, { ...fixed, ...session, ...mirrored, ...named });
  const meta = job.style === 'stateless' ? { _meta: envelope } : {};
  const requestOf = (id: number, params: object): string => {
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: job.method, params: { ...params, ...meta } });
    return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
  const send = (id: number, params: object): Promise<Answer> => connection.exchange(requestOf(id, params));
  return {
    async sameCall() {
      const request = requestOf(0, { name: job.tool, arguments: { [job.argument]: sameText } });
      const answer = await connection.exchange(request);
      return { request, fault: isRight(answer, 0, sameText) ? null : describe(answer) };
    },
    async call() {
      const id = ++lastId;
      const token = `token-${id}-${process.pid}`;
      const bytes = job.answerBytes;
      const args = bytes === undefined ? { [job.argument]: token } : { [job.argument]: token, bytes };
      const answer = await send(id, { name: job.tool, arguments: args });
      const right = bytes === undefined ? isRight(answer, id, token) : isLarge(answer, token, bytes);
      return { endedAt: answer.endedAt, fault: right ? null : describe(answer) };
    },
    async list() {
      let count = 0;
      for (let cursor: string | undefined; ; ) {
        const id = ++lastId;
        const answer = await send(id, cursor === undefined ? {} : { cursor });
        const message = messageOf(answer);
        if (message?.id !== id || message.result?.tools === undefined) {
          return { endedAt: answer.endedAt, fault: describe(answer) };
        }
        count += message.result.tools.length;
        cursor = message.result.nextCursor;
        if (cursor !== undefined) continue;
        const fault = count === job.expectTools ? null : `${count} tools instead of ${job.expectTools}`;
        return { endedAt: answer.endedAt, fault };
      }
    },
    async end() {
      const ending = `DELETE${head.slice('POST'.length)}Content-Length: 0\r\n\r\n`;
      if ('Mcp-Session-Id' in session) await connection.exchange(ending).catch(() => null);
      connection.close();
    },
  };
}

function headOf(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}`;
}

async function initialize(
  connection: HttpConnection,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const post = (message: object, more: Readonly<Record<string, string>>): Promise<Answer> => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const head = headOf(path, { ...headers, ...more });
    return connection.exchange(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const params = { protocolVersion: revisions.session, capabilities: {}, clientInfo };
  const answer = await post({ id: ++lastId, method: 'initialize', params }, {});
  if (messageOf(answer)?.result === undefined) throw new Error(`initialize failed: ${describe(answer)}`);
  const id = /\r\nmcp-session-id: *([^\r]+)/i.exec(answer.head)?.[1];
  const session: Record<string, string> = id === undefined ? {} : { 'Mcp-Session-Id': id };
  await post({ method: 'notifications/initialized' }, session);
  return session;
}

function isRight(answer: Answer, id: number, token: string): boolean {
  const message = messageOf(answer);
  const isResult = message?.id === id && message.result?.isError !== true && message.result !== undefined;
  return isResult && answer.body.includes(token);
}

/** Not parsed: that would cost the generator more than the call costs whoever is measured. */
function isLarge({ status, body }: Answer, token: string, bytes: number): boolean {
  return status === 200 && body.length >= bytes && body.endsWith('}') && body.includes(token);
}

/** The JSON-RPC message of an answer, whether it came as JSON or as the last event of a stream. */
function messageOf(answer: Answer): Message | null {
  if (answer.status !== 200) return null;
  const streamed = answer.body.startsWith('{') ? null : answer.body.lastIndexOf('data: ');
  const json =
    streamed === null ? answer.body : (answer.body.slice(streamed + 'data: '.length).split('\n')[0] ?? '');
  try {
    return JSON.parse(json) as Message;
  } catch {
    return null;
  }
}

function describe(answer: Answer): string {
  return `HTTP ${answer.status}: ${answer.body.slice(0, 500)}`;
}

/** As a process: a job in each line of its input, a measurement in each line of its output. */
if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    const measured = await measure(JSON.parse(line) as Job).catch((error: Error) => ({
      error: error.message,
    }));
    process.stdout.write(`${JSON.stringify(measured)}\n`);
  }
}
