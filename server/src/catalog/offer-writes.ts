import { Fault } from '#foundation';
import type { Changes, Db, Queries } from '#storage';
import { type KeptOffers, keyOf, readOffers, readOwners, revisionColumn } from './kept-offers.ts';
import type { OfferPlan } from './offer-plan.ts';
import { claimToolkits, writeOffer } from './offer-store.ts';
import type { Place } from './pin-store.ts';
import type { PinWrite } from './pins.ts';
import type { StoredOffer } from './stored-offer.ts';

export const topic = 'offers';

/** A list as it is to be written. */
export interface ListWrite {
  readonly place: Place;
  /** What was kept of it when the plan was made. */
  readonly before: StoredOffer | undefined;
  readonly planned: OfferPlan;
  readonly plan: (before: StoredOffer | undefined) => Promise<OfferPlan>;
  /** The toolkits that it may own. */
  readonly names: readonly string[];
}

/** Planned anew where another replica has written the same list meanwhile. Gives what is kept then. */
export async function writeList(
  queries: Queries,
  { place, before, planned, plan, names }: ListWrite,
  nowIso: string,
): Promise<StoredOffer> {
  const { projectId, sourceId } = place;
  const [row] = await queries.query<{ revision: string | null }>(
    `select ${revisionColumn} from offers where project_id = $1 and source_id = $2`,
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
export function createWrites(db: Db, changes: Changes) {
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

export type Writes = ReturnType<typeof createWrites>;

const overtaken = new Fault('other replicas went on changing the approvals of the same source');
