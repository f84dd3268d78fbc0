import type { AuditEvent } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { AuditPage, AuditQuery } from './contract.ts';
import { storedText, storedUserId } from './line.ts';

const CURSOR = /^aud_[0-9a-f]{32}$/;

/** Reads a page of the log book, newest first, with the number of all records that match. */
export async function readLogBook(db: Db, query: AuditQuery): Promise<Result<AuditPage, Refusal>> {
  for (const field of ['since', 'until'] as const) {
    const time = query[field];
    if (time !== undefined && Number.isNaN(Date.parse(time))) return err(invalid(field, 'an ISO 8601 time'));
  }
  const before = query.cursor === undefined ? null : lastIdOf(query.cursor);
  if (before !== null && !CURSOR.test(before))
    return err(invalid('cursor', 'the next_cursor of a previous page'));

  const { where, params } = conditionsOf(query);
  const [counted] = await db.query<{ count: number }>(
    `select count(*) from audit_events where ${where}`,
    params,
  );
  const rows = await db.query<AuditEvent>(
    `select * from audit_events where ${where} and ($${params.length + 1}::text is null or id < $${params.length + 1})
     order by id desc limit $${params.length + 2}`,
    [...params, before, query.limit + 1],
  );
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  return ok({
    items,
    nextCursor: rows.length > items.length && last !== undefined ? cursorAfter(last.id) : null,
    totalCount: counted?.count ?? 0,
  });
}

function conditionsOf(query: AuditQuery): { where: string; params: unknown[] } {
  const conditions: string[] = [];
  const params: unknown[] = [];
  const add = (condition: (parameter: string) => string, value: string | undefined) => {
    if (value === undefined) return;
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  const equals = (column: string, value: string | undefined) => {
    add((parameter) => `${column} = ${parameter}`, value === undefined ? undefined : storedText(value));
  };
  equals('project_id', query.projectId);
  add(
    (parameter) => `user_id = ${parameter}`,
    query.userId === undefined ? undefined : storedUserId(query.userId),
  );
  equals('gateway', query.gateway);
  equals('kind', query.kind);
  equals('decision', query.decision);
  equals('code', query.code);
  add((parameter) => `lower(tool) like lower(${parameter}) escape '\\'`, query.tool && likeOf(query.tool));
  add((parameter) => `time >= ${parameter}::timestamptz`, query.since);
  add((parameter) => `time < ${parameter}::timestamptz`, query.until);
  return { where: conditions.join(' and '), params };
}

/** A glob as a LIKE pattern; without `*` and `?` it matches itself. */
function likeOf(glob: string): string {
  return storedText(glob)
    .replaceAll(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');
}

function cursorAfter(id: string): string {
  return Buffer.from(id, 'latin1').toString('base64url');
}

function lastIdOf(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('latin1');
}

function invalid(field: string, expected: string): Refusal {
  return refusal('request.params_invalid', `${field} must be ${expected}`, { field });
}
