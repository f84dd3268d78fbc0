import type { KeptOffers } from './kept-offers.ts';
import { keyOf } from './kept-offers.ts';
import { createIndexer, type Indexer, type OfferIndex } from './offer-index.ts';
import type { Place } from './pin-store.ts';
import type { Owners } from './rule-names.ts';
import type { Offered } from './section.ts';
import { isSameOffer, type StoredOffer } from './stored-offer.ts';

/** What this process found of a source itself. Each replica reaches a source in its own way. */
export interface Finding {
  readonly answers: boolean;
  readonly isPinned: boolean;
}

interface Project {
  readonly offers: Map<string, Offered>;
  readonly findings: Map<string, Finding>;
  readonly indexer: Indexer;
  owners: Owners;
  /** Made when it is asked for. */
  index: OfferIndex | null;
}

interface MemoryDeps {
  /** Whether the source is registered in this process; other replicas may have others. */
  readonly hasSource: (projectId: string, sourceId: string) => boolean;
  readonly onChange: (projectId: string) => void;
  /** The database says of a source that answers here that it does not, or nothing at all. */
  readonly onOverruled: (place: Place) => void;
}

const nobody: Owners = new Map();

function newProject(): Project {
  return { offers: new Map(), findings: new Map(), indexer: createIndexer(), owners: nobody, index: null };
}

/** What every source offers: as the database has it, but for what this process knows better. */
export function createOfferMemory({ hasSource, onChange, onOverruled }: MemoryDeps) {
  const projects = new Map<string, Project>();

  function projectOf(projectId: string): Project {
    const known = projects.get(projectId);
    if (known !== undefined) return known;
    const project = newProject();
    projects.set(projectId, project);
    return project;
  }

  function changed(projectId: string): void {
    projectOf(projectId).index = null;
    onChange(projectId);
  }

  function* everyPlace(): Iterable<Place> {
    for (const [projectId, { offers }] of projects)
      for (const sourceId of [...offers.keys()]) yield { projectId, sourceId };
  }

  /** Whether that changes anything. */
  function put(given: StoredOffer, inDatabase: ReadonlySet<string> | null): boolean {
    const { projectId, sourceId } = given;
    const { offers, findings } = projectOf(projectId);
    const before = offers.get(sourceId);
    const finding = findings.get(sourceId);
    // A replica that does not pin the source must not release what this one holds back.
    const heldNow = inDatabase ?? (finding?.isPinned === true ? (before?.held ?? null) : null);
    const isHeldSame = before !== undefined && areSame(before.held, heldNow);
    const isSame = before !== undefined && isSameOffer(before.kept, given);
    const { available, revision } = given;
    const now: Offered = {
      // What is the same stays the same objects.
      kept: isSame ? { ...before.kept, available, revision } : given,
      held: isHeldSame ? before.held : heldNow,
      available: finding?.answers ?? available,
    };
    offers.set(sourceId, now);
    if (finding?.answers === true && !available) onOverruled(given);
    return !isSame || !isHeldSame || before.available !== now.available;
  }

  function drop(place: Place): boolean {
    const { offers, findings } = projectOf(place.projectId);
    const known = offers.get(place.sourceId);
    if (known === undefined || findings.get(place.sourceId)?.answers !== true)
      return offers.delete(place.sourceId);
    // What it says next is news to the database.
    offers.set(place.sourceId, { ...known, kept: { ...known.kept, available: false, revision: null } });
    onOverruled(place);
    return false;
  }

  return {
    changed,
    known: ({ projectId, sourceId }: Place): Offered | undefined => projectOf(projectId).offers.get(sourceId),
    every: (): readonly StoredOffer[] =>
      [...projects.values()].flatMap(({ offers }) => [...offers.values()].map(({ kept }) => kept)),
    finding: ({ projectId, sourceId }: Place) => projectOf(projectId).findings.get(sourceId),
    sourceIds: (projectId: string) => [...projectOf(projectId).offers.keys()],
    owners: (projectId: string): Owners => projectOf(projectId).owners,

    /** What this process found; acts with what is taken next. `null`: it looks no more. */
    found({ projectId, sourceId }: Place, finding: Finding | null): void {
      if (finding === null) projectOf(projectId).findings.delete(sourceId);
      else projectOf(projectId).findings.set(sourceId, finding);
    },

    /** What was read of this source, or of all. */
    take(place: Place | null, { offers, owners, held }: KeptOffers): void {
      const there = new Set(offers.map(keyOf));
      const before = place === null ? [...everyPlace()] : [place];
      const gone = before.filter((one) => !there.has(keyOf(one)) && drop(one));
      const come = offers.filter((offer) => put(offer, held.get(keyOf(offer)) ?? null));
      const concerned = place === null ? [...projects.keys(), ...owners.keys()] : [place.projectId];
      const renamed = concerned.filter((projectId) =>
        own(projectOf(projectId), owners.get(projectId) ?? nobody),
      );
      for (const projectId of new Set([...renamed, ...[...gone, ...come].map((one) => one.projectId)]))
        changed(projectId);
    },

    /** As it was read last, with what was found since. */
    takeAgain(place: Place): void {
      const known = projectOf(place.projectId).offers.get(place.sourceId);
      if (known !== undefined && put(known.kept, known.held)) changed(place.projectId);
    },

    index(projectId: string): OfferIndex {
      const project = projectOf(projectId);
      project.index ??= project.indexer.index(
        [...project.offers.values()].filter(({ kept }) => hasSource(projectId, kept.sourceId)),
        project.owners,
      );
      return project.index;
    },
  };
}

function areSame(one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): boolean {
  if (one === null || other === null) return one === other;
  return one.size === other.size && [...one].every((id) => other.has(id));
}

export type OfferMemory = ReturnType<typeof createOfferMemory>;

/** Whether that changes anything. What answers here keeps its names, whoever forgot it: rules go on meaning the same. */
function own(project: Project, owners: Owners): boolean {
  const answers = (id: string) => project.findings.get(id)?.answers === true;
  const own = [...project.owners].filter(([name, id]) => answers(id) && !owners.has(name));
  const all = new Map([...owners, ...own]);
  const isSame =
    all.size === project.owners.size && [...all].every(([name, id]) => project.owners.get(name) === id);
  if (!isSame) project.owners = all;
  return !isSame;
}
