import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { unpackDirectory } from './archive.ts';
import { parsers, serializers } from './types.ts';

/** What the driver sends; answered in order, by the same `id`. */
export interface WorkerRequest {
  readonly id: number;
  readonly kind: 'query' | 'script' | 'close';
  readonly sql: string;
  readonly params: readonly unknown[];
}

export type WorkerAnswer =
  | { readonly id: number; readonly rows: Record<string, unknown>[] }
  | { readonly id: number; readonly error: WorkerError };

export interface WorkerError {
  readonly message: string;
  readonly code: string | undefined;
  readonly constraint: string | undefined;
}

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
  await ensureDirectory(start);
  const onStderr = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > 5) lastLines.shift();
    return false;
  };
  try {
    return await PGlite.create(start.directory, { startParams, parsers, serializers, onStderr });
  } catch (thrown) {
    throw new Error([errorOf(thrown).message, ...lastLines].join('\n'), { cause: thrown });
  }
}

function errorOf(thrown: unknown): WorkerError {
  if (!(thrown instanceof Error)) return { message: String(thrown), code: undefined, constraint: undefined };
  const { code, constraint } = thrown as { code?: string; constraint?: string };
  return { message: thrown.message, code, constraint };
}

async function answer(database: PGlite, request: WorkerRequest): Promise<WorkerAnswer> {
  try {
    if (request.kind === 'query') {
      const { rows } = await database.query<Record<string, unknown>>(request.sql, [...request.params]);
      return { id: request.id, rows };
    }
    if (request.kind === 'script') await database.exec(request.sql);
    else await database.close();
    return { id: request.id, rows: [] };
  } catch (thrown) {
    return { id: request.id, error: errorOf(thrown) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  try {
    const database = await open(workerData as WorkerStart);
    port.on('message', async (request: WorkerRequest) => {
      port.postMessage(await answer(database, request));
      if (request.kind === 'close') port.close();
    });
    port.postMessage({ id: OPEN_ID, rows: [] } satisfies WorkerAnswer);
  } catch (thrown) {
    port.postMessage({ id: OPEN_ID, error: errorOf(thrown) } satisfies WorkerAnswer);
  }
}
