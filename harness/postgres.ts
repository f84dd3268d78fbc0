import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Postgres {
  /** For `pg`, to which `host` in the query is the folder of the socket; the host in front only makes it a URL. */
  readonly url: string;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/** The folder of the newest PostgreSQL of this machine, or null. Debian keeps the server off the PATH. */
export function findPostgresBin(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return (
    folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ??
    null
  );
}

/** PostgreSQL refuses to run as root, so root runs it as the user that the package made. */
function serverUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A throw-away server on a unix socket in its own temporary folder; it listens on no TCP port. */
export async function startPostgres(): Promise<Postgres> {
  const bin = findPostgresBin();
  if (bin === null)
    throw new Error('No PostgreSQL here: install the server (Debian: apt-get install postgresql).');
  const user = serverUser();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pg-'));
  const data = join(folder, 'db');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let child: ChildProcess | null = null;
  try {
    if (user !== null) chownSync(folder, user.uid, user.gid);
    const as = { cwd: folder, ...user };
    const initArgs = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(join(bin, 'initdb'), initArgs, { ...as, stdio: ['ignore', 'ignore', 'inherit'] });
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${folder}`,
      'fsync=off',
      'max_connections=200',
    ];
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    child = spawn(join(bin, 'postgres'), args, { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
    await accepting(child);
  } catch (thrown) {
    if (child !== null) await end(child);
    remove();
    throw thrown;
  }
  const server = child;
  return {
    url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`,
    async stop() {
      await end(server);
      remove();
    },
  };
}

function accepting(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(
      () => reject(new Error(`PostgreSQL did not start in time: ${said}`)),
      startTimeoutMs,
    );
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
      if (!said.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
    server.on('error', reject);
    server.on('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said}`)));
  });
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const timer = setTimeout(() => server.kill('SIGQUIT'), stopTimeoutMs);
  server.kill('SIGINT');
  await ended;
  clearTimeout(timer);
}
