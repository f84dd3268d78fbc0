import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** For all that do not say it themselves; what a server has by itself unless told. */
const processes = process.env.SALLYPORT_TEST_PROCESSES;

/** The server as a person starts it: a process with an environment, and what it printed. */
export interface TestProcess {
  readonly child: ChildProcess;
  readonly url: string;
  stdout(): string;
  stderr(): string;
  /** The lines of its log, which stand on stdout between those for people. */
  logged(): readonly LogLine[];
  /** Ends it and gives the exit code, or the signal where that ended it. */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Starts it and waits for the line that says where it listens. */
export async function startProcess(env: Record<string, string>, cwd: string): Promise<TestProcess> {
  const started = spawnMain(env, cwd);
  const url = await started.listening;
  if (url === null) throw new Error(`the server ended before it listened: ${started.stderr()}`);
  const { child, stdout, stderr } = started;
  return {
    child,
    url,
    stdout,
    stderr,
    logged: () =>
      stdout()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
    async stop(signal) {
      // Not its exit: what it said last is still to be read then.
      const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
      child.kill(signal);
      const [code, by] = await ended;
      return code ?? by;
    },
  };
}

/** Starts it where it must not start: gives the exit code and what it said. */
export async function failedStart(
  env: Record<string, string>,
  cwd: string,
): Promise<{ code: number | null; stderr: string }> {
  const started = spawnMain(env, cwd);
  const url = await started.listening;
  if (url !== null) {
    started.child.kill('SIGKILL');
    throw new Error('the server started');
  }
  return { code: started.child.exitCode, stderr: started.stderr() };
}

function spawnMain(env: Record<string, string>, cwd: string) {
  const child = spawn(process.execPath, [main], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      SALLYPORT_PORT: '0',
      SALLYPORT_DEMO: 'off',
      SALLYPORT_ADMIN_KEY: 'sp_the_key_of_this_test',
      ...(processes === undefined ? {} : { SALLYPORT_PROCESSES: processes }),
      ...env,
    },
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const listening = new Promise<string | null>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      const found = /is ready on (https?:\/\/\S+)/.exec(stdout);
      if (found !== null) resolve(found[1] as string);
    });
    child.once('close', () => resolve(null));
  });
  return { child, listening, stdout: () => stdout, stderr: () => stderr };
}
