import type { Row } from '#storage';
import type { Target } from '../authority.ts';
import type { Place } from './kept.ts';

export function placeOf(row: Row): Place {
  const target: Target = {
    projectId: row.project_id as string,
    kind: row.target_kind as Target['kind'],
    id: row.target_id as string,
  };
  return { target, userId: row.user_id as string };
}

/** As parameters, in the order of the columns. */
export const targetParams = ({ projectId, kind, id }: Target) => [projectId, kind, id] as const;
export const placeParams = ({ target, userId }: Place) => [...targetParams(target), userId] as const;

export const isoOrNull = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
export const msOrNull = (iso: unknown) => (iso === null ? null : Date.parse(iso as string));
