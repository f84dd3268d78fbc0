import type { ToolListing } from '#domain';
import { type Clock, createRests, Fault, type Members } from '#foundation';
import type { Db, Queries } from '#storage';
import type { KeptTool } from './kept-tool.ts';
import {
  approvedPin,
  changeOf,
  comparedPin,
  definitionsById,
  firstPin,
  type ListedDefinition,
  type PinEdit,
} from './pin.ts';
import { createPinStore, type Pins as KeptPins, type PinStore, type Place } from './pin-store.ts';
import type { StoredOffer } from './stored-offer.ts';
import type { Pinning, ToolChange } from './tool-change.ts';

/** A source that names ever new tools must neither fill the database nor push out what was approved. */
const maxPins = 50_000;

/**
 * Writes what a check or an approval came to, in the transaction that makes it act. False: the pins were changed by another
 * replica meanwhile, and it must be worked out anew.
 */
export type PinWrite = (queries: Queries) => Promise<boolean>;

/**
 * What tools looked like when they were approved, which the first sight of a tool is. Kept by the id of the tool, so that
 * neither a restart, nor an absence, nor a new version number is a fresh start.
 */
export interface Pins {
  /**
   * Compares what a source lists with what was approved; to be called before what it lists is used. `known` is what it
   * offered until now, which is approved where pinning begins with this list.
   */
  check(
    place: Place,
    listed: readonly ToolListing[],
    known: StoredOffer | undefined,
    pinning: Pinning,
  ): Promise<PinWrite>;
  /** What is not pinned has no pins; `forgets`: those that are there go. */
  unpin(place: Place, forgets: boolean): Promise<PinWrite>;
  /** What waits for approval. */
  changes(place: Place): Promise<readonly ToolChange[]>;
  /** Approves the changes that are wanted; `known` is what the source offers. */
  approve(
    place: Place,
    wanted: (change: ToolChange) => boolean,
    known: StoredOffer | undefined,
  ): Promise<{ readonly approved: readonly ToolChange[]; readonly write: PinWrite }>;
}

export function createPins({ db, clock }: { db: Db; clock: Clock }): Pins {
  const store = createPinStore(db);

  const saving =
    (place: Place, before: KeptPins, edits: readonly PinEdit[]): PinWrite =>
    async (queries) => {
      if (!(await store.areCurrent(queries, place, before))) return false;
      if (edits.length > 0) await store.save(queries, place, edits);
      return true;
    };

  return {
    async check(place, listed, known, pinning) {
      const before = await store.load(place);
      const edits = await checked(place, listed, toolsOf(known), pinning, { before, store, clock });
      return saving(place, before, edits);
    },
    unpin: async (place, forgets) => async (queries) => {
      if (forgets) await store.forget(queries, place);
      return true;
    },
    async changes(place) {
      const pins = await store.load(place);
      return [...pins.values()].flatMap((pin) => pin.pending.map((change) => changeOf(place, pin, change)));
    },
    async approve(place, wanted, known) {
      const listed = await definitionsById(place, toolsOf(known));
      const approved: ToolChange[] = [];
      const edits: PinEdit[] = [];
      const before = await store.load(place);
      for (const pin of before.values()) {
        const chosen = pin.pending.filter((change) => wanted(changeOf(place, pin, change)));
        if (chosen.length === 0) continue;
        approved.push(...chosen.map((change) => changeOf(place, pin, change)));
        edits.push(approvedPin(pin, chosen, listed.get(pin.toolId) ?? []));
      }
      return { approved, write: saving(place, before, edits) };
    },
  };
}

const toolsOf = (offer: StoredOffer | undefined): readonly KeptTool[] => offer?.tools ?? [];

/** The pins that a list changes, or makes. */
async function checked(
  place: Place,
  listings: readonly ToolListing[],
  known: readonly KeptTool[],
  { mode, onChange }: Pinning,
  { before, store, clock }: { readonly before: KeptPins; readonly store: PinStore; readonly clock: Clock },
): Promise<readonly PinEdit[]> {
  const listed = await definitionsById(place, listings);
  const unpinned = known.filter(({ id }) => !before.has(id) && listed.has(id));
  const inCatalog = await definitionsById(place, unpinned);
  const fresh = [...listed]
    .filter(([id]) => !before.has(id))
    .map(([id, definitions]) => firstPin(id, inCatalog.get(id) ?? definitions));
  if (before.size + fresh.length > maxPins) {
    throw new Fault(
      `the source ${place.sourceId} has named more than ${maxPins} different tools since it is pinned; setting its pin to off forgets them`,
    );
  }
  const pins: PinEdit[] = [...before.values(), ...fresh];
  const approved = await approvedDefinitions(pins, listed, store);
  const edits = new Map(fresh.map((pin) => [pin.toolId, pin]));
  const rests = createRests();
  for (const pin of pins) {
    await rests();
    const { toolId } = pin;
    const outcome = comparedPin(pin, listed.get(toolId) ?? [], approved.get(toolId) ?? {}, mode, clock.iso());
    if (outcome === null) continue;
    // Told before it is remembered: rather twice than never.
    for (const change of outcome.unrecorded) await onChange(changeOf(place, outcome.pin, change));
    edits.set(toolId, outcome.pin);
  }
  return [...edits.values()];
}

/** The approved definition of every tool that is listed with another one. */
async function approvedDefinitions(
  pins: readonly PinEdit[],
  listed: ReadonlyMap<string, readonly ListedDefinition[]>,
  store: PinStore,
): Promise<Map<string, Members>> {
  const differing = pins.filter(({ toolId, approved }) =>
    listed.get(toolId)?.some(({ digest }) => !approved.includes(digest)),
  );
  const kept = await store.definitions(differing.map(({ toolId }) => toolId));
  for (const { toolId, definition } of differing) if (definition !== undefined) kept.set(toolId, definition);
  return kept;
}
