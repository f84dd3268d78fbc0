import { keyOfPlace, type Place, placeOfKey } from '#domain';
import { type Clock, createTurns, messageOf } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Log } from '#telemetry';
import { type NotedChange, type NotedQuery, noteQuery } from './noted-query.ts';
import { normalised } from './plain-text.ts';
import { createQueryMemory } from './query-memory.ts';
import { allTools, createQueryStore, queriesTopic } from './query-store.ts';
import type { Evidence } from './recent-searches.ts';
import { byUse, callerHash } from './tally.ts';

/** What nobody says any more is forgotten. */
const keptMs = 180 * 24 * 3_600_000;
const tidyEveryMs = 6 * 3_600_000;
/** Written at once. */
const batch = 50;
/** Waiting to be written: beyond these nothing is learned. */
const maxPending = 2000;
/** Of one project. */
const usualMax = 20_000;

export interface QueriesDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly log: Log;
  /** Nobody without it can tell who said something. */
  readonly key: Buffer;
  readonly onChange: (projectId: string, toolIds: readonly string[]) => void;
  readonly maxPerProject?: number;
}

/** What was searched for before tools were used: memory answers, the database is written first, other replicas hear of it. */
export async function createQueries(deps: QueriesDeps) {
  const { db, changes, clock, log, onChange } = deps;
  const store = createQueryStore(db, changes);
  const memory = createQueryMemory();
  const inTurn = createTurns();
  const pending: Evidence[] = [];

  changes.on(queriesTopic, (told) => inTurn(() => look(told === null ? null : placeOfKey(told))));
  await look(null);

  async function look(place: Place | null): Promise<void> {
    const changed = memory.take(place, await store.load(place));
    for (const [projectId, places] of Map.groupBy(changed, (one) => one.projectId)) {
      const toolIds = places.map(({ id }) => id);
      onChange(projectId, toolIds);
    }
  }

  async function writePending(): Promise<void> {
    while (pending.length > 0) {
      const evidence = pending.splice(0, batch);
      await write(evidence).catch((error) =>
        log.warn({ error: messageOf(error) }, 'what searches led to could not be kept'),
      );
    }
  }

  async function write(evidence: readonly Evidence[]): Promise<void> {
    const byTool = Map.groupBy(evidence, ({ projectId, toolId }) => keyOfPlace({ projectId, id: toolId }));
    // In one order everywhere, so that no two replicas wait for one another.
    const places = [...byTool].toSorted(([one], [other]) => (one < other ? -1 : 1));
    await db.tx(async (queries) => {
      for (const [at, said] of places)
        await store.change(queries, placeOfKey(at), (kept) => changesBy(said, kept, deps));
    });
    for (const [at] of places) await look(placeOfKey(at));
    for (const projectId of new Set(evidence.map((one) => one.projectId))) await bound(projectId);
  }

  /** A twentieth goes at once, so that it is seldom looked for. */
  async function bound(projectId: string): Promise<void> {
    const { maxPerProject = usualMax } = deps;
    const all = memory.all(projectId);
    if (all.length <= maxPerProject) return;
    const sorted = all.toSorted((one, other) => byUse(one.noted, other.noted));
    const gone = sorted.slice(0, all.length - Math.floor(maxPerProject * 0.95));
    await db.tx((queries) => store.removeAll(queries, gone));
    for (const id of new Set(gone.map((one) => one.id))) await look({ projectId, id });
  }

  async function tidy(): Promise<void> {
    const before = new Date(clock.now() - keptMs).toISOString();
    for (const projectId of await store.forgetBefore(before)) await look({ projectId, id: allTools });
  }

  const stop = clock.every(tidyEveryMs, () => {
    inTurn(tidy).catch((error) =>
      log.warn({ error: messageOf(error) }, 'old queries could not be forgotten'),
    );
  });

  return {
    learnedOf: memory.learnedOf,
    projectIds: memory.projectIds,
    list: memory.list,

    /** Written soon. */
    note(evidence: Evidence): void {
      if (pending.length >= maxPending) return;
      pending.push(evidence);
      if (pending.length === 1) void inTurn(writePending);
    },

    /** Of a tool, of one wording, of both together, or all of the project; how many there were. */
    forget: (projectId: string, toolId: string | null, query: string | null): Promise<number> =>
      inTurn(async () => {
        const count = await store.forget(projectId, toolId, query === null ? null : normalised(query));
        await look({ projectId, id: toolId ?? allTools });
        return count;
      }),

    /** All that was noted is written. */
    async close(): Promise<void> {
      stop();
      await inTurn(writePending);
    },
  };
}

/** What this evidence changes of what is kept of its tool. */
function changesBy(
  said: readonly Evidence[],
  before: readonly NotedQuery[],
  { key, clock }: Pick<QueriesDeps, 'key' | 'clock'>,
): readonly NotedChange[] {
  let kept = before;
  return said.flatMap((one) => {
    const caller = callerHash(key, [one.projectId, one.toolId], one.bearer);
    const change = noteQuery(kept, one, caller, clock.iso());
    if (change === null) return [];
    const { put, drop } = change;
    const isSame = ({ outcome, query }: NotedQuery) => outcome === put.outcome && query === put.query;
    kept = [...kept.filter((other) => !drop.includes(other) && !isSame(other)), put];
    return [change];
  });
}
