import { type Clock, createTurns, Fault } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import type { Catalog } from './contract.ts';
import { type KeptOffers, keyOf, placeOf, readOffers } from './kept-offers.ts';
import type { OfferIndex } from './offer-index.ts';
import { createOfferMemory } from './offer-memory.ts';
import { deleteOffer, writeOffer, writeUnavailable } from './offer-store.ts';
import type { Place } from './pin-store.ts';
import { createPins, type PinWrite } from './pins.ts';

type Shelf = Pick<
  Catalog,
  | 'replaceOffer'
  | 'markUnavailable'
  | 'forget'
  | 'keepSources'
  | 'quarantined'
  | 'toolChanges'
  | 'approveChanges'
  | 'sourcesChanged'
  | 'onOverruled'
> & {
  index(projectId: string): OfferIndex;
};

export interface OfferShelfDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  /** Whether the source is registered in this process; other replicas may have others. */
  readonly hasSource: (projectId: string, sourceId: string) => boolean;
}

/**
 * What every source offers, by project. Memory answers, the database remembers: it is written first, one change after
 * another; what other replicas write is read again. `onChange` is called with the project whose offers changed.
 */
export async function createOfferShelf(
  { db, changes, clock, hasSource }: OfferShelfDeps,
  onChange: (projectId: string) => void,
): Promise<Shelf> {
  const pins = createPins({ db, clock });
  const inTurn = createTurns();
  const overruled = new Set<Parameters<Catalog['onOverruled']>[0]>();
  const memory = createOfferMemory({
    hasSource,
    onChange,
    onOverruled({ projectId, sourceId }) {
      for (const listener of overruled) listener(projectId, sourceId);
    },
  });
  const { write, writePinned } = createWrites(db, changes);
  const look = async (place: Place | null) => memory.take(place, await readSnapshot(db, place));

  changes.on(topic, (key) => inTurn(() => look(key === null ? null : placeOf(key))));
  await look(null);

  async function forget(place: Place): Promise<void> {
    const kept = await write(place, (queries) => deleteOffer(queries, place));
    memory.found(place, null);
    memory.take(place, kept);
  }

  return {
    index: memory.index,
    sourcesChanged: memory.changed,
    onOverruled: (listener) => void overruled.add(listener),
    replaceOffer: (projectId, sourceId, given, pinning) =>
      inTurn(async () => {
        const place = { projectId, sourceId };
        const known = memory.known(place)?.shown;
        const isPinned = pinning !== undefined && pinning.mode !== 'off';
        // Where it never was pinned here, pins are those of replicas in which it is.
        const mayUnpin = memory.finding(place)?.isPinned !== false;
        const kept = await writePinned(
          place,
          () => (isPinned ? pins.check(place, given.tools, known, pinning) : pins.unpin(place, mayUnpin)),
          (queries) => writeOffer(queries, place, given, clock.iso()),
        );
        memory.found(place, { answers: true, isPinned });
        memory.take(place, kept);
      }),
    markUnavailable: (projectId, sourceId) =>
      inTurn(async () => {
        const place = { projectId, sourceId };
        const isPinned = memory.finding(place)?.isPinned ?? false;
        const isNews = memory.known(place)?.kept.available === true;
        const kept = isNews ? await write(place, (queries) => writeUnavailable(queries, place)) : null;
        memory.found(place, { answers: false, isPinned });
        if (kept === null) memory.takeAgain(place);
        else memory.take(place, kept);
      }),
    quarantined: (projectId, sourceId) =>
      (memory.known({ projectId, sourceId })?.shown.tools ?? [])
        .map(({ tool }) => tool)
        .filter((tool) => tool.quarantined),
    toolChanges: (projectId, sourceId) => pins.changes({ projectId, sourceId }),
    approveChanges: (projectId, sourceId, wanted) =>
      inTurn(async () => {
        const place = { projectId, sourceId };
        const approving = () => pins.approve(place, wanted, memory.known(place)?.shown);
        const approval = await approving();
        if (approval.approved.length === 0) return [];
        let { approved } = approval;
        const kept = await writePinned(place, async () => {
          const again = await approving();
          approved = again.approved;
          return again.write;
        });
        memory.take(place, kept);
        return approved;
      }),
    forget: (projectId, sourceId) => inTurn(() => forget({ projectId, sourceId })),
    keepSources: (projectId, sourceIds) =>
      inTurn(async () => {
        const kept = new Set(sourceIds);
        for (const sourceId of memory.sourceIds(projectId))
          if (!kept.has(sourceId)) await forget({ projectId, sourceId });
      }),
  };
}

const topic = 'offers';

/** One moment of the database, in which what is held back goes with the offer. */
async function readSnapshot(db: Db, place: Place | null): Promise<KeptOffers> {
  return db.tx(async (queries) => {
    await queries.query('set transaction isolation level repeatable read');
    return readOffers(queries, place);
  });
}

/** How often something is worked out anew because another replica was faster. */
const maxAttempts = 10;

/** Each in one transaction, in which the others are told and what is there then is read. */
function createWrites(db: Db, changes: Changes) {
  async function write(place: Place, work: (queries: Queries) => Promise<void>): Promise<KeptOffers> {
    return db.tx(async (queries) => {
      // A source is written by one replica at a time.
      const lock = `offer ${keyOf(place)}`;
      await queries.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [lock]);
      await work(queries);
      await changes.tell(queries, topic, keyOf(place));
      return readOffers(queries, place);
    });
  }

  /** What is pinned is worked out anew where another replica has changed the same pins meanwhile. */
  async function writePinned(
    place: Place,
    workOut: () => Promise<PinWrite>,
    alongside: (queries: Queries) => Promise<void> = async () => undefined,
  ): Promise<KeptOffers> {
    for (let attempt = 1; ; attempt++) {
      const writePins = await workOut();
      try {
        return await write(place, async (queries) => {
          if (!(await writePins(queries))) throw overtaken;
          await alongside(queries);
        });
      } catch (error) {
        if (error !== overtaken || attempt === maxAttempts) throw error;
      }
    }
  }

  return { write, writePinned };
}

const overtaken = new Fault('other replicas went on changing the approvals of the same source');
