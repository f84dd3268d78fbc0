import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { createRecorder, type Exchange, type Recorder } from './recorder.ts';

/** Of MCP: up to 2025-11-25, spoken by the official SDK v1, and since 2026-07-28, spoken by the official SDK v2. */
export type Era = 'legacy' | 'modern';
export const eras: readonly Era[] = ['legacy', 'modern'];

/** What a client got for a call: the tool's answer, or an error instead. */
export interface Outcome {
  /** The call did not succeed: an error of the protocol, or a result with `isError`. */
  readonly isError: boolean;
  /** The answer as JSON, or the error's message. */
  readonly text: string;
}

/** A person's agent: an official client, all of whose traffic is kept. */
export interface McpUser {
  readonly name: string;
  readonly received: Recorder;
  list(): Promise<readonly string[]>;
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<Outcome>;
  /** How many notifications of progress have come. */
  progressed(): number;
  /** Whether the stream for notifications is still the one that was opened at first. */
  isListening(): boolean;
  /** Resolves with the next `notifications/tools/list_changed` from now on; false where none comes in time. */
  nextListChange(): Promise<boolean>;
  close(): Promise<void>;
}

interface Connection {
  list(): Promise<{ tools: { name: string }[] }>;
  call(
    params: { name: string; arguments: Record<string, unknown> },
    onprogress: () => void,
  ): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

interface Access {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What has not come by then does not come. */
export const patienceMs = 10_000;
const clientInfo = { name: 'judge', version: '1' };

/** Connects, and listens for changes of the list; both are there when it resolves. */
export async function openMcpUser(era: Era, name: string, access: Access): Promise<McpUser> {
  const received = createRecorder();
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const tell of waiting) tell();
  };
  const connect = era === 'legacy' ? connectLegacy : connectModern;
  const connection = await connect(access, received, changed);
  const isStream = ({ headers }: Exchange) =>
    headers.get('content-type')?.startsWith('text/event-stream') === true;
  const stream = received.exchanges.findLast(isStream);
  let progressed = 0;
  return {
    name,
    received,
    async list() {
      return (await connection.list()).tools.map((tool) => tool.name).sort();
    },
    async call(tool, args = {}) {
      try {
        const result = await connection.call({ name: tool, arguments: { ...args } }, () => void progressed++);
        return { isError: result.isError === true, text: JSON.stringify(result) };
      } catch (thrown) {
        return { isError: true, text: thrown instanceof Error ? thrown.message : String(thrown) };
      }
    },
    progressed: () => progressed,
    isListening: () => stream?.ended() === false,
    nextListChange() {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const tell = () => resolve(true);
      waiting.add(tell);
      const timer = setTimeout(resolve, patienceMs, false);
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(tell);
      });
    },
    close: () => connection.close(),
  };
}

async function connectLegacy(
  { url, headers }: Access,
  received: Recorder,
  changed: () => void,
): Promise<Connection> {
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  listening.catch(() => {});
  const transport = new TransportV1(new URL(url), {
    requestInit: { headers: { ...headers } },
    async fetch(address, init) {
      const answer = await received.fetch(address, init);
      if (init?.method === 'GET') {
        if (answer.ok) resolve();
        else reject(new Error(`the stream for notifications was refused: HTTP ${answer.status}`));
      }
      return answer;
    },
  });
  const client = new ClientV1(clientInfo, { capabilities: {} });
  client.setNotificationHandler(ToolListChangedNotificationSchema, changed);
  await client.connect(transport as never);
  await within(listening, 'the stream for notifications');
  return {
    list: () => client.listTools(),
    call: (params, onprogress) => client.callTool(params, undefined, { onprogress }),
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  };
}

async function connectModern(
  { url, headers }: Access,
  received: Recorder,
  changed: () => void,
): Promise<Connection> {
  const client = new Client(clientInfo, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  client.setNotificationHandler('notifications/tools/list_changed', changed);
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: received.fetch,
  });
  await client.connect(transport);
  const subscription = await client.listen({ toolsListChanged: true });
  return {
    list: () => client.listTools(undefined, { cacheMode: 'refresh' }),
    call: (params, onprogress) => client.callTool(params, { onprogress }),
    async close() {
      await subscription.close();
      await client.close();
    },
  };
}

export async function within<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} did not come in ${patienceMs} ms`)), patienceMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
