#!/usr/bin/env node
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { format } from 'node:util';
import { printableLine } from './output/printable.ts';
import { run } from './run.ts';

// What a library says is no answer of ours, and may have been put into its mouth by a server.
for (const say of ['debug', 'info', 'log', 'warn', 'error'] as const) {
  console[say] = (...said) => void process.stderr.write(`${printableLine(format(...said))}\n`);
}

const stopped = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
// `sallyport … | head` has read enough: nobody is there to be told.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  stopped.abort();
});

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  configDir: join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'sallyport'),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  fetch,
  now: Date.now,
  sleep: async (ms, signal) => void (await sleep(ms, undefined, signal === undefined ? {} : { signal })),
  signal: stopped.signal,
});
