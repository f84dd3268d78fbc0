import { isDeepStrictEqual } from 'node:util';
import { keyOfPlace, type Place, type Principal, placeOfKey, type Refusal } from '#domain';
import { createTurns, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import { type Curation, noCuration } from './contract.ts';
import { type CurationChange, createCurationStore, curationsTopic } from './curation-store.ts';

export interface CurationsDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly onChange: (projectId: string, toolIds: readonly string[]) => void;
}

interface OfProject {
  readonly curations: Map<string, Curation>;
  /** Made when somebody asks. */
  closed: { readonly toWhoGoverns: ReadonlySet<string>; readonly toOthers: ReadonlySet<string> } | null;
}

const none: ReadonlySet<string> = new Set();
const nothing: ReadonlyMap<string, Curation> = new Map();

/** What people say of tools: memory answers, the database is written first, other replicas hear of it. */
export async function createCurations({ db, changes, onChange }: CurationsDeps) {
  const store = createCurationStore(db, changes);
  const inTurn = createTurns();
  const byProject = new Map<string, OfProject>();

  changes.on(curationsTopic, (key) => inTurn(() => look(key === null ? null : placeOfKey(key))));
  await look(null);

  async function look(place: Place | null): Promise<void> {
    const stored = await store.load(place);
    const there = new Set(stored.map(keyOfPlace));
    const known = place === null ? knownPlaces() : [place];

    for (const one of known) if (!there.has(keyOfPlace(one))) put(one, null);
    for (const one of stored) put(one, one.curation);
  }

  function knownPlaces(): readonly Place[] {
    return [...byProject].flatMap(([projectId, { curations }]) =>
      [...curations.keys()].map((id) => ({ projectId, id })),
    );
  }

  function put({ projectId, id }: Place, curation: Curation | null): void {
    const project = byProject.get(projectId) ?? { curations: new Map<string, Curation>(), closed: null };
    byProject.set(projectId, project);
    const before = project.curations.get(id) ?? null;
    if (isDeepStrictEqual(before, curation)) return;
    if (curation === null) project.curations.delete(id);
    else project.curations.set(id, curation);
    if (before?.lifecycle !== curation?.lifecycle) project.closed = null;
    onChange(projectId, [id]);
  }

  return {
    of: (projectId: string, toolId: string): Curation =>
      byProject.get(projectId)?.curations.get(toolId) ?? noCuration,

    all: (projectId: string): ReadonlyMap<string, Curation> => byProject.get(projectId)?.curations ?? nothing,

    closedTo(principal: Principal): ReadonlySet<string> {
      const project = byProject.get(principal.projectId);
      if (project === undefined) return none;
      project.closed ??= closedIn(project.curations);
      return governs(principal) ? project.closed.toWhoGoverns : project.closed.toOthers;
    },

    change: (
      place: Place,
      changed: (before: Curation) => Result<Curation, Refusal>,
    ): Promise<Result<CurationChange, Refusal>> =>
      inTurn(async () => {
        const outcome = await store.change(place, changed);
        if (outcome.ok) await look(place);
        return outcome;
      }),

    /** What it was; `null`: nothing was said. */
    remove: (place: Place): Promise<Curation | null> =>
      inTurn(async () => {
        const before = await store.remove(place);
        await look(place);
        return before;
      }),
  };
}

function closedIn(curations: ReadonlyMap<string, Curation>) {
  const idsOf = (lifecycles: readonly string[]) =>
    new Set([...curations].filter(([, one]) => lifecycles.includes(one.lifecycle)).map(([id]) => id));
  return { toWhoGoverns: idsOf(['hidden']), toOthers: idsOf(['hidden', 'draft']) };
}

/** The same as at the door of what changes the catalogue. */
function governs({ permissions, confined, gateways }: Principal): boolean {
  return permissions.has('configure') && !confined && gateways === null;
}
