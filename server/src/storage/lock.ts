import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault, messageOf } from '#foundation';

export interface DirectoryLock {
  release(): void;
}

/** Longest path of a socket that every system takes, in bytes. */
const SOCKET_PATH_MAX = 100;
const ANSWER_TIMEOUT_MS = 1000;
const ATTEMPTS = 5;

/**
 * Makes sure that only one process uses a data directory. The lock is a listening socket, `<dataDir>/lock`, which
 * dies with its process however it ends, and tells whoever asks the number of that process; numbers alone would
 * not do, because in a container every process is number 1.
 */
export async function lockDataDir(dataDir: string): Promise<DirectoryLock> {
  const directory = makeDirectory(dataDir);
  let path = lockPath(directory);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const bound = await listen(path);
    if (bound.ok) return { release: () => release(bound.server, path) };
    if (bound.code === 'ENOTSUP' || bound.code === 'EOPNOTSUPP') {
      path = join(tmpdir(), `sallyport-${shortHash(directory)}.lock`);
      continue;
    }
    if (bound.code !== 'EADDRINUSE') throw notWritable(directory, bound.code);
    const seen = inode(path);
    const holder = await askHolder(path);
    if (holder !== null) throw inUse(dataDir, holder);
    if (seen !== null && seen === inode(path)) remove(path);
  }
  throw new Fault(
    `The data directory ${directory} could not be locked: other processes keep taking ${path}.`,
  );
}

function makeDirectory(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return realpathSync(dataDir);
  } catch (thrown) {
    throw notWritable(dataDir, messageOf(thrown));
  }
}

function notWritable(directory: string, problem: string): Fault {
  return new Fault(
    `Cannot write in the data directory ${directory} (${problem}). Check its permissions, or set SALLYPORT_DATA_DIR.`,
  );
}

function inUse(dataDir: string, holder: string): Fault {
  return new Fault(
    `The data directory ${dataDir} is in use by ${holder}. Stop that process, or set SALLYPORT_DATA_DIR to another ` +
      'directory.',
  );
}

function lockPath(directory: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\sallyport-${shortHash(directory)}`
    : join(directory, 'lock');
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

type Bound = { ok: true; server: Server } | { ok: false; code: string };

async function listen(path: string): Promise<Bound> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`process ${process.pid} on ${hostname()}`);
  });
  const result = await throughShortPath(path, (shortPath) => {
    return new Promise<Bound>((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        resolve({ ok: false, code: error.code ?? error.message }),
      );
      server.listen(shortPath, () => resolve({ ok: true, server }));
    });
  });
  server.unref();
  return result;
}

/** Who answers at the socket, or `null` when nobody listens there any more. */
function askHolder(path: string): Promise<string | null> {
  return throughShortPath(path, (shortPath) => {
    return new Promise<string | null>((resolve) => {
      const socket = connect(shortPath);
      let dead = false;
      let answer = '';
      socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
      socket.on('data', (chunk) => {
        answer += chunk.toString('utf8');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        dead = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
      });
      socket.on('close', () => resolve(dead ? null : answer || 'a process that does not answer'));
    });
  });
}

/** A socket's path may hold about a hundred bytes; longer ones are reached through a symbolic link of our own. */
async function throughShortPath<T>(path: string, use: (shortPath: string) => Promise<T>): Promise<T> {
  if (process.platform === 'win32' || Buffer.byteLength(path) <= SOCKET_PATH_MAX) return use(path);
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-'));
  try {
    const link = join(temporary, 'd');
    symlinkSync(dirname(path), link);
    return await use(join(link, 'lock'));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function inode(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was quicker; the next attempt to listen tells.
  }
}

function release(server: Server, path: string): void {
  if (process.platform !== 'win32') remove(path);
  server.close();
}
