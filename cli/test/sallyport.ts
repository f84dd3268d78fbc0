import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A real Sallyport as a person starts it, in a folder that is gone with it. */
export interface TestSallyport {
  readonly url: string;
  readonly key: string;
  /** The one-time link by which the owner comes in. */
  readonly ownerLink: string;
  /** One request of the REST API, as the key. */
  ask(method: string, path: string, body?: object): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startSallyport(
  env: Record<string, string> = {},
  config?: string,
): Promise<TestSallyport> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-cli-server-')));
  if (config !== undefined) await writeFile(join(folder, 'sallyport.yaml'), config);
  const key = 'sp_the_key_of_this_test';
  const started = await startProgram(join(root, 'server/src/main.ts'), folder, /is ready on (http:\S+)/, {
    SALLYPORT_PORT: '0',
    SALLYPORT_PROCESSES: '1',
    SALLYPORT_ADMIN_KEY: key,
    SALLYPORT_LOG_LEVEL: 'warn',
    ...env,
  });
  const { url } = started;
  return {
    url,
    key,
    get ownerLink() {
      return /http:\S+\/oauth2\/link#\S+/.exec(started.stdout())?.[0] ?? '';
    },
    async ask(method, path, body) {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    async stop() {
      await started.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The reference server over HTTP: an MCP server at `/mcp`, and an Arcade worker with a secret. */
export async function startReference(secret: string): Promise<{ url: string; stop(): Promise<void> }> {
  const main = join(root, 'examples/reference-server/src/main.ts');
  return await startProgram(main, tmpdir(), /"listening":"(http:[^"]+)"/, {
    SALLYPORT_SERVER_TRANSPORT: 'http',
    SALLYPORT_SERVER_PORT: '0',
    SALLYPORT_WORKER_SECRET: secret,
  });
}

async function startProgram(main: string, cwd: string, ready: RegExp, env: Record<string, string>) {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [main], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const url = await new Promise<string | null>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      const found = ready.exec(stdout)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('close', () => resolve(null));
  });
  if (url === null) throw new Error(`it ended before it listened: ${stderr}${stdout}`);
  return { url, stdout: () => stdout, stop: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}
