import { keyOfPlace, type Place } from '#domain';
import type { Changes, Db, Queries } from '#storage';
import type { NotedChange, NotedQuery } from './noted-query.ts';

interface QueryRow extends Record<string, unknown> {
  project_id: string;
  tool_id: string;
  outcome: NotedQuery['outcome'];
  query: string;
  uses: number;
  callers: NotedQuery['callers'];
  last_used: string;
}

export const queriesTopic = 'hub queries';

/** What is kept of the tool of this place. */
export type PlacedQuery = Place & { readonly noted: NotedQuery };

/** The id of a place that stands for all tools of the project. */
export const allTools = '';

/** Queries by tool, as the database has them. Every change is told to other replicas in its own transaction. */
export function createQueryStore(db: Db, changes: Changes) {
  const tell = (queries: Queries, place: Place) => changes.tell(queries, queriesTopic, keyOfPlace(place));

  return {
    /** Of the tool, of the project, or all. */
    async load(place: Place | null): Promise<readonly PlacedQuery[]> {
      const ofTool = place === null || place.id === allTools ? null : place.id;
      const rows = await db.query<QueryRow>(
        `select * from hub_queries where ($1::text is null or project_id = $1) and ($2::text is null or tool_id = $2)`,
        [place?.projectId ?? null, ofTool],
      );
      return rows.map((row) => ({ projectId: row.project_id, id: row.tool_id, noted: notedOf(row) }));
    },

    /** What is there of the tool is held meanwhile. */
    async change(
      queries: Queries,
      place: Place,
      changeOf: (kept: readonly NotedQuery[]) => readonly NotedChange[],
    ): Promise<void> {
      const { projectId, id } = place;
      const rows = await queries.query<QueryRow>(
        'select * from hub_queries where project_id = $1 and tool_id = $2 order by outcome, query for update',
        [projectId, id],
      );
      const changed = changeOf(rows.map(notedOf));
      for (const { put, drop } of changed) {
        for (const one of drop) await remove(queries, place, one);
        await queries.query(
          `insert into hub_queries (project_id, tool_id, outcome, query, uses, callers, last_used)
           values ($1, $2, $3, $4, $5, $6::json, $7)
           on conflict (project_id, tool_id, outcome, query) do update
           set uses = excluded.uses, callers = excluded.callers, last_used = excluded.last_used`,
          [projectId, id, put.outcome, put.query, put.uses, JSON.stringify(put.callers), put.last],
        );
      }
      if (changed.length > 0) await tell(queries, place);
    },

    async removeAll(queries: Queries, gone: readonly PlacedQuery[]): Promise<void> {
      const places = new Map(gone.map((one) => [keyOfPlace(one), one]));
      for (const one of gone) await remove(queries, one, one.noted);
      for (const place of places.values()) await tell(queries, place);
    },

    /** Of a tool, of one wording, of both together, or all of the project; how many there were. */
    forget: (projectId: string, toolId: string | null, query: string | null) =>
      db.tx(async (queries) => {
        const gone = await queries.query<QueryRow>(
          `delete from hub_queries where project_id = $1 and ($2::text is null or tool_id = $2)
           and ($3::text is null or query = $3) returning tool_id`,
          [projectId, toolId, query],
        );
        if (gone.length > 0) await tell(queries, { projectId, id: toolId ?? allTools });
        return gone.length;
      }),

    /** What nobody has said since then. */
    forgetBefore: (time: string) =>
      db.tx(async (queries) => {
        const gone = await queries.query<QueryRow>(
          'delete from hub_queries where last_used < $1 returning project_id, tool_id',
          [time],
        );
        const projects = new Set(gone.map(({ project_id }) => project_id));
        for (const projectId of projects) await tell(queries, { projectId, id: allTools });
        return [...projects];
      }),
  };
}

async function remove(queries: Queries, { projectId, id }: Place, { outcome, query }: NotedQuery) {
  await queries.query(
    'delete from hub_queries where project_id = $1 and tool_id = $2 and outcome = $3 and query = $4',
    [projectId, id, outcome, query],
  );
}

function notedOf({ outcome, query, uses, callers, last_used }: QueryRow): NotedQuery {
  return { outcome, query, uses, callers, last: last_used };
}
