import { isDeepStrictEqual } from 'node:util';
import { keyOfPlace, type Place, type Refusal } from '#domain';
import { ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import { type Curation, noCuration } from './contract.ts';

interface CurationRow extends Record<string, unknown> {
  project_id: string;
  tool_id: string;
  curation: Partial<Curation>;
}

export const curationsTopic = 'hub curations';

export interface CurationChange {
  readonly before: Curation;
  readonly after: Curation;
}

/** Curations in the database. Every change is told to other replicas in its own transaction. */
export function createCurationStore(db: Db, changes: Changes) {
  return {
    /** The one, or all. */
    async load(place: Place | null): Promise<readonly (Place & { readonly curation: Curation })[]> {
      const rows = await db.query<CurationRow>(
        'select * from hub_curations where $1::text is null or (project_id = $1 and tool_id = $2)',
        [place?.projectId ?? null, place?.id ?? null],
      );
      return rows.map((row) => ({ projectId: row.project_id, id: row.tool_id, curation: curationOf(row) }));
    },

    /** What is there is held meanwhile, so that a change of one field takes back no change of another. */
    change: (
      place: Place,
      changed: (before: Curation) => Result<Curation, Refusal>,
    ): Promise<Result<CurationChange, Refusal>> =>
      db.tx(async (queries) => {
        const at = [place.projectId, place.id];
        await queries.query(
          `insert into hub_curations (project_id, tool_id, curation) values ($1, $2, '{}') on conflict do nothing`,
          at,
        );
        const [row] = await queries.query<CurationRow>(
          'select * from hub_curations where project_id = $1 and tool_id = $2 for update',
          at,
        );
        const before = curationOf(row);
        const outcome = changed(before);
        const after = outcome.ok ? outcome.value : before;
        if (isDeepStrictEqual(after, noCuration))
          await queries.query('delete from hub_curations where project_id = $1 and tool_id = $2', at);
        else
          await queries.query(
            'update hub_curations set curation = $3::json where project_id = $1 and tool_id = $2',
            [...at, JSON.stringify(after)],
          );
        if (!outcome.ok) return outcome;
        await changes.tell(queries, curationsTopic, keyOfPlace(place));
        return ok({ before, after });
      }),

    /** What it was; `null`: nothing was said. */
    remove: (place: Place): Promise<Curation | null> =>
      db.tx(async (queries) => {
        const [gone] = await queries.query<CurationRow>(
          'delete from hub_curations where project_id = $1 and tool_id = $2 returning *',
          [place.projectId, place.id],
        );
        if (gone === undefined) return null;
        await changes.tell(queries, curationsTopic, keyOfPlace(place));
        return curationOf(gone);
      }),
  };
}

const curationOf = (row: CurationRow | undefined): Curation => ({ ...noCuration, ...row?.curation });
