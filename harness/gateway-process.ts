import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GatewayProcess {
  readonly origin: string;
  /** An admin key of the gateway. */
  readonly key: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** What stands in the config file. */
export interface GatewayConfig {
  readonly workers?: readonly { readonly id: string; readonly [field: string]: unknown }[];
  readonly [section: string]: unknown;
}

/** This tree. */
export const ownRoot = join(import.meta.dirname, '..');
const startTimeoutMs = 60_000;
const stopTimeoutMs = 40_000;

export interface GatewayStart {
  /** Put in front of the command: to pin it to a core. */
  readonly before?: readonly string[];
  /** For Node itself, after those of `npm start`. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The tree whose server is started; this one unless told. */
  readonly root?: string;
  /** Whether every source is asked before it counts as started; so unless told. */
  readonly asksSources?: boolean;
}

/**
 * Starts the server as `npm start` does, as a process of its own with a config file and a data directory that live only as
 * long as it does.
 */
export async function startGateway(
  config: GatewayConfig,
  { before = [], nodeArgs = [], env: more = {}, root = ownRoot, asksSources = true }: GatewayStart = {},
): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-run-'));
  const key = `sp_${randomBytes(24).toString('hex')}`;
  // Every JSON document is a YAML document.
  writeFileSync(join(folder, 'sallyport.yaml'), JSON.stringify(config));
  const { variables, args: nodeOptions, file } = startScript(root);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    SALLYPORT_CONFIG: join(folder, 'sallyport.yaml'),
    SALLYPORT_DATA_DIR: join(folder, 'state'),
    SALLYPORT_PORT: '0',
    SALLYPORT_DEMO: 'off',
    SALLYPORT_ADMIN_KEY: key,
    ...variables,
    ...more,
  };
  const start = [...before, process.execPath, ...nodeOptions, ...nodeArgs, file];
  const [command = process.execPath, ...args] = start;
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const origin = await printedOrigin(child);
    const asked = asksSources ? (config.workers ?? []) : [];
    await ready(
      origin,
      key,
      asked.map(({ id }) => id),
    );
    return { origin, key, pid: child.pid ?? 0, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** What `npm start` gives to Node: the script is `<variables> exec node <arguments> <file>`, where older trees have variables and arguments. */
function startScript(root: string) {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [given = '', command = ''] = scripts.start.split('exec node ');
  const variables = Object.fromEntries(
    [...given.matchAll(/(\S+?)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  const args = command.split(' ');
  const file = join(root, args.pop() ?? '');
  return { variables, args, file };
}

/** Ready to serve is not yet to know what every source offers: these are asked now, and must answer. */
async function ready(origin: string, key: string, sources: readonly string[]): Promise<void> {
  const end = performance.now() + startTimeoutMs;
  const headers = { Authorization: `Bearer ${key}` };
  for (const path of ['/readyz', ...sources.map((id) => `/v1/workers/${id}/health`)]) {
    for (;;) {
      const answer = await fetch(`${origin}${path}`, { headers }).catch(() => null);
      const body = (await answer?.json().catch(() => null)) as { healthy?: boolean } | null;
      if (answer?.status === 200 && body?.healthy !== false) break;
      if (performance.now() > end) throw new Error(`the gateway is not ready: ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The server prints the address that it listens on. */
export function printedOrigin(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    let found = false;
    const timer = setTimeout(
      () => reject(new Error(`no address was printed in time: ${said}`)),
      startTimeoutMs,
    );
    const read = (chunk: Buffer): void => {
      if (found) return;
      said = (said + chunk.toString()).slice(-8000);
      // Lines of the log are JSON, and may hold other addresses.
      const origin = /^[^{]*(http:\/\/127\.0\.0\.1:\d+)/m.exec(said)?.[1];
      if (origin === undefined) return;
      found = true;
      clearTimeout(timer);
      resolve(origin);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8000);
      // Node's own words about an inspector that measures the process.
      if (!/^Debugger (attached|ending)/.test(chunk.toString())) process.stderr.write(chunk);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}: ${said}`)));
  });
}

/** SIGTERM, and SIGKILL for one that does not go. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
