import { isDeepStrictEqual } from 'node:util';
import type { KeptOffers } from './kept-offers.ts';
import { keyOf } from './kept-offers.ts';
import { indexOffers, type OfferIndex } from './offer-index.ts';
import type { Place } from './pin-store.ts';
import type { Owners } from './rule-names.ts';
import { madeAvailable, type StoredOffer, withHeld } from './stored-offer.ts';

/** One source's offer. */
interface Known {
  /** As it is in the database, whoever wrote it. */
  readonly kept: StoredOffer;
  /** Tools that are held back; `null`: it is not pinned. */
  readonly held: ReadonlySet<string> | null;
  readonly shown: StoredOffer;
}

/** What this process found of a source itself. Each replica reaches a source in its own way. */
export interface Finding {
  readonly answers: boolean;
  readonly isPinned: boolean;
}

interface Project {
  readonly offers: Map<string, Known>;
  readonly findings: Map<string, Finding>;
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

/** What every source offers: as the database has it, but for what this process knows better. */
export function createOfferMemory({ hasSource, onChange, onOverruled }: MemoryDeps) {
  const projects = new Map<string, Project>();

  function projectOf(projectId: string): Project {
    const known = projects.get(projectId);
    if (known !== undefined) return known;
    const project: Project = { offers: new Map(), findings: new Map(), owners: new Map(), index: null };
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
  function put(kept: StoredOffer, inDatabase: ReadonlySet<string> | null): boolean {
    const { projectId, sourceId } = kept;
    const { offers, findings } = projectOf(projectId);
    const before = offers.get(sourceId);
    const finding = findings.get(sourceId);
    // A replica that does not pin the source must not release what this one holds back.
    const held = inDatabase ?? (finding?.isPinned === true ? (before?.held ?? null) : null);
    const shown = withHeld(madeAvailable(kept, finding?.answers ?? kept.available), held);
    offers.set(sourceId, { kept, held, shown });
    if (finding?.answers === true && !kept.available) onOverruled(kept);
    return !isDeepStrictEqual(before?.shown, shown);
  }

  function drop(place: Place): boolean {
    const { offers, findings } = projectOf(place.projectId);
    if (findings.get(place.sourceId)?.answers !== true) return offers.delete(place.sourceId);
    onOverruled(place);
    return false;
  }

  /** Whether that changes anything. What answers here keeps its names, whoever forgot it: rules go on meaning the same. */
  function own(projectId: string, owners: Owners): boolean {
    const project = projectOf(projectId);
    const answers = (id: string) => project.findings.get(id)?.answers === true;
    const own = [...project.owners].filter(([name, id]) => answers(id) && !owners.has(name));
    const all = new Map([...owners, ...own]);
    if (isDeepStrictEqual(project.owners, all)) return false;
    project.owners = all;
    return true;
  }

  return {
    changed,
    known: ({ projectId, sourceId }: Place) => projectOf(projectId).offers.get(sourceId),
    finding: ({ projectId, sourceId }: Place) => projectOf(projectId).findings.get(sourceId),
    sourceIds: (projectId: string) => [...projectOf(projectId).offers.keys()],

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
      const renamed = concerned.filter((projectId) => own(projectId, owners.get(projectId) ?? new Map()));
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
      project.index ??= indexOffers(
        [...project.offers.values()]
          .map(({ shown }) => shown)
          .filter(({ sourceId }) => hasSource(projectId, sourceId)),
        project.owners,
      );
      return project.index;
    },
  };
}
