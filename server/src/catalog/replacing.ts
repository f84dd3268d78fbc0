import { packed, type SourceOffer } from '#domain';
import { type Clock, newId } from '#foundation';
import type { OfferMemory } from './offer-memory.ts';
import { planOffer } from './offer-plan.ts';
import { toolkitsOf } from './offer-store.ts';
import { type Writes, writeList } from './offer-writes.ts';
import type { Place } from './pin-store.ts';
import type { Pins } from './pins.ts';
import type { StoredOffer } from './stored-offer.ts';
import type { Pinning } from './tool-change.ts';

interface ReplacingDeps {
  readonly memory: OfferMemory;
  readonly pins: Pins;
  readonly writes: Writes;
  readonly clock: Clock;
}

/** Makes what a source offers exactly this; what is the same already is not written. */
export function createReplacing({ memory, pins, writes, clock }: ReplacingDeps) {
  return async (place: Place, offer: SourceOffer, pinning: Pinning | undefined): Promise<void> => {
    const { projectId, sourceId } = place;
    const isPinned = pinning !== undefined && pinning.mode !== 'off';
    // Where it never was pinned here, pins are those of replicas in which it is.
    const mayUnpin = memory.finding(place)?.isPinned !== false;
    const { kept: before, held } = memory.known(place) ?? {};
    const given = { ...offer, tools: packed(offer.tools) };
    const names = toolkitsOf(sourceId, given);
    const plan = (from: StoredOffer | undefined) =>
      planOffer(from, place, given, { nowIso: clock.iso(), revision: newId('rev', clock.now()) });
    const planned = await plan(before);
    const owners = memory.owners(projectId);
    const isNothing = planned.isNothing && names.every((name) => owners.has(name));
    if (isNothing && !isPinned && (!mayUnpin || held === null)) {
      memory.found(place, { answers: true, isPinned });
      memory.takeAgain(place);
      return;
    }
    const kept = await writes.writePinned(
      place,
      () => (isPinned ? pins.check(place, given.tools, before, pinning) : pins.unpin(place, mayUnpin)),
      (queries) => writeList(queries, { place, before, planned, plan, names }, clock.iso()),
    );
    memory.found(place, { answers: true, isPinned });
    memory.take(place, kept);
  };
}
