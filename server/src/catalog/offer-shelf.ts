import type { Tool } from '#domain';
import { type Clock, createTurns, type Turns } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import type { Catalog, KnownTools } from './contract.ts';
import { placeOf } from './kept-offers.ts';
import { standingAs } from './kept-tool.ts';
import type { OfferIndex } from './offer-index.ts';
import { createOfferMemory, type OfferMemory } from './offer-memory.ts';
import { createOfferReading, type OfferReading } from './offer-reading.ts';
import { deleteOffer, writeUnavailable } from './offer-store.ts';
import { createWrites, topic, type Writes } from './offer-writes.ts';
import type { Place } from './pin-store.ts';
import { createPins, type Pins } from './pins.ts';
import { createReplacing } from './replacing.ts';
import type { Offered } from './section.ts';
import { createSnapshot, type Snapshot, type SnapshotDeps } from './snapshot.ts';
import type { StoredOffer } from './stored-offer.ts';
import { readIntoMemory, readSeen } from './tool-blocks.ts';
import type { ToolChange } from './tool-change.ts';

type Shelf = Pick<
  Catalog,
  | 'replaceOffer'
  | 'listed'
  | 'markUnavailable'
  | 'forget'
  | 'keepSources'
  | 'quarantined'
  | 'toolChanges'
  | 'approveChanges'
  | 'sourcesChanged'
  | 'onOverruled'
  | 'close'
> & {
  index(projectId: string): OfferIndex;
  /** Reads tools into memory, where only those are that somebody asked for; they stay there. */
  read(places: readonly Place[]): void;
};

export interface OfferShelfDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the source is registered in this process; other replicas may have others. */
  readonly hasSource: (projectId: string, sourceId: string) => boolean;
  /** Where memory is kept for the next start; nowhere, unless told. */
  readonly snapshot?: Omit<SnapshotDeps, 'clock'>;
  /** What lies there is in memory only where it was asked for. */
  readonly onlyShown?: boolean;
}

/**
 * What every source offers, by project. Memory answers, the database remembers: it is written first, one change after
 * another; what other replicas write is read again. `onChange` is called with the project whose offers changed.
 */
export async function createOfferShelf(
  { db, changes, clock, log, hasSource, snapshot: kept, onlyShown = false }: OfferShelfDeps,
  onChange: (projectId: string) => void,
): Promise<Shelf> {
  const pins = createPins({ db, clock });
  const inTurn = createTurns();
  const overruled = new Set<Parameters<Catalog['onOverruled']>[0]>();
  let snapshot: Snapshot | null = null;
  const memory = createOfferMemory({
    hasSource,
    onChange(projectId) {
      snapshot?.changed();
      onChange(projectId);
    },
    onOverruled({ projectId, sourceId }) {
      for (const listener of overruled) listener(projectId, sourceId);
    },
  });
  const writes = createWrites(db, changes);
  const { write } = writes;
  const replace = createReplacing({ memory, pins, writes, clock });
  const approve = createApproving({ memory, pins, writes });
  const known = (place: Place) => memory.known(place)?.kept;
  const { look, read } = createOfferReading({
    ...{ db, log, memory, inTurn, onlyShown },
    inSnapshot: (place) => snapshot?.offer(place),
  });

  changes.on(topic, (key) => inTurn(() => look(key === null ? null : placeOf(key))));
  snapshot = kept === undefined ? null : keptIn({ ...kept, clock }, { db, log, memory, inTurn, look });
  await snapshot?.open();
  await look(null);
  snapshot?.changed();

  async function markUnavailable(place: Place): Promise<void> {
    const isPinned = memory.finding(place)?.isPinned === true;
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
  }

  async function forget(place: Place): Promise<void> {
    const kept = await write(place, async (queries) => {
      await deleteOffer(queries, place);
      return undefined;
    });
    memory.found(place, null);
    memory.take(place, kept);
  }

  return {
    index: memory.index,
    read,
    sourcesChanged: memory.changed,
    async close() {
      await inTurn(async () => undefined);
      await snapshot?.close();
    },
    onOverruled: (listener) => void overruled.add(listener),
    replaceOffer: (projectId, sourceId, offer, pinning) =>
      inTurn(() => replace({ projectId, sourceId }, offer, pinning)),
    listed: (projectId, sourceId) => listedIn(db, known({ projectId, sourceId })),
    markUnavailable: (projectId, sourceId) => inTurn(() => markUnavailable({ projectId, sourceId })),
    quarantined: (projectId, sourceId) => heldBack(memory.known({ projectId, sourceId })),
    toolChanges: (projectId, sourceId) => pins.changes({ projectId, sourceId }),
    approveChanges: (projectId, sourceId, wanted) => inTurn(() => approve({ projectId, sourceId }, wanted)),
    forget: (projectId, sourceId) => inTurn(() => forget({ projectId, sourceId })),
    keepSources: (projectId, sourceIds) =>
      inTurn(async () => {
        const kept = new Set(sourceIds);
        for (const sourceId of memory.sourceIds(projectId))
          if (!kept.has(sourceId)) await forget({ projectId, sourceId });
      }),
  };
}

/** What is approved is kept, and the next request sees it. */
function createApproving({ memory, pins, writes }: { memory: OfferMemory; pins: Pins; writes: Writes }) {
  return async (place: Place, wanted: (change: ToolChange) => boolean): Promise<readonly ToolChange[]> => {
    const known = memory.known(place)?.kept;
    const approving = () => pins.approve(place, wanted, known);
    let { approved } = await approving();
    if (approved.length === 0) return [];
    const workOut = async () => {
      const again = await approving();
      approved = again.approved;
      return again.write;
    };
    const kept = await writes.writePinned(place, workOut, async () => known);
    memory.take(place, kept);
    return approved;
  };
}

interface KeptFrom {
  readonly db: Db;
  readonly log: Log;
  readonly memory: OfferMemory;
  readonly inTurn: Turns;
  readonly look: OfferReading['look'];
}

/** What lay in the file and is not there any more comes from the database. */
function keptIn(deps: SnapshotDeps, { db, log, memory, inTurn, look }: KeptFrom): Snapshot {
  const restore = async () => {
    log.warn({}, 'definitions of tools cannot be read from catalog.snapshot: the database has them, too');
    for (const offer of memory.every()) await readIntoMemory(db, offer, offer.tools);
    snapshot.lost();
  };
  const snapshot = createSnapshot(deps, {
    ...{ every: memory.every, inTurn },
    onLost: unlessUnderWay(() => inTurn(restore)),
    onFollowed: () => look(null),
  });
  return snapshot;
}

/** Does it, unless it is under way; when it fails, whoever asks next has it done again. */
function unlessUnderWay(work: () => Promise<void>): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    isUnderWay = true;
    work()
      .catch(() => undefined)
      .finally(() => {
        isUnderWay = false;
      });
  };
}

async function listedIn(db: Db, kept: StoredOffer | undefined): Promise<KnownTools | null> {
  if (kept === undefined || kept.revision === null) return null;
  const seen = await readSeen(db, kept, kept.revision);
  return seen === null ? null : { tools: kept.tools.map(({ listing }) => listing), seen };
}

function heldBack(offered: Offered | undefined): readonly Tool[] {
  if (offered === undefined || offered.held === null) return [];
  const { kept, held, available } = offered;
  return kept.tools
    .filter(({ id }) => held.has(id))
    .map((tool) => standingAs(tool, { ruleName: tool.ruleName, available, quarantined: true }));
}
