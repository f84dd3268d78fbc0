import { packed, type SourceOffer } from '#domain';
import { type Clock, createTurns, Fault, newId } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import type { Catalog } from './contract.ts';
import { type KeptOffers, type KnownOffer, keyOf, placeOf, readOffers, readOwners } from './kept-offers.ts';
import { standingAs } from './kept-tool.ts';
import type { OfferIndex } from './offer-index.ts';
import { createOfferMemory } from './offer-memory.ts';
import { type OfferPlan, planOffer } from './offer-plan.ts';
import { claimToolkits, deleteOffer, toolkitsOf, writeOffer, writeUnavailable } from './offer-store.ts';
import type { Place } from './pin-store.ts';
import { createPins, type PinWrite } from './pins.ts';
import type { StoredOffer } from './stored-offer.ts';
import type { Pinning } from './tool-change.ts';

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
  const known: KnownOffer = (place) => memory.known(place)?.kept;
  const look = async (place: Place | null) => memory.take(place, await readSnapshot(db, place, known));

  changes.on(topic, (key) => inTurn(() => look(key === null ? null : placeOf(key))));
  await look(null);

  async function forget(place: Place): Promise<void> {
    const kept = await write(place, async (queries) => {
      await deleteOffer(queries, place);
      return undefined;
    });
    memory.found(place, null);
    memory.take(place, kept);
  }

  async function replace(place: Place, offer: SourceOffer, pinning: Pinning | undefined): Promise<void> {
    const { projectId, sourceId } = place;
    const isPinned = pinning !== undefined && pinning.mode !== 'off';
    // Where it never was pinned here, pins are those of replicas in which it is.
    const mayUnpin = memory.finding(place)?.isPinned !== false;
    const before = known(place);
    const given = { ...offer, tools: packed(offer.tools) };
    const names = toolkitsOf(sourceId, given);
    const plan = (from: StoredOffer | undefined) =>
      planOffer(from, place, given, { nowIso: clock.iso(), revision: newId('rev', clock.now()) });
    const planned = await plan(before);
    const owners = memory.owners(projectId);
    const isNothing = planned.isNothing && names.every((name) => owners.has(name));
    if (isNothing && !isPinned && !mayUnpin) {
      memory.found(place, { answers: true, isPinned });
      memory.takeAgain(place);
      return;
    }
    const kept = await writePinned(
      place,
      () => (isPinned ? pins.check(place, given.tools, before, pinning) : pins.unpin(place, mayUnpin)),
      (queries) => writeList(queries, { place, before, planned, plan, names }, clock.iso()),
    );
    memory.found(place, { answers: true, isPinned });
    memory.take(place, kept);
  }

  return {
    index: memory.index,
    sourcesChanged: memory.changed,
    onOverruled: (listener) => void overruled.add(listener),
    replaceOffer: (projectId, sourceId, offer, pinning) =>
      inTurn(() => replace({ projectId, sourceId }, offer, pinning)),
    markUnavailable: (projectId, sourceId) =>
      inTurn(async () => {
        const place = { projectId, sourceId };
        const isPinned = memory.finding(place)?.isPinned ?? false;
        const before = known(place);
        const kept =
          before?.available === true
            ? await write(place, async (queries) => {
                await writeUnavailable(queries, place);
                return before;
              })
            : null;
        memory.found(place, { answers: false, isPinned });
        if (kept === null) memory.takeAgain(place);
        else memory.take(place, kept);
      }),
    quarantined(projectId, sourceId) {
      const offered = memory.known({ projectId, sourceId });
      const { available = false, held = null } = offered ?? {};
      return (offered?.kept.tools ?? [])
        .filter(({ id }) => held?.has(id))
        .map((tool) => standingAs(tool, { ruleName: tool.ruleName, available, quarantined: true }));
    },
    toolChanges: (projectId, sourceId) => pins.changes({ projectId, sourceId }),
    approveChanges: (projectId, sourceId, wanted) =>
      inTurn(async () => {
        const place = { projectId, sourceId };
        const approving = () => pins.approve(place, wanted, known(place));
        const approval = await approving();
        if (approval.approved.length === 0) return [];
        let { approved } = approval;
        const workOut = async () => {
          const again = await approving();
          approved = again.approved;
          return again.write;
        };
        const kept = await writePinned(place, workOut, async () => known(place));
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
async function readSnapshot(db: Db, place: Place | null, known: KnownOffer): Promise<KeptOffers> {
  return db.tx(async (queries) => {
    await queries.query('set transaction isolation level repeatable read');
    return readOffers(queries, place, known);
  });
}

/** A list as it is to be written. */
interface ListWrite {
  readonly place: Place;
  /** What was kept of it when the plan was made. */
  readonly before: StoredOffer | undefined;
  readonly planned: OfferPlan;
  readonly plan: (before: StoredOffer | undefined) => Promise<OfferPlan>;
  /** The toolkits that it may own. */
  readonly names: readonly string[];
}

/** Planned anew where another replica has written the same list meanwhile. Gives what is kept then. */
async function writeList(
  queries: Queries,
  { place, before, planned, plan, names }: ListWrite,
  nowIso: string,
): Promise<StoredOffer> {
  const { projectId, sourceId } = place;
  const [row] = await queries.query<{ revision: string | null }>(
    'select revision from offers where project_id = $1 and source_id = $2',
    [projectId, sourceId],
  );
  const isCurrent = row === undefined ? before === undefined : (row.revision ?? '') === before?.revision;
  let acting = planned;
  if (!isCurrent) acting = await plan((await readOffers(queries, place, () => before)).offers[0]);
  await writeOffer(queries, place, acting, nowIso);
  const owners = (await readOwners(queries, place)).get(projectId);
  const unowned = names.filter((name) => owners?.has(name) !== true);
  await claimToolkits(queries, place, unowned);
  return acting.after;
}

/** How often something is worked out anew because another replica was faster. */
const maxAttempts = 10;

/** What is known to be kept once it is written. */
type Write = (queries: Queries) => Promise<StoredOffer | undefined>;

/** Each in one transaction, in which the others are told and what is there then is read. */
function createWrites(db: Db, changes: Changes) {
  async function write(place: Place, work: Write): Promise<KeptOffers> {
    return db.tx(async (queries) => {
      // A source is written by one replica at a time.
      const lock = `offer ${keyOf(place)}`;
      await queries.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [lock]);
      const known = await work(queries);
      await changes.tell(queries, topic, keyOf(place));
      return readOffers(queries, place, () => known);
    });
  }

  /** What is pinned is worked out anew where another replica has changed the same pins meanwhile. */
  async function writePinned(
    place: Place,
    workOut: () => Promise<PinWrite>,
    alongside: Write,
  ): Promise<KeptOffers> {
    for (let attempt = 1; ; attempt++) {
      const writePins = await workOut();
      try {
        return await write(place, async (queries) => {
          if (!(await writePins(queries))) throw overtaken;
          return alongside(queries);
        });
      } catch (error) {
        if (error !== overtaken || attempt === maxAttempts) throw error;
      }
    }
  }

  return { write, writePinned };
}

const overtaken = new Fault('other replicas went on changing the approvals of the same source');
