import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { StdioCommand } from '#domain';
import { type Clock, err, messageOf, ok, type Result } from '#foundation';

/** A process that we started, in a group of its own. It never outlives us, however we end. */
export interface ServerProcess {
  readonly pid: number;
  /** Hands over one line, unless its input is closed, or so much waits for it already that it does not read. */
  write(line: string): 'written' | 'closed' | 'full';
  /** Closes its input, and ends it, and whatever it started, where it does not go by itself. */
  stop(): void;
}

export interface ServerProcessOptions {
  readonly command: StdioCommand;
  /** The environment, besides what the command brings. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
  /** Called once, after the last byte of its output; says how it ended. */
  readonly onGone: (how: string) => void;
}

const termAfterMs = 2000;
const killAfterMs = 5000;
/** What it left open, as a process that left its group may hold its output for ever. */
const lingerMs = 1000;
const maxRunning = 200;
/** What it does not read waits with us, up to this. */
const maxWaitingBytes = 16 * 1024 * 1024;

/**
 * Stands beside each process: reads its group, then waits for our word that it is gone. Where its input ends without that
 * word, we are dead, however that came, and it ends the group in our place.
 */
const guard = `
read -r group || exit 0
read -r gone && exit 0
leave() { for second in $1; do kill -0 "-$group" || exit 0; sleep 1; done; }
leave "1 2"
kill -TERM "-$group"
leave "1 2 3"
kill -KILL "-$group"`;

/** Of all sources together. */
let running = 0;

/** Starts it; the error says in words why it cannot be. */
export async function startServerProcess(
  options: ServerProcessOptions,
): Promise<Result<ServerProcess, string>> {
  const { command, args, cwd } = options.command;
  const env = { ...options.env, ...options.command.env };
  if (running >= maxRunning)
    return err(`the gateway runs ${maxRunning} processes already and starts no more`);
  running++;
  const detached = true;
  const guarding = await spawned(() =>
    spawn('/bin/sh', ['-c', guard], { stdio: ['pipe', 'ignore', 'ignore'], detached, env: options.env }),
  );
  if (guarding.ok) {
    const place = cwd === null ? {} : { cwd };
    const child = await spawned(() =>
      spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached, env, ...place }),
    );
    if (child.ok) return ok(watch(child.value, guarding.value, options));
    guarding.value.stdin?.end();
    running--;
    return err(await whyNot(child.error, options.command, env.PATH));
  }
  running--;
  return err(`it could not be started as /bin/sh could not: ${messageOf(guarding.error)}`);
}

async function spawned(start: () => ChildProcess): Promise<Result<ChildProcess, unknown>> {
  try {
    const child = start();
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.on('error', () => {});
    return ok(child);
  } catch (thrown) {
    return err(thrown);
  }
}

async function whyNot(error: unknown, { command, cwd }: StdioCommand, path = ''): Promise<string> {
  if (cwd !== null) {
    const place = await stat(cwd).catch(() => null);
    if (place?.isDirectory() !== true) return `its cwd ${cwd} is no directory`;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') return `its command ${command} is not executable`;
  if (code !== 'ENOENT') return `its command ${command} could not be started: ${messageOf(error)}`;
  const where = command.includes('/') ? '' : ` in PATH (${path})`;
  return `its command ${command} was not found${where}`;
}

function watch(
  child: ChildProcess,
  guarding: ChildProcess,
  { clock, ...options }: ServerProcessOptions,
): ServerProcess {
  const pid = child.pid as number;
  const [stdin, stdout, stderr] = child.stdio as readonly unknown[] as [Writable, Readable, Readable];
  const lifeline = guarding.stdin as Writable;
  const timers: (() => void)[] = [];
  let how: string | null = null;
  let stopping = false;

  const after = (ms: number, run: () => void) => {
    const cancel = clock.every(ms, () => {
      cancel();
      run();
    });
    timers.push(cancel);
  };
  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody is left in the group.
    }
  };
  function stop(): void {
    if (stopping) return;
    stopping = true;
    stdin.end();
    after(termAfterMs, () => kill('SIGTERM'));
    after(killAfterMs, () => kill('SIGKILL'));
  }
  function rest(): void {
    for (const cancel of timers.splice(0)) cancel();
  }
  function gone(): void {
    rest();
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    if (how === null) return;
    running--;
    options.onGone(how);
    how = null;
  }

  for (const stream of [stdin, lifeline]) stream.on('error', () => {});
  lifeline.write(`${pid}\n`);
  // Without its input or its output it can be of no use.
  stdin.once('close', stop);
  stdout.on('data', options.onStdout).once('end', stop);
  stderr.on('data', options.onStderr);
  child.once('exit', (code, signal) => {
    how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
    rest();
    // Whatever it started goes with it.
    kill('SIGKILL');
    lifeline.end('gone\n');
    after(lingerMs, gone);
  });
  child.once('close', gone);

  return {
    pid,
    write(line) {
      if (stopping || !stdin.writable) return 'closed';
      if (stdin.writableLength > maxWaitingBytes) return 'full';
      stdin.write(`${line}\n`);
      return 'written';
    },
    stop,
  };
}
