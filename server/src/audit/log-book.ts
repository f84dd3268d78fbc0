import type { AuditEvent } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, newId, ok, type Result } from '#foundation';
import type { Db, RowLines } from '#storage';
import type { AuditCall, AuditCallsQuery, AuditPage, AuditQuery } from './contract.ts';
import { storedText, storedUserId } from './line.ts';

/** What a line of the journal has, in its order: a record as an AuditEvent, and its place in the chain. */
export const lineColumns: RowLines['columns'] = {
  id: 'text',
  time: 'timestamptz',
  kind: 'text',
  decision: 'text',
  code: 'text',
  reason: 'text',
  user_id: 'text',
  principal: 'text',
  project_id: 'text',
  gateway: 'text',
  tool: 'text',
  tool_id: 'text',
  source: 'text',
  execution_id: 'text',
  duration_ms: 'double precision',
  trace_id: 'text',
  client_id: 'text',
  changes: 'json',
  policy: 'json',
  chain_seq: 'bigint',
  chain_hash: 'text',
};

/** The columns that a record has as an AuditEvent, in its order. */
export const eventColumns = Object.keys(lineColumns).slice(0, -2).join(', ');

const ID = /^aud_[0-9a-f]{32}$/;

/** Reads a page of the log book, newest first, with the number of all records that match. */
export async function readLogBook(db: Db, query: AuditQuery): Promise<Result<AuditPage, Refusal>> {
  for (const field of ['since', 'until'] as const) {
    const time = query[field];
    if (time !== undefined && Number.isNaN(Date.parse(time))) return err(invalid(field, 'an ISO 8601 time'));
  }
  const before = query.cursor === undefined ? null : lastIdOf(query.cursor);
  if (before !== null && !ID.test(before))
    return err(invalid('cursor', 'the next_cursor of a previous page'));

  const { where, params } = conditionsOf(query);
  const [counted] = await db.query<{ count: number }>(
    `select count(*) from audit_events where ${where}`,
    params,
  );
  const rows = await db.query<AuditEvent>(
    `select ${eventColumns} from audit_events where ${where} and ($${params.length + 1}::text is null or id < $${params.length + 1})
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

export async function readOne(db: Db, projectId: string, id: string): Promise<AuditEvent | null> {
  if (!ID.test(id)) return null;
  const [row] = await db.query<AuditEvent>(
    `select ${eventColumns} from audit_events where id = $1 and project_id = $2`,
    [id, projectId],
  );
  return row ?? null;
}

/** The newest tool calls. Ids begin with the time, so the range of ids is the range of time. */
export async function readCalls(db: Db, query: AuditCallsQuery): Promise<AuditCall[]> {
  const { projectId, since, until, gateway, limit } = query;
  const bound = (time: string | undefined) => (time === undefined ? null : firstIdAt(time));
  return db.query<AuditCall & Record<string, unknown>>(
    `select id, time, decision, code, user_id, client_id, gateway, tool, tool_id, policy from audit_events
     where project_id = $1 and kind = 'tool_call' and ($2::text is null or id >= $2) and ($3::text is null or id < $3)
       and ($4::text is null or gateway = $4)
     order by id desc limit $5`,
    [projectId, bound(since), bound(until), gateway ?? null, limit],
  );
}

/** Where ids of this time, or a later one, begin. */
export function firstIdAt(time: string): string {
  return newId('aud', Math.max(0, Date.parse(time))).slice(0, 'aud_'.length + 12);
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
  equals('principal', query.principal);
  equals('client_id', query.clientId);
  equals('execution_id', query.executionId);
  equals('gateway', query.gateway);
  equals('kind', query.kind);
  equals('decision', query.decision);
  equals('code', query.code);
  add((parameter) => `lower(tool) like lower(${parameter}) escape '\\'`, query.tool && likeOf(query.tool));
  // Finding the text is cheap, and sorts out nearly all.
  const inRules = (parameter: string) =>
    `strpos(policy::text, to_json(${parameter}::text)::text) > 0 and exists (` +
    `select from json_array_elements(policy -> 'rules') as rule where rule ->> 'id' = ${parameter}::text)`;
  add(inRules, query.rule === undefined ? undefined : storedText(query.rule));
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
