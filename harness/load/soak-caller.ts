import { setTimeout as pause } from 'node:timers/promises';
import type { GatewayProcess } from '../gateway-process.ts';
import { type Answer, type HttpConnection, openConnection } from './http-connection.ts';
import type { createAdmin } from './soak-faults.ts';

export interface CallOutcome {
  readonly key: string;
  readonly user: string;
  readonly status: number;
  /** The stable code of a refusal or failure; null for a right answer. */
  readonly code: string | null;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly detail: string;
}

export interface Caller {
  readonly user: string;
  /** The key in use now, and its id. */
  key(): { readonly id: string; readonly key: string };
  stop(): Promise<void>;
}

interface CallerStart {
  readonly gateway: GatewayProcess;
  readonly slug: string;
  readonly index: number;
  readonly everyMs: number;
  readonly admin: ReturnType<typeof createAdmin>;
  readonly onOutcome: (outcome: CallOutcome) => void;
}

let lastId = 0;

/** One user, who calls at a steady pace on a connection that is kept, and asks for a new key when theirs is refused. */
export function startCaller({ gateway, slug, index, everyMs, admin, onOutcome }: CallerStart): Caller {
  const user = `soak${index}@example.com`;
  const url = new URL(gateway.origin);
  let connection: HttpConnection | null = null;
  let held = { id: '', key: '' };
  let stopping = false;

  const call = async (): Promise<void> => {
    connection ??= openConnection(url.hostname, Number(url.port));
    const id = ++lastId;
    const { tool, wire } = tools[id % tools.length] as (typeof tools)[number];
    const beganAt = performance.now();
    const { key } = held;
    const text = `token-${id}`;
    const answer = await connection
      .exchange(requestOf({ slug, key, user, host: url.host, id, wire, text }))
      .catch((error: Error) => {
        connection?.close();
        connection = null;
        return error;
      });
    const outcome = outcomeOf(answer, text);
    onOutcome({
      key,
      user,
      beganAt,
      endedAt: performance.now(),
      ...outcome,
      detail: `${tool}: ${outcome.detail}`,
    });
    if (outcome.status === 401) await renew();
  };
  const renew = async (): Promise<void> => {
    connection?.close();
    connection = null;
    held = await admin<{ id: string; key: string }>('POST', '/v1/api_keys', {
      name: user,
      users: [user],
      scopes: ['call'],
    });
  };
  const loop = async (): Promise<void> => {
    await renew();
    while (!stopping) {
      await call();
      await pause(everyMs);
    }
    connection?.close();
  };
  const done = loop();
  return {
    user,
    key: () => held,
    stop() {
      stopping = true;
      return done;
    },
  };
}

const tools = [
  { tool: 'worker', wire: 'Bench_Tool7' },
  { tool: 'MCP source', wire: 'relay_Bench_Tool7' },
] as const;

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'sallyport-soak', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

interface Asked {
  readonly slug: string;
  readonly key: string;
  readonly user: string;
  readonly host: string;
  readonly id: number;
  readonly wire: string;
  readonly text: string;
}

function requestOf({ slug, key, user, host, id, wire, text }: Asked): string {
  const params = { name: wire, arguments: { text }, _meta: envelope };
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
  const lines = [
    `POST /mcp/${slug} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${key}`,
    `Arcade-User-ID: ${user}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    `Mcp-Name: ${wire}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function outcomeOf(answer: Answer | Error, text: string): Pick<CallOutcome, 'status' | 'code' | 'detail'> {
  if (answer instanceof Error) return { status: 0, code: 'connection', detail: answer.message };
  const { status, body } = answer;
  const isRight = status === 200 && body.includes(text) && !body.includes('"isError":true');
  if (isRight) return { status, code: null, detail: 'right' };
  // The code stands in the data of an error, or in the meta of a result that tells of one.
  const code = /\b(?:[a-z]+\.[a-z_]+)(?=")/.exec(body)?.[0] ?? 'unknown';
  return { status, code, detail: body.slice(0, 300) };
}
