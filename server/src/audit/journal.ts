import fs from 'node:fs';
import { join } from 'node:path';
import { Fault, messageOf, randomHex } from '#foundation';

/** The calls of `node:fs` that decide what is kept; tests pass their own to make them fail or wait. */
export type JournalFiles = Pick<typeof fs, 'writeSync' | 'fdatasync'>;

/** A place in the journal. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface Journal {
  readonly id: string;
  /** Writes one line; when it returns, the line outlives the process. Throws a Fault when it could not. */
  append(line: Buffer): void;
  /** Why the last line could not be written; `null` as soon as there is room again, which is tried with a file of its own. */
  trouble(): string | null;
  /** Settles when everything appended so far is on the disk; starts at once. */
  sync(): Promise<void>;
  /** Just behind the last line. */
  end(): Position;
  /** Whole lines that follow `from`, and where they end; `null` when there are none yet. They last until the next are read. */
  read(from: Position): { readonly lines: Buffer; readonly next: Position } | null;
  /** What `find` makes of the last whole line of which it makes something. */
  findLast<T>(find: (line: string) => T | null): T | null;
  bytesAfter(position: Position): number;
  /** Deletes segments that lie wholly before `position`, once that has been so for a while. */
  forget(position: Position, nowMs: number): void;
  close(): Promise<void>;
}

/** Nearly a thousand records: the database is busy with them for a hundredth of a second. */
const CHUNK_BYTES = 512 * 1024;
const NEWLINE = 10;
/** More than lines are as a rule. */
const ROOM = Buffer.alloc(64 * 1024, NEWLINE);
/**
 * How long a drained segment stays. The embedded database leaves it to the operating system when its files reach the
 * disk, half a minute as a rule; after a power cut before that, the database is older and reads the journal again.
 */
const KEEP_MS = 120_000;

/**
 * The journal: numbered files of lines, each file only ever appended to by the process that made it. A line that
 * was cut off, by a crash or a full disk, is the last of its file, has no end, and is not read.
 */
export function openJournal(options: {
  directory: string;
  segmentBytes: number;
  /** Segments up to this one are in use or were, even if their files are gone. */
  usedUpTo: number;
  files?: JournalFiles;
}): Journal {
  const { directory, segmentBytes, files = fs } = options;
  const sizes = listSegments(directory);
  const passedAt = new Map<number, number>();
  let number = Math.max(options.usedUpTo, ...sizes.keys());
  let size = sizes.get(number) ?? 0;
  let fd: number | null = null;
  let retired: number[] = [];
  let directoryDirty = false;
  let trouble: string | null = null;
  // Shared with the thread that has the database: a copy each time would be collected there, which costs more than the rows.
  const chunk = Buffer.from(new SharedArrayBuffer(CHUNK_BYTES));

  const pathOf = (segment: number) => join(directory, `${String(segment).padStart(8, '0')}.jsonl`);
  const startSegment = (): number => {
    fd = fs.openSync(pathOf(number + 1), 'ax', 0o600);
    number++;
    size = 0;
    sizes.set(number, 0);
    directoryDirty = true;
    return fd;
  };
  const endSegment = () => {
    if (fd !== null) retired.push(fd);
    fd = null;
  };
  const sync = groupedSync(async () => {
    const ended = retired;
    const current = fd;
    retired = [];
    if (directoryDirty) await syncDirectory(directory);
    directoryDirty = false;
    for (const each of ended) {
      await dataSync(files, each);
      fs.closeSync(each);
    }
    if (current !== null) await dataSync(files, current);
  });

  return {
    id: readJournalId(directory),
    append(line) {
      try {
        writeWhole(files, fd ?? startSegment(), line);
      } catch (thrown) {
        if (fd !== null && fs.fstatSync(fd).size !== size) endSegment();
        trouble = `The audit journal cannot be written: ${messageOf(thrown)}`;
        throw new Fault(trouble, { cause: thrown });
      }
      trouble = null;
      size += line.length;
      sizes.set(number, size);
      if (size >= segmentBytes) endSegment();
    },
    trouble() {
      if (trouble !== null && hasRoom(join(directory, 'room'), files)) trouble = null;
      return trouble;
    },
    sync,
    end: () => ({ segment: number, offset: size }),
    read(from) {
      for (const segment of [...sizes.keys()].sort((a, b) => a - b)) {
        if (segment < from.segment) continue;
        const offset = segment === from.segment ? from.offset : 0;
        const lines = readLines(pathOf(segment), offset, chunk);
        if (lines !== null) return { lines, next: { segment, offset: offset + lines.length } };
      }
      return null;
    },
    findLast: (find) => findLastLine([...sizes.keys()].sort((a, b) => b - a).map(pathOf), find),
    bytesAfter: (position) => bytesAfter(sizes, position),
    forget(position, nowMs) {
      for (const segment of sizes.keys()) {
        if (segment >= position.segment) continue;
        const sinceMs = passedAt.get(segment) ?? nowMs;
        passedAt.set(segment, sinceMs);
        if (nowMs - sinceMs < KEEP_MS) continue;
        fs.rmSync(pathOf(segment), { force: true });
        sizes.delete(segment);
        passedAt.delete(segment);
      }
    },
    async close() {
      endSegment();
      await sync();
    },
  };
}

function writeWhole(files: JournalFiles, fd: number, line: Buffer): void {
  const written = files.writeSync(fd, line);
  if (written !== line.length)
    throw new Error(`only ${written} of ${line.length} bytes fitted; is the disk full?`);
}

function bytesAfter(sizes: ReadonlyMap<number, number>, position: Position): number {
  let bytes = 0;
  for (const [segment, length] of sizes) {
    if (segment > position.segment) bytes += length;
    else if (segment === position.segment) bytes += Math.max(0, length - position.offset);
  }
  return bytes;
}

function hasRoom(path: string, files: JournalFiles): boolean {
  try {
    const fd = fs.openSync(path, 'w', 0o600);
    try {
      writeWhole(files, fd, ROOM);
      return true;
    } finally {
      fs.closeSync(fd);
      fs.rmSync(path, { force: true });
    }
  } catch {
    return false;
  }
}

/** The segments that are there, with the length of their whole lines. */
function listSegments(directory: string): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const file of fs.readdirSync(directory)) {
    const match = /^(\d{8,})\.jsonl$/.exec(file);
    if (match !== null) sizes.set(Number(match[1]), wholeLength(join(directory, file)));
  }
  return sizes;
}

function wholeLength(path: string): number {
  return fs.readFileSync(path).lastIndexOf(NEWLINE) + 1;
}

function findLastLine<T>(paths: readonly string[], find: (line: string) => T | null): T | null {
  for (const path of paths) {
    const content = fs.readFileSync(path);
    let end = content.lastIndexOf(NEWLINE);
    while (end > 0) {
      const start = content.lastIndexOf(NEWLINE, end - 1) + 1;
      const found = find(content.toString('utf8', start, end));
      if (found !== null) return found;
      end = start - 1;
    }
  }
  return null;
}

/** The journal's name, chosen when its directory is made. */
export function readJournalId(directory: string): string {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'id');
  if (fs.existsSync(path)) return fs.readFileSync(path, 'utf8').trim();
  const id = `jrn_${randomHex(16)}`;
  fs.writeFileSync(`${path}.new`, `${id}\n`, { mode: 0o600, flush: true });
  fs.renameSync(`${path}.new`, path);
  return id;
}

/** Whole lines, in `into` unless a single one is larger. */
function readLines(path: string, offset: number, into: Buffer): Buffer | null {
  const fd = fs.openSync(path, 'r');
  try {
    for (let chunk = into; ; chunk = Buffer.allocUnsafe(2 * chunk.length)) {
      const read = fs.readSync(fd, chunk, 0, chunk.length, offset);
      const end = chunk.subarray(0, read).lastIndexOf(NEWLINE) + 1;
      if (end > 0) return chunk.subarray(0, end);
      if (read < chunk.length) return null;
    }
  } finally {
    fs.closeSync(fd);
  }
}

function dataSync(files: JournalFiles, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    files.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs.promises.open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Runs `work` for everybody who asks, one run at a time: who asks during a run waits for the next, all together. A run begins
 * at the end of a turn of the event loop, so that what came in together goes together.
 */
function groupedSync(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let following: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    await endOfTurn();
    following = null;
    await work();
  };
  return () => {
    if (following === null) {
      following = running.then(run, run);
      running = following;
    }
    return following;
  };
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
