import { hash } from 'node:crypto';
import type { PackedListing, SeenTools } from '#domain';
import type { KnownTools } from './contract.ts';

/** A list as it was read, so that what is listed again as it was need not be read again. */
export interface ReadList {
  /** Of each entry as it was written. */
  readonly marks: Buffer;
  /** What each came to; `null`: nothing that can be used. */
  readonly listings: readonly (PackedListing | null)[];
}

const markLength = 22;
/** Another number whenever what is written is read in another way than before. */
const form = 1;

/** What marks of a list depend on, beside the entries: `about`. */
export const aboutSeen = (about: unknown): string => JSON.stringify([form, about]);

/** What is kept of a list, for who reads it when this process is over. */
export function seenIn({ marks, listings }: ReadList, about: unknown): SeenTools {
  const used = listings.flatMap((listing, place) =>
    listing === null ? [] : [marks.subarray(place * markLength, (place + 1) * markLength)],
  );
  return {
    about: aboutSeen(about),
    marks: used.length === listings.length ? marks : Buffer.concat(used),
  };
}

/** A list that was kept; `null`: it says nothing of one that depends on something else. */
export function listKnownFrom(known: KnownTools | null, about: unknown): ReadList | null {
  if (known === null || known.seen.about !== aboutSeen(about)) return null;
  const { tools, seen } = known;
  const marks = Buffer.from(seen.marks.buffer, seen.marks.byteOffset, seen.marks.byteLength);
  return marks.length === tools.length * markLength ? { marks, listings: tools } : null;
}

/** Another one for other bytes. */
export const markOf = (entry: Buffer): string => hash('sha256', entry, 'base64url').slice(0, markLength);

/** What is known of an entry by its mark; most lists stay in their order. */
export function createFinder(known: ReadList | null) {
  const { marks = Buffer.alloc(0), listings = [] } = known ?? {};
  const markAt = (place: number) => marks.toString('latin1', place * markLength, (place + 1) * markLength);
  let expected = 0;
  let places: ReadonlyMap<string, number> | null = null;

  function placeOf(mark: string): number | undefined {
    if (expected < listings.length && markAt(expected) === mark) return expected;
    if (listings.length === 0) return undefined;
    places ??= new Map(listings.map((_, place) => [markAt(place), place]));
    return places.get(mark);
  }

  function find(mark: string, index: number): PackedListing | undefined {
    if (index === 0) expected = 0;
    const place = placeOf(mark);
    // What is not found took the place of something, most likely.
    expected = (place ?? expected) + 1;
    return (place === undefined ? null : listings[place]) ?? undefined;
  }
  find.isInPlace = (mark: string, index: number) => index < listings.length && markAt(index) === mark;
  return find;
}
