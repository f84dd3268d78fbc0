import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, createTurns, type Turns } from '#foundation';
import { keyOf } from './kept-offers.ts';
import type { Place } from './pin-store.ts';
import {
  markOf,
  openSnapshot,
  type SnapshotFile,
  type SnapshotOffer,
  writeSnapshot,
} from './snapshot-file.ts';
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

interface Memory {
  every(): readonly StoredOffer[];
  /** In which what is in memory changes. */
  readonly inTurn: Turns;
  /** Definitions that should lie in the file do not. */
  onLost(): void;
  /** The file is another one, which another process wrote. */
  onFollowed(): Promise<void>;
}

/**
 * What memory held, in a file beside the database: a start reads what the database says is still so from there. Definitions of tools are
 * nowhere else, once they are there.
 */
export interface Snapshot {
  /** Opens what there is. */
  open(): Promise<void>;
  /** What the file has of a source; nothing where it is damaged, of another version or none. */
  offer(place: Place): SnapshotOffer | undefined;
  /** What is in memory has changed: it is written when that has settled. */
  changed(): void;
  /** What it held is in memory again. */
  lost(): void;
  /** Writes what was not written. Definitions that lie in the file cannot be read any more. */
  close(): Promise<void>;
}

const fileName = 'catalog.snapshot';
const lookEveryMs = 5000;
const settledMs = 20_000;
const atLatestMs = 5 * 60_000;
const minTools = 2000;

export function createSnapshot(
  { dataDir, writes, clock, fromTools = minTools }: SnapshotDeps,
  { every, inTurn, onLost, onFollowed }: Memory,
): Snapshot {
  const path = join(dataDir, fileName);
  /** Nobody waits for this who waits for what is in memory. */
  const atFile = createTurns();
  let file: SnapshotFile | null = null;
  let offers: ReadonlyMap<string, SnapshotOffer> = new Map();
  /** What the file holds, as far as is known. */
  let written: string | null = null;
  let since: { first: number; last: number } | null = null;
  let seen: string | null = null;

  function setFile(next: SnapshotFile | null): void {
    file = next;
    offers = new Map(next?.offers.map((offer) => [keyOf(offer), offer]));
  }

  async function write(): Promise<void> {
    since = null;
    const offers = every().filter(({ revision }) => revision !== null);
    const stamp = stampOf(offers);
    if (stamp === written) return;
    try {
      const isWorth = offers.reduce((count, { tools }) => count + tools.length, 0) >= fromTools;
      if (!isWorth) await rm(path, { force: true });
      const next = isWorth ? await writeSnapshot(path, offers, onLost) : null;
      await inTurn(() => use(next));
      written = stamp;
    } catch {
      // Definitions stay where they are, and a start without it takes longer.
      written = null;
    }
  }

  async function use(next: SnapshotFile | null): Promise<void> {
    const before = file;
    setFile(next);
    next?.takeOver(every());
    await before?.giveBack();
    await before?.close();
  }

  /** The file that another process wrote. */
  async function follow(): Promise<void> {
    const there = await stat(path).then(markOf, () => null);
    if (there === null || there === seen) return;
    seen = there;
    const next = await openSnapshot(path, onLost);
    if (next === null) return;
    seen = next.mark;
    await inTurn(async () => {
      await use(next);
      await onFollowed();
    });
  }

  function look(): void {
    if (since === null) return;
    const now = clock.now();
    if (now - since.last >= settledMs || now - since.first >= atLatestMs) void atFile(write);
  }

  const stop = clock.every(lookEveryMs, writes ? look : () => void atFile(follow).catch(() => undefined));
  return {
    async open() {
      setFile(await openSnapshot(path, onLost));
      seen = file?.mark ?? null;
      written = file === null ? null : stampOf(file.offers);
    },
    offer: (place) => offers.get(keyOf(place)),
    changed() {
      const now = clock.now();
      since = { first: since?.first ?? now, last: now };
    },
    lost() {
      written = null;
      this.changed();
    },
    async close() {
      stop();
      await atFile(async () => (writes && since !== null ? write() : undefined));
      await file?.close();
    },
  };
}

const stampOf = (offers: readonly (Place & { readonly revision: string | null })[]): string =>
  JSON.stringify(offers.map((offer) => [keyOf(offer), offer.revision]).sort());
