import { isDeepStrictEqual } from 'node:util';
import { keyOfPlace, type Place, placeOfKey } from '#domain';
import type { Learned, LearnedQuery } from './contract.ts';
import type { NotedQuery } from './noted-query.ts';
import { allTools, type PlacedQuery } from './query-store.ts';
import { byUse, callersOf } from './tally.ts';

/** As many callers have full weight. */
const fullWeight = 16;

type Tools = Map<string, { readonly noted: readonly NotedQuery[]; readonly learned: readonly Learned[] }>;

const nothing: readonly Learned[] = [];

/** What the database has, by project and tool. */
export function createQueryMemory() {
  const byProject = new Map<string, Tools>();
  const toolsOf = (projectId: string): Tools => byProject.get(projectId) ?? new Map();

  function* within(place: Place | null): Iterable<Place> {
    const projectIds = place === null ? byProject.keys() : [place.projectId];
    for (const projectId of projectIds) for (const id of toolsOf(projectId).keys()) yield { projectId, id };
  }

  /** Whether it was anything else before. */
  function put({ projectId, id }: Place, stored: readonly NotedQuery[]): boolean {
    const noted = stored.toSorted((one, other) => byUse(other, one) || (one.query < other.query ? -1 : 1));
    const tools = toolsOf(projectId);
    byProject.set(projectId, tools);
    if (isDeepStrictEqual(tools.get(id)?.noted ?? [], noted)) return false;
    const learned = noted
      .filter(({ outcome }) => outcome === 'led')
      .map((one) => ({ query: one.query, weight: weightOf(one) }));
    if (noted.length === 0) tools.delete(id);
    else tools.set(id, { noted, learned });
    return true;
  }

  const all = (projectId: string): readonly PlacedQuery[] =>
    [...toolsOf(projectId)].flatMap(([id, { noted }]) => noted.map((one) => ({ projectId, id, noted: one })));

  return {
    /** Takes what is stored of the tool, of the project, or of all; returns what changed. */
    take(place: Place | null, stored: readonly PlacedQuery[]): readonly Place[] {
      const byPlace = new Map<string, NotedQuery[]>();
      const known = place === null || place.id === allTools ? [...within(place)] : [place];
      for (const one of known) byPlace.set(keyOfPlace({ projectId: one.projectId, id: one.id }), []);
      for (const one of stored) {
        const key = keyOfPlace(one);
        byPlace.set(key, [...(byPlace.get(key) ?? []), one.noted]);
      }
      return [...byPlace].flatMap(([key, noted]) => (put(placeOfKey(key), noted) ? [placeOfKey(key)] : []));
    },

    all,
    projectIds: (): readonly string[] => [...byProject.keys()],

    learnedOf: (projectId: string, toolId: string): readonly Learned[] =>
      byProject.get(projectId)?.get(toolId)?.learned ?? nothing,

    /** The most useful first. */
    list(projectId: string, outcome: NotedQuery['outcome'], toolId?: string): readonly LearnedQuery[] {
      return all(projectId)
        .filter(({ id, noted }) => noted.outcome === outcome && (toolId === undefined || id === toolId))
        .sort((one, other) => byUse(other.noted, one.noted))
        .map(({ id, noted }) => ({
          ...{ toolId: id, query: noted.query, weight: weightOf(noted), callers: callersOf(noted) },
          ...{ uses: noted.uses, lastUsed: noted.last },
        }));
    },
  };
}

/** Grows ever slower with callers; however often one of them says it, it stays the same. */
const weightOf = (noted: NotedQuery): number =>
  Math.min(1, Math.log2(1 + callersOf(noted)) / Math.log2(1 + fullWeight));
