import { open, readFile, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { messageOf } from '#foundation';

/** Grows whenever a file that was written before would be read wrongly, or texts are read differently. */
const FORMAT = 1;
const MAGIC = Buffer.from('sallyport-search');
const HEAD = MAGIC.length + 4;
const CHECK = 4;

/** Bytes of a file, looked at when they are written. */
export interface Piece {
  readonly length: number;
  bytes(): ArrayBufferView;
}

export const pieceOf = (bytes: ArrayBufferView): Piece => ({ length: bytes.byteLength, bytes: () => bytes });

export interface Snapshot<T> {
  /** Of what the numbers in it were made with: they are of no use with anything else. */
  readonly fingerprint: number;
  /** As whoever had it written names what is in it. */
  readonly stamp: string;
  readonly sections: Readonly<Record<string, readonly T[]>>;
}

interface Header {
  readonly format: number;
  readonly fingerprint: number;
  readonly stamp: string;
  /** The lengths of the pieces of each section, in their order in the file. */
  readonly sections: Readonly<Record<string, readonly number[]>>;
}

/** Writes beside the place, and moves there when all is written. */
export async function writeSnapshot(
  path: string,
  { fingerprint, stamp, sections }: Snapshot<Piece>,
): Promise<void> {
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

/** Why a file is not used; `null`: there is none. */
export type Unusable = string | null;

/** The check finds damage; it does not stop somebody who may write the file. */
export async function readSnapshot(
  path: string,
  fingerprint: number,
): Promise<Snapshot<Uint8Array> | Unusable> {
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? null : messageOf(thrown);
  }
  if (file.length < HEAD + CHECK || !file.subarray(0, MAGIC.length).equals(MAGIC))
    return 'it is no snapshot of a search index';
  const end = file.length - CHECK;
  if (crc32(file.subarray(0, end)) !== file.readUInt32LE(end)) return 'it is damaged';
  const from = HEAD + file.readUInt32LE(MAGIC.length);
  const header = JSON.parse(file.toString('utf8', HEAD, from)) as Header;
  if (header.format !== FORMAT) return 'another version of Sallyport wrote it';
  if (header.fingerprint !== fingerprint) return 'it was made with another embedding';
  let at = from;
  const take = (length: number) => {
    at += length;
    return file.subarray(at - length, at);
  };
  const sections = Object.entries(header.sections).map(
    ([name, lengths]) => [name, lengths.map(take)] as const,
  );
  return { fingerprint, stamp: header.stamp, sections: Object.fromEntries(sections) };
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
