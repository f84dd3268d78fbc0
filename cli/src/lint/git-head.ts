import { execFile } from 'node:child_process';
import { relative } from 'node:path';
import { promisify } from 'node:util';
import type { LintFile } from './lint-file.ts';

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

/** What git has of files at HEAD. A file that is as it is there, is not there, or has no git at all, gives `null`. */
export async function readsHead(root: string): Promise<(file: LintFile) => Promise<string | null>> {
  const git = async (...args: string[]) =>
    (await run('git', ['-C', root, ...args], { maxBuffer, encoding: 'utf8' })).stdout;
  const changed = await git(
    'diff',
    '--name-only',
    '--no-ext-diff',
    '--no-textconv',
    '--relative',
    '-z',
    'HEAD',
  )
    .then((names) => new Set(names.split('\0')))
    .catch(() => new Set<string>());
  return async ({ path }) => {
    const name = relative(root, path).replaceAll('\\', '/');
    return changed.has(name) ? git('show', `HEAD:./${name}`).catch(() => null) : null;
  };
}
