import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './database.ts';
import { freePort } from './free-port.ts';

/** Why a test that needs Prometheus is left out here; `false` where there is one. */
export const noPrometheus: string | false = ['prometheus', 'promtool'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
)
  ? false
  : 'there is no prometheus here (Debian: apt-get install --no-install-recommends prometheus)';

/** What it says, and whether it was content. */
export function promtool(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string },
) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', ...options });
  return { ok: status === 0, said: stdout + stderr };
}

export interface Prometheus {
  /** `data` of an answer of its API; throws what it says of a mistake. */
  ask<T>(path: string, query?: Readonly<Record<string, string>>): Promise<T>;
  close(): Promise<void>;
}

/** A server of its own on a free port of loopback, with this configuration. */
export async function startPrometheus(config: string): Promise<Prometheus> {
  const directory = temporaryDirectory();
  const file = join(directory, 'prometheus.yml');
  writeFileSync(file, config);
  const origin = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${new URL(origin).host}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const close = async () => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  while (
    !(await fetch(`${origin}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode === null) continue;
    await close();
    throw new Error(`prometheus ended: ${said}`);
  }
  return {
    async ask<T>(path: string, query: Readonly<Record<string, string>> = {}) {
      const answer = await fetch(`${origin}/api/v1/${path}?${new URLSearchParams(query)}`);
      const body = (await answer.json()) as { status: string; data: T; error?: string };
      if (body.status !== 'success') throw new Error(`${JSON.stringify(query)}: ${body.error}`);
      return body.data;
    },
    close,
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
