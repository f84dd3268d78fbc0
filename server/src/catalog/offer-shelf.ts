import type { Clock } from '#foundation';
import type { Db } from '#storage';
import type { Catalog } from './contract.ts';
import { indexOffers, type OfferIndex } from './offer-index.ts';
import { createOfferStore } from './offer-store.ts';
import { createPins, type Pins } from './pins.ts';
import type { Owners } from './rule-names.ts';
import type { StoredOffer } from './stored-offer.ts';

type Shelf = Pick<Catalog, 'replaceOffer' | 'markUnavailable' | 'forget' | 'keepSources'> &
  Approvals & {
    index(projectId: string): OfferIndex;
  };

type Approvals = Pick<Catalog, 'quarantined' | 'toolChanges' | 'approveChanges'>;

interface Project {
  readonly offers: Map<string, StoredOffer>;
  owners: Owners;
  /** Made when it is asked for. */
  index: OfferIndex | null;
}

/**
 * What every source offers, by project. Memory answers, the database remembers: it is written first, one change after
 * another. `onChange` is called with the project whose offers changed.
 */
export async function createOfferShelf(
  { db, clock }: { db: Db; clock: Clock },
  onChange: (projectId: string) => void,
): Promise<Shelf> {
  const store = createOfferStore(db);
  const pins = await createPins({ db, clock });
  const projects = new Map<string, Project>();
  let changing: Promise<unknown> = Promise.resolve();

  const { offers, owners } = await store.load();
  for (const offer of offers) put(offer);
  for (const [projectId, ofProject] of owners) projectOf(projectId).owners = ofProject;

  function projectOf(projectId: string): Project {
    const project = projects.get(projectId) ?? { offers: new Map(), owners: new Map(), index: null };
    projects.set(projectId, project);
    return project;
  }

  function put(offer: StoredOffer): void {
    projectOf(offer.projectId).offers.set(offer.sourceId, pins.marked(offer));
  }

  const offerOf = (projectId: string, sourceId: string) => projectOf(projectId).offers.get(sourceId);

  function changed(projectId: string): void {
    projectOf(projectId).index = null;
    onChange(projectId);
  }

  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = changing.then(change);
    changing = done.catch(() => {});
    return done;
  }

  async function forget(projectId: string, sourceId: string): Promise<void> {
    await store.forget(projectId, sourceId);
    const project = projectOf(projectId);
    project.offers.delete(sourceId);
    project.owners = new Map([...project.owners].filter(([, owner]) => owner !== sourceId));
    changed(projectId);
  }

  return {
    index(projectId) {
      const project = projectOf(projectId);
      project.index ??= indexOffers(project.offers.values(), project.owners);
      return project.index;
    },
    replaceOffer: (projectId, sourceId, given, pinning) =>
      inTurn(async () => {
        const known = offerOf(projectId, sourceId);
        await pins.check({ projectId, sourceId }, given.tools, known, pinning ?? null);
        const replaced = await store.replace(projectId, sourceId, given, clock.iso());
        put(replaced.offer);
        projectOf(projectId).owners = replaced.owners;
        changed(projectId);
      }),
    markUnavailable: (projectId, sourceId) =>
      inTurn(async () => {
        const offer = offerOf(projectId, sourceId);
        if (offer === undefined || !offer.available) return;
        await store.markUnavailable(projectId, sourceId);
        put(unavailable(offer));
        changed(projectId);
      }),
    ...approvals(pins, { inTurn, offerOf, put, changed }),
    forget: (projectId, sourceId) => inTurn(() => forget(projectId, sourceId)),
    keepSources: (projectId, sourceIds) =>
      inTurn(async () => {
        const kept = new Set(sourceIds);
        for (const sourceId of [...projectOf(projectId).offers.keys()]) {
          if (!kept.has(sourceId)) await forget(projectId, sourceId);
        }
      }),
  };
}

function approvals(
  pins: Pins,
  shelf: {
    readonly inTurn: <T>(change: () => Promise<T>) => Promise<T>;
    readonly offerOf: (projectId: string, sourceId: string) => StoredOffer | undefined;
    readonly put: (offer: StoredOffer) => void;
    readonly changed: (projectId: string) => void;
  },
): Approvals {
  const { inTurn, offerOf, put, changed } = shelf;
  return {
    quarantined: (projectId, sourceId) =>
      (offerOf(projectId, sourceId)?.tools ?? []).map(({ tool }) => tool).filter((tool) => tool.quarantined),
    toolChanges: (projectId, sourceId) => pins.changes({ projectId, sourceId }),
    approveChanges: (projectId, sourceId, wanted) =>
      inTurn(async () => {
        const offer = offerOf(projectId, sourceId);
        const approved = await pins.approve({ projectId, sourceId }, wanted, offer);
        if (offer !== undefined && approved.length > 0) {
          put(offer);
          changed(projectId);
        }
        return approved;
      }),
  };
}

function unavailable(offer: StoredOffer): StoredOffer {
  const available = false;
  const marked = <Entry extends object>(entries: readonly Entry[]) =>
    entries.map((entry) => ({ ...entry, available }));
  return {
    ...offer,
    available,
    tools: offer.tools.map((stored) => ({ ...stored, tool: { ...stored.tool, available } })),
    prompts: marked(offer.prompts),
    resources: marked(offer.resources),
    templates: marked(offer.templates),
  };
}
