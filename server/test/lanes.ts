import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Answer, type Connection, type Connections, openConnections } from './connections.ts';
import { temporaryDirectory } from './database.ts';
import type { Json } from './start-app.ts';
import { startProcess, type TestProcess } from './start-process.ts';

/** A server of several processes, with a worker `reference` behind the gateway `main`. */
export interface Lanes {
  readonly server: TestProcess;
  /** Every line of the log. */
  lines(): Json[];
  api(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }>;
  /** Process ids of the lanes, in the order in which they began to serve. */
  pids(): number[];
  /** Done when so many have begun to serve, all in all. */
  served(count: number): Promise<void>;
  /** Connections of a user. */
  open(count: number, headers?: Record<string, string>): Connections;
  /** The name of the process that logged the call which was answered so. */
  servedBy(answer: Answer): Promise<string>;
  /** A connection to each of three processes, of which `call` shows whose it is: a call of a worker's tool. */
  ofEach(call: object): Promise<Readonly<Record<ProcessName, Connection>>>;
  close(): void;
}

export type ProcessName = (typeof processNames)[number];
export const processNames = ['office', 'lane-1', 'lane-2'] as const;

const adminKey = 'sp_the_key_of_this_test';
export const auth = { authorization: `Bearer ${adminKey}` };
export const asAlice = { ...auth, 'arcade-user-id': 'alice' };
export const secret = 'a-worker-secret-of-thirty-two-chars';

/** Beside the office there are `count - 1` lanes. A directory that is given is not made new. */
export async function startLanes(
  workerUri: string,
  count = 3,
  directory = temporaryDirectory(),
  env: Record<string, string> = {},
): Promise<Lanes & { readonly directory: string }> {
  writeFileSync(
    join(directory, 'sallyport.yaml'),
    `workers: [{ id: reference, http: { uri: "${workerUri}", secret: ${secret} } }]\ngateways: [{ slug: main }]\n`,
  );
  const server = await startProcess({ SALLYPORT_PROCESSES: String(count), ...env }, directory);
  const opened: Connections[] = [];
  const lines = (): Json[] =>
    server
      .stdout()
      .split('\n')
      .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : []));
  const pids = () =>
    lines()
      .filter(({ msg }) => msg === 'a lane serves')
      .map(({ pid }) => pid);
  const lanes: Lanes = {
    server,
    lines,
    pids,
    async api(method, path, body) {
      const answer = await fetch(`${server.url}${path}`, {
        method,
        headers: { ...auth, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
    },
    async served(wanted) {
      while (pids().length < wanted) await once(server.child.stdout as Readable, 'data');
    },
    open(wanted, headers = asAlice) {
      const connections = openConnections(server.url, wanted, headers);
      opened.push(connections);
      return connections;
    },
    async servedBy(answer) {
      for (;;) {
        const line = lines().find(({ trace_id }) => trace_id === traceOf(answer));
        if (line !== undefined) return line.process ?? 'office';
        await lanes.api('GET', '/v1/health');
      }
    },
    async ofEach(call) {
      const found = new Map<string, Connection>();
      while (found.size < processNames.length) {
        const [one] = lanes.open(1).all as [Connection];
        const name = await lanes.servedBy(await one.post('/mcp/main', call));
        if (!found.has(name)) found.set(name, one);
      }
      return Object.fromEntries(found) as Record<ProcessName, Connection>;
    },
    close() {
      for (const connections of opened) connections.close();
      if (server.child.exitCode === null) server.child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await lanes.served(count - 1);
  while ((await lanes.api('GET', '/v1/workers/reference/health')).body.healthy !== true);
  return { ...lanes, directory };
}

export const traceOf = ({ headers }: Pick<Answer, 'headers'>) =>
  String(headers.traceresponse).split('-')[1] as string;

export const works = ({ body }: Answer) => body?.result !== undefined && body.result.isError !== true;
