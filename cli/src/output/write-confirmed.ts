import { chmod } from 'node:fs/promises';
import type { FileChange } from '../files/file-change.ts';
import { type WriteOptions, writeChanges } from '../files/write-changes.ts';
import { confirm } from './ask.ts';
import type { Io } from './io.ts';

export interface ConfirmedOptions extends WriteOptions {
  readonly io: Io;
  /** Was said on the command line. */
  readonly yes: boolean;
  /** Only its owner may read such a file, one that was there before, too. */
  readonly closed?: boolean;
}

/** Shows the differences, asks, and writes; whether anything was to be written. */
export async function writeConfirmed(
  changes: readonly FileChange[],
  options: ConfirmedOptions,
): Promise<boolean> {
  const { io, printer, dryRun, yes } = options;
  const wanted = changes.filter(({ before, after }) => before !== after);
  if (wanted.length === 0) return false;
  await writeChanges(wanted, { ...options, dryRun: true });
  if (dryRun) return true;
  await confirm(io, `Write ${wanted.map(({ path }) => path).join(', ')}?`, yes);
  if (options.closed === true && process.platform !== 'win32') {
    for (const { path, before } of wanted) if (before !== null) await chmod(path, 0o600);
  }
  await writeChanges(wanted, { ...options, printer: { ...printer, line: () => undefined } });
  return true;
}
