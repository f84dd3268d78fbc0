import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { unpackDirectory } from './archive.ts';
import type { RowLines } from './contract.ts';
import { copyRows } from './copy-rows.ts';
import { insertRows } from './row-lines.ts';
import { type ToldError, toldError } from './sql-error.ts';
import { parsers, serializers } from './types.ts';

/** What the driver asks for. */
export type Work =
  | { readonly kind: 'query'; readonly sql: string; readonly params: readonly unknown[] }
  | { readonly kind: 'append'; readonly rows: RowLines }
  | { readonly kind: 'script'; readonly sql: string }
  | { readonly kind: 'close' };

/** Answered in order, by the same `id`. */
export interface WorkerRequest {
  readonly id: number;
  readonly work: Work;
}

export type WorkerAnswer =
  | { readonly id: number; readonly rows: Record<string, unknown>[] }
  | { readonly id: number; readonly error: ToldError };

export interface WorkerStart {
  /** The database's own directory; made when it is not there. */
  readonly directory: string;
  /** A prepared data directory to start from (see template.ts). */
  readonly template: string | null;
}

/** The request whose answer says that the database is open. */
export const OPEN_ID = 0;

const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];
/** The last lines of the database's own log, for the message when it does not start. */
const lastLines: string[] = [];

/**
 * Makes the data directory beside its place and moves it there when it is complete, so that a start that was
 * killed half-way leaves nothing that a later one would open.
 */
async function ensureDirectory({ directory, template }: WorkerStart): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) return;
  if (existsSync(directory)) {
    if (readdirSync(directory).length > 0) {
      throw new Error(
        `${directory} is not empty and holds no database; restore it from a backup, or move it away`,
      );
    }
    rmdirSync(directory);
  }
  const unfinished = `${directory}.new`;
  if (!unpackTemplate(template, unfinished)) {
    emptyDirectory(unfinished);
    const made = await PGlite.create(unfinished, { startParams, initDbStartParams: ['--wal-segsize=1'] });
    await made.close();
  }
  renameSync(unfinished, directory);
}

function unpackTemplate(template: string | null, directory: string): boolean {
  if (template === null || !existsSync(template)) return false;
  emptyDirectory(directory);
  try {
    unpackDirectory(readFileSync(template), directory);
    return existsSync(join(directory, 'PG_VERSION'));
  } catch {
    // A damaged template only costs time: the database is made from nothing.
    return false;
  }
}

function emptyDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
}

async function open(start: WorkerStart): Promise<PGlite> {
  // One function at a time: what compiling several together takes is not given back to the system, about 50 MB.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
  await ensureDirectory(start);
  const onStderr = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > 5) lastLines.shift();
    return false;
  };
  try {
    return await PGlite.create(start.directory, { startParams, parsers, serializers, onStderr });
  } catch (thrown) {
    throw new Error([toldError(thrown).message, ...lastLines].join('\n'), { cause: thrown });
  }
}

async function run(database: PGlite, work: Work): Promise<Record<string, unknown>[]> {
  if (work.kind === 'query')
    return (await database.query<Record<string, unknown>>(work.sql, [...work.params])).rows;
  if (work.kind === 'append') await append(database, work.rows);
  else if (work.kind === 'script') await database.exec(work.sql);
  else await database.close();
  return [];
}

async function append(database: PGlite, rows: RowLines): Promise<void> {
  const { table, columns, same, existing, statement } = rows;
  await database.transaction(async (session) => {
    const query = async (sql: string, params: readonly unknown[] = []) =>
      (await session.query<never>(sql, [...params])).rows;
    if (existing === 'keep') return insertRows({ query }, rows);
    const names = [...Object.keys(columns), ...Object.keys(same)].join(', ');
    // All that is asked of it; a real one would copy the rows twice.
    const blob = { arrayBuffer: async () => copyRows(rows) } as Blob;
    await session.exec(`copy ${table} (${names}) from '/dev/blob' with (format binary)`, { blob });
    await query(statement.sql, statement.params);
  });
}

async function answer(database: PGlite, { id, work }: WorkerRequest): Promise<WorkerAnswer> {
  try {
    return { id, rows: await run(database, work) };
  } catch (thrown) {
    return { id, error: toldError(thrown) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  try {
    const database = await open(workerData as WorkerStart);
    port.on('message', async (request: WorkerRequest) => {
      port.postMessage(await answer(database, request));
      if (request.work.kind === 'close') port.close();
    });
    port.postMessage({ id: OPEN_ID, rows: [] } satisfies WorkerAnswer);
  } catch (thrown) {
    port.postMessage({ id: OPEN_ID, error: toldError(thrown) } satisfies WorkerAnswer);
  }
}
