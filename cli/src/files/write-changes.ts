import { randomUUID } from 'node:crypto';
import {
  constants,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  realpath,
  rename,
  rmdir,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { Io } from '../output/io.ts';
import type { Printer } from '../output/printer.ts';
import type { FileChange } from './file-change.ts';
import { readText } from './read-text.ts';
import { printDiff, unifiedDiff } from './unified-diff.ts';

export interface WriteOptions {
  readonly io: Pick<Io, 'cwd'>;
  readonly printer: Printer;
  /** Shows what would change, and writes nothing. */
  readonly dryRun: boolean;
  /** What the shown text is given through first, where a file may hold secret values. */
  readonly redact?: (text: string) => string;
  /** Permissions of files that are new: `0o600` where they hold secret values. */
  readonly newFileMode?: number;
  /** New files are named, not shown: what a template makes is read in its place. */
  readonly namesOnly?: boolean;
}

/**
 * Shows the differences, then writes all the files or none. A file that is no longer as `before` says is refused: somebody
 * else has written it meanwhile. Files keep their permissions, and symbolic links stay links.
 */
export async function writeChanges(changes: readonly FileChange[], options: WriteOptions): Promise<void> {
  const { io, printer, dryRun, redact = (text) => text } = options;
  const wanted = changes.filter(({ before, after }) => before !== after);
  const paths = new Set(wanted.map(({ path }) => path));
  if (paths.size !== wanted.length) throw new Error('two changes of one file');
  for (const change of wanted) await refuseIfChanged(change, io.cwd);
  for (const change of wanted) {
    if (options.namesOnly === true && change.before === null)
      printer.line(`${printer.style('green', '+')} ${relative(io.cwd, change.path)}`);
    else printDiff(printer, redact(unifiedDiff(change, io.cwd)));
  }
  if (!dryRun) await writeAll(wanted, io.cwd, options.newFileMode);
}

async function writeAll(changes: readonly FileChange[], cwd: string, newFileMode?: number): Promise<void> {
  const undo: (() => Promise<unknown>)[] = [];
  const backups: string[] = [];
  try {
    const prepared = [];
    for (const change of changes) prepared.push(await prepare(change, undo, newFileMode));
    for (const { change } of prepared) await refuseIfChanged(change, cwd);
    for (const { change, target, temporary } of prepared) {
      if (change.before !== null) backups.push(await backUp(target, undo));
      if (temporary === null) await unlink(target);
      else await put(temporary, target, change.before === null, undo);
    }
    for (const folder of new Set(prepared.map(({ target }) => dirname(target)))) await sync(folder);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    if (error instanceof CommandError) throw error;
    const { message } = error as Error;
    throw new CommandError('file.not-written', `Nothing was written: ${message}.`, [], { cause: error });
  }
  for (const backup of backups) await unlink(backup).catch(() => undefined);
}

interface Prepared {
  readonly change: FileChange;
  /** Where the file really is, behind symbolic links. */
  readonly target: string;
  /** Holds what is to be; `null` for a file that is to go. */
  readonly temporary: string | null;
}

async function prepare(
  change: FileChange,
  undo: (() => Promise<unknown>)[],
  newFileMode = 0o644,
): Promise<Prepared> {
  const target = change.before === null ? change.path : await realpath(change.path);
  if (change.after === null) return { change, target, temporary: null };
  await makeFolder(dirname(target), undo);
  const temporary = beside(target);
  const mode = change.before === null ? null : (await lstat(target)).mode & 0o7777;
  const file = await open(temporary, 'wx', mode ?? newFileMode);
  undo.push(() => unlink(temporary));
  try {
    await file.writeFile(change.after);
    if (mode !== null) await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
  return { change, target, temporary };
}

async function makeFolder(folder: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const made = relative(first, folder).split(/[\\/]/).filter(Boolean);
  for (let depth = 0; depth <= made.length; depth++) {
    const path = join(first, ...made.slice(0, depth));
    undo.push(() => rmdir(path));
  }
}

/** A second name for the file as it is, from which it comes back when a later one fails. */
async function backUp(target: string, undo: (() => Promise<unknown>)[]): Promise<string> {
  const backup = beside(target);
  await link(target, backup).catch(() => copyFile(target, backup, constants.COPYFILE_EXCL));
  undo.push(() => rename(backup, target));
  return backup;
}

/** A new file never replaces one that came meanwhile. */
async function put(
  temporary: string,
  target: string,
  isNew: boolean,
  undo: (() => Promise<unknown>)[],
): Promise<void> {
  if (!isNew) return rename(temporary, target);
  try {
    await link(temporary, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    await copyFile(temporary, target, constants.COPYFILE_EXCL);
  }
  undo.push(() => unlink(target));
  await unlink(temporary);
}

async function refuseIfChanged({ path, before }: FileChange, cwd: string): Promise<void> {
  if ((await readText(path)) === before) return;
  const name = relative(cwd, path);
  throw new CommandError(
    'file.changed',
    before === null
      ? `${name} is there already; nothing was written.`
      : `${name} was changed by somebody else meanwhile; nothing was written. Run the command again.`,
  );
}

/** So that the names are on the disk, too; where folders cannot be synced, the system does it in its own time. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

const beside = (target: string): string =>
  join(dirname(target), `.${basename(target)}.${randomUUID().slice(0, 8)}.tmp`);
