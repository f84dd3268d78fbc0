import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const reference = fileURLToPath(new URL('../../../examples/reference-server/src/main.ts', import.meta.url));
const eras = fileURLToPath(new URL('../../../server/test/serve-era.ts', import.meta.url));

/** A real MCP server that ends with the test: its address without a path. */
export async function startMcp(
  t: Pick<TestContext, 'after'>,
  which: 'reference' | 'legacy' | 'modern' = 'reference',
): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    ARCADE_SERVER_TRANSPORT: 'http',
    ARCADE_SERVER_HOST: '127.0.0.1',
    ARCADE_SERVER_PORT: '0',
  };
  const args = which === 'reference' ? [reference] : [eras, which];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said += chunk;
      const url = /https?:\/\/[\d.]+:\d+/.exec(said)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`the server ended: ${said}`)));
  });
}

/** One server for all tests of a file: its address, once they run. */
export function sharedMcp(which: 'reference' | 'legacy' | 'modern' = 'reference'): { url: string } {
  const shared = { url: '' };
  const ends: (() => unknown)[] = [];
  before(async () => {
    shared.url = await startMcp({ after: (end) => void ends.push(end as () => unknown) }, which);
  });
  after(async () => {
    for (const end of ends) await end();
  });
  return shared;
}
