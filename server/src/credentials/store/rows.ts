import type { Row } from '#storage';
import type { Place } from './kept.ts';

export function placeOf(row: Row): Place {
  return {
    projectId: row.project_id as string,
    sourceId: row.source_id as string,
    userId: row.user_id as string,
  };
}

export const isoOrNull = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
