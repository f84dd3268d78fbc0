import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import type { GatewayProcess } from '../gateway-process.ts';

export interface SessionCost {
  readonly sessions: number;
  /** What one idle session keeps: on the heap and in buffers after a garbage collection, and in resident memory. */
  readonly heapKb: number;
  readonly residentKb: number;
  /** Of the sessions, those with an open stream, and what the stream adds. */
  readonly streams: number;
  readonly streamHeapKb: number;
  readonly streamResidentKb: number;
  readonly wrong: number;
  readonly firstWrong: string | null;
}

interface Memory {
  readonly heap: number;
  readonly resident: number;
}

const atOnce = 16;
const warmUp = 200;

/** Arguments for a process whose memory can be read from outside, after a collection of its garbage. */
export async function inspectable(): Promise<{ port: number; args: readonly string[] }> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', () => resolve()));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return { port, args: [`--inspect=127.0.0.1:${port}`, '--inspect-publish-uid=http'] };
}

async function memoryOf(port: number): Promise<Memory> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  let lastId = 0;
  const send = (method: string, params: object = {}) =>
    new Promise<{ result?: { value?: string } }>((resolve) => {
      const id = ++lastId;
      socket.addEventListener('message', function hear({ data }) {
        const message = JSON.parse(String(data)) as { id: number; result: { result?: { value?: string } } };
        if (message.id !== id) return;
        socket.removeEventListener('message', hear);
        resolve(message.result);
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  // What the first collection finds to be finished, the second one frees.
  for (let i = 0; i < 2; i++) await send('HeapProfiler.collectGarbage');
  const { result } = await send('Runtime.evaluate', { expression: 'JSON.stringify(process.memoryUsage())' });
  socket.close();
  const { heapUsed, external, rss } = JSON.parse(result?.value ?? '') as NodeJS.MemoryUsage;
  return { heap: heapUsed + external, resident: rss };
}

interface Reply {
  readonly status: number;
  readonly session: string | undefined;
  readonly body: string;
}

/** What idle sessions cost a gateway process that was started with `inspectable()`. */
export async function measureSessions(
  { origin, key }: GatewayProcess,
  slug: string,
  port: number,
  counts: { readonly sessions: number; readonly streams: number },
): Promise<SessionCost> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const url = `${origin}/mcp/${slug}`;
  const keys = await createKeys(origin, key, 10);
  let firstWrong: string | null = null;
  let wrong = 0;
  const judge = (right: boolean, { status, body }: Reply): void => {
    if (right) return;
    wrong += 1;
    firstWrong ??= `HTTP ${status}: ${body.slice(0, 500)}`;
  };
  const headersOf = (index: number, session?: string) => ({
    Authorization: `Bearer ${keys[index % keys.length]}`,
    'Arcade-User-ID': `user${index}@example.com`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    ...(session === undefined ? {} : { 'Mcp-Session-Id': session, 'MCP-Protocol-Version': '2025-11-25' }),
  });
  const send = (method: string, index: number, session?: string, body?: object) =>
    exchange(url, agent, method, headersOf(index, session), body);

  const open = async (count: number): Promise<string[]> => {
    const sessions: string[] = [];
    await inTurns(count, async (index) => {
      const opened = await send('POST', index, undefined, initialize);
      judge(opened.status === 200 && opened.session !== undefined, opened);
      const session = opened.session ?? '';
      const told = await send('POST', index, session, { method: 'notifications/initialized' });
      judge(told.status === 202, told);
      sessions[index] = session;
    });
    return sessions;
  };
  const end = async (sessions: readonly string[]): Promise<void> => {
    await inTurns(sessions.length, async (index) => {
      await send('DELETE', index, sessions[index]);
    });
  };

  await end(await open(warmUp));
  const before = await memoryOf(port);
  const sessions = await open(counts.sessions);
  const idle = await memoryOf(port);
  const streams: IncomingMessage[] = [];
  await inTurns(counts.streams, async (index) => {
    const stream = await openStream(url, headersOf(index, sessions[index]));
    judge(stream.statusCode === 200, {
      status: stream.statusCode ?? 0,
      session: undefined,
      body: 'no stream',
    });
    streams.push(stream);
  });
  const listening = await memoryOf(port);
  await inTurns(Math.min(100, counts.sessions), async (index) => {
    const answer = await send('POST', index, sessions[index], { id: 2, method: 'ping' });
    judge(answer.status === 200 && answer.body.includes('"result":{}'), answer);
  });
  for (const stream of streams) stream.destroy();
  await end(sessions);
  agent.destroy();
  const kb = (from: Memory, to: Memory, what: keyof Memory, count: number) =>
    (to[what] - from[what]) / 1024 / count;
  return {
    ...counts,
    heapKb: kb(before, idle, 'heap', counts.sessions),
    residentKb: kb(before, idle, 'resident', counts.sessions),
    streamHeapKb: kb(idle, listening, 'heap', counts.streams),
    streamResidentKb: kb(idle, listening, 'resident', counts.streams),
    wrong: wrong + (new Set(sessions).size === sessions.length ? 0 : 1),
    firstWrong,
  };
}

const initialize = {
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: { roots: { listChanged: true }, elicitation: { form: {}, url: {} } },
    clientInfo: { name: 'sallyport-bench', version: '1.0.0' },
  },
};

/** Sessions of one principal are capped, so there are several. */
async function createKeys(origin: string, admin: string, count: number): Promise<string[]> {
  const keys: string[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await fetch(`${origin}/v1/api_keys`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: `bench ${i}`, scopes: ['call'] }),
    });
    if (!answer.ok) throw new Error(`no key for the sessions: HTTP ${answer.status}: ${await answer.text()}`);
    keys.push(((await answer.json()) as { key: string }).key);
  }
  return keys;
}

/** Does it for 0 to count-1, several at once. */
async function inTurns(count: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function exchange(
  url: string,
  agent: Agent,
  method: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('error', reject).on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          session: answer.headers['mcp-session-id'] as string | undefined,
          body: text,
        }),
      );
    });
    sent
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify({ jsonrpc: '2.0', ...body }));
  });
}

/** Resolves when the stream is open, and leaves it so. */
function openStream(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, headers }, (answer) => {
      answer.on('error', () => {}).resume();
      resolve(answer);
    });
    sent.on('error', reject).end();
  });
}
