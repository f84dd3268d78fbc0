import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type App, createApp } from '#compose';
import { readSettings } from '#config';
import { type Clock, Fault, systemClock } from '#foundation';
import { type Log, silentLog } from '#telemetry';
import { createDatabase, temporaryDirectory } from './database.ts';

/** The whole server, in this process, as `main` starts it: on a free port, with a directory and a database of its own. */
export interface TestApp {
  readonly url: string;
  /** An API key with every scope. */
  readonly key: string;
  readonly app: App;
  readonly dataDir: string;
  readonly configPath: string;
  /** Sends one JSON-RPC request to a gateway; `headers` come on top of key and user. */
  rpc(slug: string, message: object, headers?: Record<string, string>): Promise<Response>;
  /** Audit records that fit the query, `&code=…`, newest first, at most a hundred. */
  records(query?: string): Promise<Json[]>;
  /** One request to the REST API. */
  api(method: string, path: string, body?: unknown): Promise<Response>;
  /** Stops, and starts again with the same directory and database, under another address. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const adminKey = 'sp_test_key_of_the_administrator';

export interface AppOptions {
  readonly clock?: Clock;
  /** Of the environment, beside what it needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: Log;
}

export async function startApp(config: string, options: AppOptions = {}): Promise<TestApp> {
  const dataDir = temporaryDirectory();
  const configPath = join(dataDir, 'sallyport.yaml');
  writeFileSync(configPath, config);
  const server = process.env.SALLYPORT_TEST_DATABASE_URL;
  const database = server === undefined ? null : await createDatabase(server);
  const env = {
    SALLYPORT_PORT: '0',
    SALLYPORT_DATA_DIR: dataDir,
    SALLYPORT_CONFIG: configPath,
    SALLYPORT_ADMIN_KEY: adminKey,
    ...(database === null ? {} : { DATABASE_URL: database.url }),
    ...options.env,
  };
  const settings = readSettings(env);
  if (!settings.ok) throw new Fault(settings.error.join('\n'));
  const deps = {
    settings: settings.value,
    env,
    log: options.log ?? silentLog,
    version: '0.0.0-test',
    clock: options.clock ?? systemClock,
    // Lanes have the clock of the system.
    lanes: options.clock === undefined ? Number(process.env.SALLYPORT_TEST_LANES ?? 0) : 0,
  };
  const start = async () => {
    const started = await createApp(deps);
    await started.complete();
    return started;
  };
  let app = await start();
  const auth = { authorization: `Bearer ${adminKey}` };
  const api: TestApp['api'] = (method, path, body) =>
    fetch(`${app.url}${path}`, {
      method,
      headers: { ...auth, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    get url() {
      return app.url;
    },
    key: adminKey,
    get app() {
      return app;
    },
    dataDir,
    configPath,
    rpc: (slug, message, headers) =>
      fetch(`${app.url}/mcp/${slug}`, {
        method: 'POST',
        headers: {
          ...auth,
          'arcade-user-id': 'alice',
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      }),
    api,
    async records(query = '') {
      const response = await api('GET', `/v1/audit_events?limit=100${query}`);
      return ((await response.json()) as { items: Json[] }).items;
    },
    async restart() {
      await app.close();
      app = await start();
    },
    async close() {
      await app.close();
      await database?.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A program of `examples/` in a process of its own. */
export interface TestWorker {
  readonly uri: string;
  readonly child: ChildProcess;
  /** What it said so far, on either stream. */
  said(): string;
  stop(): Promise<void>;
}

export const startReferenceServer = (secret: string, port = 0, strict = false): Promise<TestWorker> =>
  startExample('reference-server/src/main.ts', {
    SALLYPORT_WORKER_SECRET: secret,
    SALLYPORT_SERVER_PORT: String(port),
    SALLYPORT_WORKER_STRICT: String(strict),
  });

/** The mail server of the examples, before a mail service at this address. */
export const startMailServer = (secret: string, apiUrl: string): Promise<TestWorker> =>
  startExample('mail-server/src/main.ts', {
    SALLYPORT_WORKER_SECRET: secret,
    MAIL_API_URL: apiUrl,
    SALLYPORT_SERVER_PORT: '0',
    SALLYPORT_WORKER_STRICT: 'true',
  });

/** What stands in for Google beside it: sign-in, and the mailboxes of two users. */
export const startMailStandIn = (): Promise<TestWorker> =>
  startExample('mail-server/src/stand-in/main.ts', { STAND_IN_PORT: '0' });

async function startExample(name: string, env: Record<string, string>): Promise<TestWorker> {
  const script = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { SALLYPORT_SERVER_TRANSPORT: 'http', ...env },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer];
  if (child.exitCode !== null) throw new Error(`${name} ended before it listened: ${said}`);
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const uri = (JSON.parse(line.toString()) as { listening: string }).listening;
  return {
    uri,
    child,
    said: () => said,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** Parsed JSON whose shape the test itself asserts. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects; a wrong guess fails it.
export type Json = any;

/** The JSON-RPC message of an answer, whether it came as JSON or as the last event of a stream. */
export async function messageOf(response: Response): Promise<{ id: unknown; result: Json; error: Json }> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return JSON.parse(text);
  const events = text.split('\n').filter((line) => line.startsWith('data: '));
  return JSON.parse((events.at(-1) as string).slice(6));
}

/** A `tools/call` of the generation with a handshake. */
export const toolCall = (name: string, args: object = {}) => ({
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
});

/** `_meta`, headers and params of a 2026-07-28 request. */
export function modern(method: string, params: Record<string, unknown> = {}) {
  const name = (params.name ?? params.uri ?? params.taskId) as string | undefined;
  return {
    message: {
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
        },
      },
    },
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    } as Record<string, string>,
  };
}
