import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** Reads the settings, starts the server, and stops it on SIGTERM or SIGINT. Exit codes: 0 stopped, 1 could not start. */

// What was compiled before need not be compiled again: here, in threads and in lanes. It lies beside the packages, trusted as they are.
process.env.NODE_COMPILE_CACHE ||= fileURLToPath(
  new URL('../../node_modules/.cache/sallyport/compiled', import.meta.url),
);
withMemorySettings();
enableCompileCache(process.env.NODE_COMPILE_CACHE);
const { createApp, ownerLink, welcome } = await import('#compose');
const { readSettings } = await import('#config');
const { Fault, messageOf, systemClock } = await import('#foundation');
const { openProcessLog } = await import('#telemetry');

// Of what calls leave behind, next to nothing is alive: dividing a collection among threads costs more than the collection.
setFlagsFromString('--no-parallel-scavenge');
// What this thread was started with is not for those that it starts: they say how little they need, and the flag would go before that.
setFlagsFromString('--max-semi-space-size=0');

const startedAt = performance.now();
const samePressMs = 500;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const settings = readSettings(process.env);
if (!settings.ok) {
  fail(`the environment has mistakes:\n${settings.error.map((mistake) => `  ${mistake}`).join('\n')}`);
}
const { logLevel: level, logFormat } = settings.value;
// Asking makes a pipe one that never blocks: whoever reads the log may stop reading, and stops nothing else.
const format = logFormat ?? (process.stdout.isTTY === true ? 'pretty' : 'json');
const output = await openProcessLog({ level, format, fd: process.stdout.fd });
const { log, print, flush, flushNow } = output;
process.on('uncaughtExceptionMonitor', (error) =>
  log.error({ err: error }, 'a mistake of our own ends the server'),
);
process.on('exit', flushNow);

try {
  const app = await createApp({
    settings: settings.value,
    env: process.env,
    log,
    version,
    lanes: settings.value.processes - 1,
    onLaneSaid: output.passOn,
  });
  let stoppingSince: number | null = null;
  const stop = (signal: string) => {
    if (stoppingSince !== null) {
      // A second signal means now. One that comes with the first is the same Ctrl+C: npm passes on what the terminal sent us, too.
      if (performance.now() - stoppingSince > samePressMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    log.info({ signal }, 'stopping: calls under way are finished first');
    app.close().then(
      () => end(0),
      (error) => {
        log.error({ err: error }, 'stopping went wrong');
        end(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const link = await ownerLink(app, { atTerminal: process.stderr.isTTY === true, clock: systemClock });
  const startedInMs = performance.now() - startedAt;
  print(welcome(app, { ownerLink: link, version, startedInMs }));
} catch (error) {
  if (!(error instanceof Fault)) log.error({ err: error }, 'the server could not start');
  await flush();
  fail(messageOf(error));
}

function end(code: number): void {
  flush().finally(() => process.exit(code));
}

function fail(message: string): never {
  process.stderr.write(`sallyport: ${message}\n`);
  process.exit(1);
}

/**
 * Makes this process anew, with the same id and streams, where it was not given what Node and its allocator read only as they start
 * (docs/guides/performance.md). What somebody gave stays.
 */
function withMemorySettings(): void {
  const given = [...process.execArgv, process.env.NODE_OPTIONS].join(' ').replaceAll('_', '-');
  const flags = ['--max-semi-space-size=16', '--heap-growing-percent=100'].filter(
    (flag) => !given.includes(flag.slice(0, flag.indexOf('='))),
  );
  const megabyte = 1024 * 1024;
  const allocator = { arena_max: 2, mmap_threshold: megabyte, trim_threshold: megabyte };
  const tunables = Object.entries(allocator).map(([name, value]) => `glibc.malloc.${name}=${value}`);
  // Whether the environment arrived is no sign: of a program with capabilities glibc takes such out, and it would start for ever.
  const isAnew = flags.length === 0;
  // Who forked us, and watches files say, would lose us.
  if (isAnew || process.send !== undefined || process.platform === 'win32') return;
  process.execve?.(
    process.execPath,
    [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)],
    { GLIBC_TUNABLES: tunables.join(':'), ...process.env },
  );
}
