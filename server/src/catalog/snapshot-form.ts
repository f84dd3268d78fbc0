import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { createRests, Fault } from '#foundation';
import { blocksOf, columnsOf, packJson, toolkitsIn, unpackJson } from './packed-tools.ts';
import type { Place } from './pin-store.ts';
import type { StoredEntries, StoredOffer } from './stored-offer.ts';

/**
 * A snapshot is a few bytes that say its form, and a part for each source. Of a part: how long each of the three is that follow; the
 * definitions, as blocks, one after another; what it is about; the tools, but for their definitions; a checksum of all that.
 */

/** Another number whenever the form changes. */
export const magic = Buffer.from('sallyport catalog 4\n');

export interface PartAbout extends Place, StoredEntries {
  readonly revision: string;
  /** Their names. */
  readonly toolkits: readonly string[];
  readonly blocks: readonly string[];
  /** In their order. */
  readonly blockSizes: readonly number[];
}

/** Bytes of a file. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

/** One source's part of a file. */
export interface PartFound extends PartAbout {
  readonly blocksAt: number;
  readonly columns: Span;
}

const sizesLength = 3 * 4;
const checksumLength = 32;
const atOnce = 1024 * 1024;

/** Gives where the part ends, and what whoever opens the file finds there; `null` where an older version wrote it to the database. */
export async function writePart(file: FileHandle, at: number, offer: StoredOffer) {
  const { projectId, sourceId, revision, tools, prompts, resources, templates } = offer;
  if (revision === null) return null;
  const all = blocksOf(tools);
  const columns = await columnsOf(tools);
  const blocksAt = at + sizesLength;
  const writer = createWriter(file, blocksAt);
  const blockSizes: number[] = [];
  for (const id of columns.blocks.values) {
    const bytes = all.get(id)?.bytes;
    if (bytes === undefined) throw new Fault('a block of definitions went while it was written');
    await writer.add(bytes);
    blockSizes.push(bytes.length);
  }
  const about: PartAbout = {
    ...{ projectId, sourceId, revision, prompts, resources, templates },
    toolkits: toolkitsIn(columns),
    ...{ blocks: columns.blocks.values, blockSizes },
  };
  const [aboutBytes, columnBytes] = [await packJson(about), await packJson(columns)];
  const columnsAt = writer.end() + aboutBytes.length;
  const sizes = Buffer.alloc(sizesLength);
  const lengths = [writer.end() - blocksAt, aboutBytes.length, columnBytes.length];
  for (const [nth, length] of lengths.entries()) sizes.writeUInt32LE(length, nth * 4);
  await writer.add(aboutBytes);
  await writer.add(columnBytes);
  await writer.finish(sizes);
  await file.write(sizes, 0, sizesLength, at);
  const found: PartFound = { ...about, blocksAt, columns: { at: columnsAt, length: columnBytes.length } };
  return { found, end: writer.end() };
}

/** Few large writes, and a checksum of them. */
function createWriter(file: FileHandle, from: number) {
  const sum = createHash('sha256');
  let waiting: Uint8Array[] = [];
  let waitingLength = 0;
  let written = from;

  async function flush(): Promise<void> {
    const bytes = Buffer.concat(waiting);
    sum.update(bytes);
    waiting = [];
    waitingLength = 0;
    await file.write(bytes, 0, bytes.length, written);
    written += bytes.length;
  }

  return {
    end: () => written + waitingLength,
    async add(bytes: Uint8Array): Promise<void> {
      waiting.push(bytes);
      waitingLength += bytes.length;
      if (waitingLength >= atOnce) await flush();
    },
    /** With the checksum of all that was added, and of the sizes. */
    async finish(sizes: Uint8Array): Promise<void> {
      await flush();
      await file.write(sum.update(sizes).digest(), 0, checksumLength, written);
      written += checksumLength;
    },
  };
}

/** The parts of a file; `null` where it is damaged, or of another version. Only a little of it is in memory at once. */
export async function readParts(file: FileHandle): Promise<readonly PartFound[] | null> {
  const { size } = await file.stat();
  if (!(await readSpan(file, { at: 0, length: magic.length })).equals(magic)) return null;
  const rests = createRests();
  const room = Buffer.alloc(Math.min(atOnce, size));
  const parts: PartFound[] = [];
  for (let at = magic.length; at < size; ) {
    const sizes = await readSpan(file, { at, length: sizesLength });
    if (sizes.length < sizesLength) return null;
    const [blocks, about, columns] = [0, 4, 8].map((from) => sizes.readUInt32LE(from)) as [
      number,
      number,
      number,
    ];
    const blocksAt = at + sizesLength;
    const end = blocksAt + blocks + about + columns;
    if (end + checksumLength > size) return null;
    const sum = createHash('sha256');
    await addTo(sum, file, { at: blocksAt, length: end - blocksAt }, room);
    const checksum = await readSpan(file, { at: end, length: checksumLength });
    if (!sum.update(sizes).digest().equals(checksum)) return null;
    const aboutBytes = await readSpan(file, { at: blocksAt + blocks, length: about });
    const found = (await unpackJson(aboutBytes)) as PartAbout;
    parts.push({ ...found, blocksAt, columns: { at: end - columns, length: columns } });
    at = end + checksumLength;
    await rests();
  }
  return parts;
}

async function addTo(sum: Hash, file: FileHandle, { at, length }: Span, room: Buffer): Promise<void> {
  for (let from = 0; from < length; ) {
    const { bytesRead } = await file.read(room, 0, Math.min(room.length, length - from), at + from);
    if (bytesRead === 0) return;
    sum.update(room.subarray(0, bytesRead));
    from += bytesRead;
  }
}

/** Fewer where the file ends before. */
export async function readSpan(file: FileHandle, { at, length }: Span): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  return bytes.subarray(0, bytesRead);
}

/** Where the blocks of a part lie, by their ids. */
export function spansOf({ blocks, blockSizes, blocksAt }: PartFound): Map<string, Span> {
  let at = blocksAt;
  return new Map(
    blocks.map((id, nth) => {
      const span = { at, length: blockSizes[nth] as number };
      at += span.length;
      return [id, span];
    }),
  );
}
