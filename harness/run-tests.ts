import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { startPostgres } from './postgres.ts';

/**
 * `npm test`: finds every `*.test.ts` of the workspace and gives it to Node's own runner.
 *
 *     node harness/run-tests.ts [--all] [--postgres] [--deploy] [path or test name …]
 *
 * `--all` adds the files named `*.slow.test.ts`. `--postgres` runs those of the server on a PostgreSQL of this machine that
 * lives only for the run. `--deploy` runs the files named `*.deploy.test.ts` and no others: they build and run
 * containers. A further argument that occurs in a test file's path selects that file; one that occurs in none is a pattern
 * for names of tests.
 */
const root = join(import.meta.dirname, '..');
const packages = ['contracts', 'server', 'sdk', 'cli', 'harness', 'examples'];
const testTimeoutMs = 120_000;
/** A file that never ends is ended with the run, which then fails and says which one it was. */
const runTimeoutMs = 13 * 60_000;

function findTests(folders: readonly string[], all: boolean, deploy: boolean): string[] {
  return folders
    .flatMap((name) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((path) => join(name, path)),
    )
    .filter((path) => path.endsWith('.test.ts') && !/(^|\/)(node_modules|dist)\//.test(path))
    .filter((path) => path.endsWith('.deploy.test.ts') === deploy)
    .filter((path) => all || !path.endsWith('.slow.test.ts'))
    .sort();
}

/** What the tests may see of our environment: settings of the developer's own gateway must not reach them. */
function cleanEnvironment(databaseUrl: string | null): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      name === 'SALLYPORT_TEST_DATABASE_URL' || !(name.startsWith('SALLYPORT_') || name === 'DATABASE_URL'),
  );
  // Each file is a process of its own, and most of what it loads is what the one before loaded.
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(kept),
    NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node'),
  };
  if (databaseUrl !== null) env.SALLYPORT_TEST_DATABASE_URL = databaseUrl;
  return env;
}

function runNodeTests(
  files: readonly string[],
  names: readonly string[],
  env: NodeJS.ProcessEnv,
  atOnce: number,
): Promise<number> {
  const patterns = names.map((name) => `--test-name-pattern=${name}`);
  // Not forced to exit: that loses results, and hides what a test leaves open.
  const settings = [`--test-concurrency=${atOnce}`, `--test-timeout=${testTimeoutMs}`];
  // The embedded database is WebAssembly: nearly every file starts it, and few ask it enough to earn optimised code back.
  // A file lives for seconds: room for what it makes costs less than sweeping it up, and collecting on more threads takes the cores of other files.
  const v8 = ['--liftoff-only', '--max-semi-space-size=64', '--single-threaded-gc'];
  const args = [...v8, '--test', ...settings, ...patterns, ...files];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  setTimeout(() => child.kill('SIGTERM'), runTimeoutMs).unref();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith('--'));
  const known = ['--all', '--postgres', '--deploy'];
  const unknown = options.filter((option) => !known.includes(option));
  if (unknown.length > 0) {
    console.error(`Unknown option ${unknown.join(', ')}. Known: ${known.join(', ')}.`);
    return 2;
  }
  const isPostgres = options.includes('--postgres');
  // No other package has a database.
  const folders = isPostgres ? ['server'] : packages;
  const all = findTests(folders, options.includes('--all'), options.includes('--deploy'));
  const asked = args
    .filter((arg) => !arg.startsWith('--'))
    .map((arg) => (arg.startsWith('/') ? relative(root, arg) : arg));
  const paths = asked.filter((arg) => all.some((file) => file.includes(arg)));
  const names = asked.filter((arg) => !paths.includes(arg));
  const files = paths.length === 0 ? all : all.filter((file) => paths.some((path) => file.includes(path)));
  if (files.length === 0) {
    console.error('No test was found: nothing was checked.');
    return 1;
  }
  // On two cores: files wait for a disk and for other processes; the slow ones start several of their own.
  const atOnce = options.length === 0 ? 3 : 2;
  if (!isPostgres) return runNodeTests(files, names, cleanEnvironment(null), atOnce);
  const postgres = await startPostgres();
  try {
    return await runNodeTests(files, names, cleanEnvironment(postgres.url), atOnce);
  } finally {
    await postgres.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
