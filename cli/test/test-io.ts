import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import type { TestContext } from 'node:test';
import type { Io } from '../src/output/io.ts';
import { run } from '../src/run.ts';

/** An Io that keeps what is written to it. */
export interface TestIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

export interface TestIoOptions extends Partial<Omit<Io, 'stdin' | 'stdout' | 'stderr' | 'cwd'>> {
  /** What is typed or piped in; nothing, unless given. */
  readonly stdin?: string;
}

/** Settings are kept beside `cwd`, never in the home of who runs the tests; the environment is empty unless given. */
export function testIo(cwd: string, { stdin = '', ...given }: TestIoOptions = {}): TestIo {
  let out = '';
  let err = '';
  return {
    cwd,
    env: {},
    configDir: join(dirname(cwd), 'config'),
    fetch,
    now: () => Date.UTC(2026, 0, 15, 12),
    sleep: async () => {},
    signal: new AbortController().signal,
    ...given,
    stdin: (async function* () {
      if (stdin !== '') yield stdin;
    })(),
    stdout: {
      write: (text) => {
        out += text;
      },
    },
    stderr: {
      write: (text) => {
        err += text;
      },
    },
    out: () => out,
    err: () => err,
  };
}

/** A folder that is gone after the test, with these files: contents by their path with `/`. */
export async function tempFolder(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-cli-')));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'work');
  await mkdir(folder);
  await writeFiles(folder, files);
  return folder;
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Every file below the folder, as `tempFolder` takes them. */
export async function readFiles(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files: Record<string, string> = {};
  for (const path of paths.sort()) {
    files[relative(folder, path).split(sep).join('/')] = await readFile(path, 'utf8');
  }
  return files;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What was printed with `--json`. */
  readonly json: () => unknown;
}

/** Runs one command line in the folder: `await runIn(folder, ['deploy', 'lint'])`. */
export async function runIn(cwd: string, args: readonly string[], options?: TestIoOptions): Promise<Ran> {
  const io = testIo(cwd, options);
  const code = await run(args, io);
  return { code, out: io.out(), err: io.err(), json: () => JSON.parse(io.out()) as unknown };
}
