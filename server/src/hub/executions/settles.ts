import type { Db } from '#storage';
import { createBatches } from './batches.ts';
import { table } from './rows.ts';

export interface SettledRow {
  readonly id: string;
  readonly answer: string;
  /** `null`: as it is; what ended needs none. */
  readonly request: string | null;
  readonly [column: string]: unknown;
}

const settle = `update ${table} as old set status = new.status, waiting_for = new.waiting_for, answer = new.answer,
    key_hash = new.key_hash, ended_at = new.ended_at, expires_at = new.expires_at, leased_by = '',
    request = case when new.ended_at is null then coalesce(new.request, old.request) else '' end
  from json_to_recordset($1::json) as new (id text, status text, waiting_for text, attempt integer, key_hash text,
    ended_at timestamptz, expires_at timestamptz, answer text, request text)
  where old.id = new.id and old.attempt = new.attempt and old.status in ('pending', 'running', 'unknown')
  returning old.id`;

/** Writes down how attempts ended; whether that was still the last one. */
export function createSettles(db: Db): (row: SettledRow) => Promise<boolean> {
  return createBatches(
    ({ answer, request }) => answer.length + (request?.length ?? 0),
    async (rows) => {
      const settled = await db.query<{ id: string }>(settle, [JSON.stringify(rows)]);
      const ids = new Set(settled.map(({ id }) => id));
      return rows.map(({ id }) => ids.has(id));
    },
  );
}
