import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './database.ts';

/** Why a test that needs a Redis server is left out here; `false` where there is one. */
export const noRedis: string | false =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'there is no redis-server here (Debian: apt-get install redis-server)';

export interface RedisServer {
  readonly url: string;
  readonly child: ChildProcess;
  /** Starts it again, empty, at the same address. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** A server of its own on a socket in a temporary folder: it keeps nothing and listens on no port. */
export async function startRedisServer(): Promise<RedisServer> {
  const directory = temporaryDirectory();
  const socket = join(directory, 'redis.sock');
  let child: ChildProcess;
  const start = async () => {
    const args = [
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      directory,
    ];
    child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const started = child;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      started.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (/ready to accept connections/i.test(said)) resolve();
      });
      started.once('error', reject);
      started.once('exit', () => reject(new Error(`redis-server ended: ${said}`)));
    });
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    // Also where it was stopped by a signal.
    child.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    url: `unix://${socket}`,
    get child() {
      return child;
    },
    start,
    kill,
    async close() {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
