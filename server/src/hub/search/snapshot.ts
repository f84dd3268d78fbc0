import { type FileHandle, open, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { messageOf } from '#foundation';

/** Grows whenever a file that was written before would be read wrongly, or texts are read differently. */
const FORMAT = 3;
const MAGIC = Buffer.from('sallyport-search');
const HEAD = MAGIC.length + 4;
const CHECK = 4;

/** Bytes of a file, looked at when they are written. */
export interface Piece {
  readonly length: number;
  bytes(): ArrayBufferView;
}

export const pieceOf = (bytes: ArrayBufferView): Piece => ({ length: bytes.byteLength, bytes: () => bytes });

export interface Snapshot {
  /** Of what the numbers in it were made with: they are of no use with anything else. */
  readonly fingerprint: number;
  /** As whoever had it written names what is in it. */
  readonly stamp: string;
  readonly sections: Readonly<Record<string, readonly Piece[]>>;
}

interface Header {
  readonly format: number;
  readonly fingerprint: number;
  readonly stamp: string;
  /** The lengths of the pieces of each section, in their order in the file. */
  readonly sections: Readonly<Record<string, readonly number[]>>;
}

/** Writes beside the place, and moves there when all is written. */
export async function writeSnapshot(path: string, { fingerprint, stamp, sections }: Snapshot): Promise<void> {
  const lengths = Object.entries(sections).map(
    ([name, pieces]) => [name, pieces.map(({ length }) => length)] as const,
  );
  const header: Header = { format: FORMAT, fingerprint, stamp, sections: Object.fromEntries(lengths) };
  const head = Buffer.from(JSON.stringify(header));
  const unfinished = `${path}.new`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    let check = 0;
    const write = async (bytes: Buffer) => {
      check = crc32(bytes, check);
      await file.writeFile(bytes);
    };
    await write(Buffer.concat([MAGIC, number32(head.length), head]));
    await write(number32(check));
    for (const piece of Object.values(sections).flat()) {
      const { buffer, byteOffset, byteLength } = piece.bytes();
      await write(Buffer.from(new Uint8Array(buffer, byteOffset, byteLength)));
    }
    await file.writeFile(number32(check));
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** Reads the pieces of a file one after another, in the order in which they were written. */
export interface SnapshotReader {
  readonly stamp: string;
  /** Of the pieces of a section; none: there is no such section. */
  lengths(section: string): number[];
  /** The next piece, which is as long as this. */
  next(into: Uint8Array): Promise<void>;
  /** Whether all that was read is what was written. */
  isWhole(): Promise<boolean>;
  close(): Promise<void>;
}

/** Why a file is not used; `null`: there is none. */
export type Unusable = string | null;

/** The check finds damage; it does not stop somebody who may write the file. */
export async function openSnapshot(path: string, fingerprint: number): Promise<SnapshotReader | Unusable> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? null : messageOf(thrown);
  }
  const opened = await readHead(file, fingerprint).catch(messageOf);
  if (typeof opened === 'string') await file.close();
  return opened;
}

async function readHead(file: FileHandle, fingerprint: number): Promise<SnapshotReader | string> {
  const { size } = await file.stat();
  let at = 0;
  let check = 0;
  const next = async (into: Uint8Array) => {
    for (let filled = 0; filled < into.length; ) {
      const { bytesRead } = await file.read(into, filled, into.length - filled, at + filled);
      if (bytesRead === 0) throw new Error('its end is missing');
      filled += bytesRead;
    }
    at += into.length;
    check = crc32(into, check);
  };
  const isChecked = async () => {
    const expected = check;
    const said = Buffer.alloc(CHECK);
    await next(said);
    return said.readUInt32LE() === expected;
  };
  if (size < HEAD + CHECK * 2) return 'it is no snapshot of a search index';
  const begin = Buffer.alloc(HEAD);
  await next(begin);
  if (!begin.subarray(0, MAGIC.length).equals(MAGIC)) return 'it is no snapshot of a search index';
  const head = Buffer.alloc(Math.min(begin.readUInt32LE(MAGIC.length), size));
  await next(head);
  if (!(await isChecked())) return 'it is damaged';
  const { format, fingerprint: own, stamp, sections } = JSON.parse(head.toString()) as Header;
  if (format !== FORMAT) return 'another version of Sallyport wrote it';
  if (own !== fingerprint) return 'it was made with another embedding';
  return {
    stamp,
    lengths: (section) => [...(sections[section] ?? [])],
    next,
    isWhole: async () => (await isChecked()) && at === size,
    close: () => file.close(),
  };
}

export async function readNumbers<T extends Uint8Array | Uint16Array | Uint32Array>(
  from: SnapshotReader,
  Kind: { new (length: number): T; readonly BYTES_PER_ELEMENT: number },
  length: number,
): Promise<T> {
  const numbers = new Kind(length / Kind.BYTES_PER_ELEMENT);
  await from.next(new Uint8Array(numbers.buffer));
  return numbers;
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
