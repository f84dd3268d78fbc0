import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, createRests, createTurns } from '#foundation';
import { keyOf } from './kept-offers.ts';
import type { Place } from './pin-store.ts';
import { checksumOf, offerOf, partOf, type SnapshotOffer } from './snapshot-form.ts';
import type { StoredOffer } from './stored-offer.ts';

export interface SnapshotDeps {
  /** Of the server, where its database is, too. */
  readonly dataDir: string;
  /** One process writes; every one may read. */
  readonly writes: boolean;
  readonly clock: Clock;
  /** So few tools are read from the database as soon; 2,000 unless told. */
  readonly fromTools?: number;
}

/** What memory held, in a file beside the database: a start reads what the database says is still so from there. */
export interface Snapshot {
  /** What there is; nothing where the file is damaged, of another version or none. */
  read(): Promise<ReadonlyMap<string, SnapshotOffer>>;
  /** What is in memory has changed: it is written when that has settled. */
  changed(): void;
  /** Writes what was not written. */
  close(): Promise<void>;
}

const fileName = 'catalog.snapshot';
/** Another number whenever the form changes. */
const magic = Buffer.from('sallyport catalog 2\n');
/** Sizes of head and blocks; the checksum of both. */
const prefixLength = 8 + 32;
const maxPart = 2 ** 31;
const lookEveryMs = 5000;
const settledMs = 20_000;
const atLatestMs = 5 * 60_000;
const minTools = 2000;

export function createSnapshot(
  { dataDir, writes, clock, fromTools = minTools }: SnapshotDeps,
  every: () => readonly StoredOffer[],
): Snapshot {
  const path = join(dataDir, fileName);
  const inTurn = createTurns();
  /** What the file holds, as far as is known. */
  let written: string | null = null;
  let since: { first: number; last: number } | null = null;

  async function write(): Promise<void> {
    since = null;
    const offers = every().filter(({ revision }) => revision !== null);
    const stamp = stampOf(offers);
    if (stamp === written) return;
    try {
      const isWorth = offers.reduce((count, { tools }) => count + tools.length, 0) >= fromTools;
      if (isWorth) await writeFile(path, offers);
      else await rm(path, { force: true });
      written = stamp;
    } catch {
      // A start without it takes longer, and nothing else.
      written = null;
    }
  }

  function look(): void {
    if (since === null) return;
    const now = clock.now();
    if (now - since.last >= settledMs || now - since.first >= atLatestMs) void inTurn(write);
  }

  const stop = writes ? clock.every(lookEveryMs, look) : () => undefined;
  return {
    async read() {
      const offers = await readFile(path).catch(() => []);
      written = offers.length === 0 ? null : stampOf(offers);
      return new Map(offers.map((offer) => [keyOf(offer), offer]));
    },
    changed() {
      const now = clock.now();
      since = { first: since?.first ?? now, last: now };
    },
    async close() {
      stop();
      if (writes) await inTurn(async () => (since === null ? undefined : write()));
    },
  };
}

const stampOf = (offers: readonly (Place & Pick<StoredOffer, 'revision'>)[]): string =>
  JSON.stringify(offers.map((offer) => [keyOf(offer), offer.revision]).sort());

async function writeFile(path: string, offers: readonly StoredOffer[]): Promise<void> {
  const unfinished = `${path}.new`;
  await rm(unfinished, { force: true });
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await file.writeFile(magic);
    for (const offer of offers) await writePart(file, offer);
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

async function writePart(file: FileHandle, offer: StoredOffer): Promise<void> {
  const part = await partOf(offer);
  if (part === null) return;
  const { head } = part;
  const blocks = Buffer.concat(part.blocks);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(head.length, 0);
  sizes.writeUInt32LE(blocks.length, 4);
  for (const bytes of [sizes, checksumOf([head, blocks]), head, blocks]) await file.writeFile(bytes);
}

async function readFile(path: string): Promise<SnapshotOffer[]> {
  const file = await open(path, 'r');
  const rests = createRests();
  try {
    const { size } = await file.stat();
    if (!(await readBytes(file, 0, magic.length)).equals(magic)) return [];
    const offers: SnapshotOffer[] = [];
    for (let at = magic.length; at < size; ) {
      const prefix = await readBytes(file, at, prefixLength);
      const headSize = prefix.readUInt32LE(0);
      const length = headSize + prefix.readUInt32LE(4);
      if (length > Math.min(maxPart, size - at - prefixLength)) return [];
      // Each source has memory of its own, which goes when its tools do.
      const bytes = await readBytes(file, at + prefixLength, length);
      if (!checksumOf([bytes]).equals(prefix.subarray(8))) return [];
      offers.push(await offerOf(bytes.subarray(0, headSize), bytes.subarray(headSize)));
      at += prefixLength + length;
      await rests();
    }
    return offers;
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
