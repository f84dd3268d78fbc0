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

/** A record as the next line of the journal: its JSON, with its place in the chain as the last two members. */
export function chainedLine(record: string, { seq, hash }: ChainHead): string {
  return `${record.slice(0, -1)},"chain_seq":${seq},"chain_hash":"${hash}"}\n`;
}

/** Quotes inside a text are escaped, and other objects end with two braces: only a line's own members fit. */
const PLACE = /,"chain_seq":(\d{1,15}),"chain_hash":"([0-9a-f]{64})"\}$/;
const PLACE_MAX = 120;

/** The place in the chain that a line says, if it says one. */
export function placeOf(line: string): ChainHead | null {
  const match = PLACE.exec(line.slice(-PLACE_MAX));
  return match === null ? null : { seq: Number(match[1]), hash: match[2] as string };
}

/** The later of two places of one chain; the second where they are as far. */
export function further(a: ChainHead, b: ChainHead | null): ChainHead {
  return b !== null && b.seq >= a.seq ? b : a;
}
