import { hash } from 'node:crypto';

/**
 * Each journal is a chain: a record's hash is made of the record and the hash before it, so that none can be changed, taken
 * out or put in without breaking what follows.
 */
export interface ChainHead {
  /** Of the last record; 0 before the first. */
  readonly seq: number;
  readonly hash: string;
}

/** A chain begins with the name of its journal, so that it stands for no other. */
export function chainStart(journalId: string): ChainHead {
  return { seq: 0, hash: journalId };
}

export function chainHash(previous: string, record: string): string {
  return hash('sha256', previous + record, 'hex');
}

/** Longest place in the chain that a line says. */
const PLACE_MAX = 120;
const KEPT_BYTES = 64 * 1024;

/**
 * Makes records the next lines of a journal: their JSON, with their place in the chain as the last two members. A record is
 * encoded once, behind the hash before it; hashed there, and written from there. So a line lasts until the next is made.
 */
export function createLineMaker(): (record: string, before: ChainHead) => { line: Buffer; head: ChainHead } {
  const kept = Buffer.allocUnsafe(KEPT_BYTES);
  return (record, before) => {
    const bytesMax = 3 * (before.hash.length + record.length) + PLACE_MAX;
    const bytes = bytesMax > KEPT_BYTES ? Buffer.allocUnsafe(bytesMax) : kept;
    const start = bytes.write(before.hash);
    const end = start + bytes.write(record, start);
    const head = { seq: before.seq + 1, hash: hash('sha256', bytes.subarray(0, end), 'hex') };
    const place = `,"chain_seq":${head.seq},"chain_hash":"${head.hash}"}\n`;
    return { line: bytes.subarray(start, end - 1 + bytes.write(place, end - 1)), head };
  };
}

/** Quotes inside a text are escaped, and other objects end with two braces: only a line's own members fit. */
const PLACE = /,"chain_seq":(\d{1,15}),"chain_hash":"([0-9a-f]{64})"\}$/;

/** The place in the chain that a line says, if it says one. */
export function placeOf(line: string): ChainHead | null {
  const match = PLACE.exec(line.slice(-PLACE_MAX));
  return match === null ? null : { seq: Number(match[1]), hash: match[2] as string };
}

/** The later of two places of one chain; the second where they are as far. */
export function further(a: ChainHead, b: ChainHead | null): ChainHead {
  return b !== null && b.seq >= a.seq ? b : a;
}
