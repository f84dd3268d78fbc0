import type { Turns } from '#foundation';
import type { Db } from '#storage';
import type { Log } from '#telemetry';
import { type KeptOffers, type KnownOffer, keyOf, readOffers } from './kept-offers.ts';
import type { OfferMemory } from './offer-memory.ts';
import type { Place } from './pin-store.ts';
import type { SnapshotOffer } from './snapshot-file.ts';

interface ReadingDeps {
  readonly db: Db;
  readonly log: Log;
  readonly memory: OfferMemory;
  readonly inTurn: Turns;
  readonly inSnapshot: (place: Place) => SnapshotOffer | undefined;
  /** What lies there is in memory only where it was asked for. */
  readonly onlyShown: boolean;
}

/** How what the database has of sources comes into memory. */
export interface OfferReading {
  /** At one source, or at all; in turn. */
  look(place: Place | null): Promise<void>;
  /** Tools of these are in memory from now on, once they are read. */
  read(places: readonly Place[]): void;
}

export function createOfferReading(deps: ReadingDeps): OfferReading {
  const { memory, inTurn, inSnapshot, onlyShown } = deps;
  const asked = new Set<string>();
  const underWay = new Set<string>();
  const readsTools = (place: Place) =>
    !onlyShown || asked.has(keyOf(place)) || inSnapshot(place) === undefined;

  const known: KnownOffer = (place) => {
    const kept = memory.known(place)?.kept;
    if (kept?.unread === null) return kept;
    const there = inSnapshot(place);
    return kept === undefined || there?.revision === kept.revision ? there : kept;
  };
  async function look(place: Place | null): Promise<void> {
    memory.take(place, await readMoment(deps, place, known, readsTools));
  }

  async function readTools(place: Place): Promise<void> {
    const key = keyOf(place);
    if (underWay.has(key)) return;
    asked.add(key);
    underWay.add(key);
    try {
      await inTurn(() => look(place));
    } catch {
      // Whoever asks next has it tried again.
    } finally {
      underWay.delete(key);
    }
  }

  return { look, read: (places) => places.forEach((place) => void readTools(place)) };
}

/** One moment of the database, in which what is held back goes with the offer. */
async function readMoment(
  { db, log }: ReadingDeps,
  place: Place | null,
  known: KnownOffer,
  readsTools: (place: Place) => boolean,
): Promise<KeptOffers> {
  const kept = await db.tx(async (queries) => {
    await queries.query('set transaction isolation level repeatable read');
    return readOffers(queries, place, known, readsTools);
  });
  for (const { projectId: project, sourceId: source } of kept.damaged)
    log.error(
      { project, source },
      'the database has lost tools of a source: they are back when it lists them',
    );
  return kept;
}
