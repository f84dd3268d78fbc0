import type { ToolListing } from '#domain';
import { type Clock, Fault, type Members } from '#foundation';
import type { Db } from '#storage';
import {
  approvedPin,
  changeOf,
  comparedPin,
  definitionsById,
  firstPin,
  type ListedDefinition,
  type PinEdit,
  type Place,
} from './pin.ts';
import { createPinStore, type PinStore } from './pin-store.ts';
import type { StoredOffer } from './stored-offer.ts';
import type { Pinning, ToolChange } from './tool-change.ts';

/** A source that names ever new tools must neither fill the database nor push out what was approved. */
const maxPins = 50_000;

/**
 * What tools looked like when they were approved, which the first sight of a tool is. Kept by the id of the tool, so that
 * neither a restart, nor an absence, nor a new version number is a fresh start. Checks and approvals are made one after
 * another.
 */
export interface Pins {
  /** The offer with those of its tools marked that are held back. */
  marked(offer: StoredOffer): StoredOffer;
  /**
   * Compares what a source lists with what was approved; to be called before what it lists is used. `known` is what it
   * offered until now, which is approved where pinning begins with this list.
   */
  check(
    place: Place,
    listed: readonly ToolListing[],
    known: StoredOffer | undefined,
    pinning: Pinning | null,
  ): Promise<void>;
  /** What waits for approval. */
  changes(place: Place): Promise<readonly ToolChange[]>;
  /** Approves the changes that are wanted and returns them; `known` is what the source offers. */
  approve(
    place: Place,
    wanted: (change: ToolChange) => boolean,
    known: StoredOffer | undefined,
  ): Promise<readonly ToolChange[]>;
}

export async function createPins({ db, clock }: { db: Db; clock: Clock }): Promise<Pins> {
  const store = createPinStore(db);
  const summary = await store.summary();
  const pinned = new Set(summary.sources.map(keyOf));
  const held = new Set(summary.held);

  async function save({ projectId, sourceId }: Place, pins: readonly PinEdit[]): Promise<void> {
    if (pins.length > 0) await store.save(projectId, sourceId, pins);
    for (const { toolId, held: isHeld } of pins) {
      if (isHeld) held.add(toolId);
      else held.delete(toolId);
    }
  }

  async function unpin(place: Place): Promise<void> {
    if (!pinned.has(keyOf(place))) return;
    for (const id of await store.forget(place.projectId, place.sourceId)) held.delete(id);
    pinned.delete(keyOf(place));
  }

  return {
    marked: (offer) => ({
      ...offer,
      tools: offer.tools.map((stored) => ({
        ...stored,
        tool: { ...stored.tool, quarantined: held.has(stored.tool.id) },
      })),
    }),
    async check(place, listed, known, pinning) {
      if (pinning === null || pinning.mode === 'off') return unpin(place);
      pinned.add(keyOf(place));
      await save(place, await checked(place, listed, toolsOf(known), pinning, store, clock.iso()));
    },
    async changes(place) {
      const pins = await store.load(place.projectId, place.sourceId);
      return [...pins.values()].flatMap((pin) => pin.pending.map((change) => changeOf(place, pin, change)));
    },
    async approve(place, wanted, known) {
      const listed = definitionsById(place, toolsOf(known));
      const approved: ToolChange[] = [];
      const edits: PinEdit[] = [];
      for (const pin of (await store.load(place.projectId, place.sourceId)).values()) {
        const chosen = pin.pending.filter((change) => wanted(changeOf(place, pin, change)));
        if (chosen.length === 0) continue;
        approved.push(...chosen.map((change) => changeOf(place, pin, change)));
        edits.push(approvedPin(pin, chosen, listed.get(pin.toolId) ?? []));
      }
      await save(place, edits);
      return approved;
    },
  };
}

const toolsOf = (offer: StoredOffer | undefined): readonly ToolListing[] =>
  (offer?.tools ?? []).map(({ tool }) => tool);

/** The pins that a list changes, or makes. */
async function checked(
  place: Place,
  listings: readonly ToolListing[],
  known: readonly ToolListing[],
  { mode, onChange }: Pinning,
  store: PinStore,
  nowIso: string,
): Promise<readonly PinEdit[]> {
  const before = await store.load(place.projectId, place.sourceId);
  const listed = definitionsById(place, listings);
  const inCatalog = definitionsById(place, known);
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
  for (const pin of pins) {
    const { toolId } = pin;
    const outcome = comparedPin(pin, listed.get(toolId) ?? [], approved.get(toolId) ?? {}, mode, nowIso);
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

const keyOf = ({ projectId, sourceId }: Place): string => JSON.stringify([projectId, sourceId]);
