import type { AuditEvent, PolicyTrace } from '@sallyport/contracts';
import type { AuditEntry } from './contract.ts';

/** Longest text that is kept; longer ones are cut. `user_id` is indexed, and an index takes no more. */
const TEXT_MAX = 4096;
const USER_ID_MAX = 512;

/** Control characters, quotes, backslashes and surrogates: what cannot stand between quotes as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped.
const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/;
/** In JSON text: an escaped NUL or surrogate, which PostgreSQL would refuse. */
const REFUSED_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/** One record as an AuditEvent in JSON. Written by hand because every call waits for it. */
export function recordOf(id: string, time: string, entry: AuditEntry): string {
  const changes = entry.changes == null ? 'null' : jsonOf(entry.changes);
  return recordText(id, time, entry, changes, entry.policy == null ? 'null' : traceOf(entry.policy));
}

/** A record as the log book has it: its JSON as text, its time to the microsecond. */
export type StoredRecord = Omit<AuditEvent, 'changes' | 'policy'> & {
  readonly changes: string | null;
  readonly policy: string | null;
};

/** The record as it was written, byte for byte; `null` for what `recordOf` never writes. */
export function recordAgain(stored: StoredRecord): string | null {
  const { id, time, user_id, duration_ms, changes, policy, ...rest } = stored;
  const texts = Object.values(rest);
  const isWhole =
    /\.\d{3}000Z$/.test(time) &&
    (duration_ms === null || Number.isFinite(duration_ms)) &&
    (user_id === null || user_id.length <= USER_ID_MAX) &&
    texts.every((text) => typeof text !== 'string' || text.length <= TEXT_MAX);
  if (!isWhole) return null;
  const entry: AuditEntry = {
    ...rest,
    userId: user_id,
    projectId: rest.project_id,
    toolId: rest.tool_id,
    executionId: rest.execution_id,
    durationMs: duration_ms,
    traceId: rest.trace_id,
    clientId: rest.client_id,
  };
  return recordText(id, time.replace('000Z', 'Z'), entry, changes ?? 'null', policy ?? 'null');
}

function recordText(id: string, time: string, entry: AuditEntry, changes: string, policy: string): string {
  // Left out where there is none: records from before there were clients stay as they were hashed.
  const client = entry.clientId == null ? '' : `,"client_id":${quoted(entry.clientId)}`;
  return (
    `{"id":"${id}","time":"${time}","kind":"${entry.kind}","decision":"${entry.decision}"` +
    `,"code":${quoted(entry.code)},"reason":${quoted(entry.reason)},"user_id":${quoted(entry.userId, USER_ID_MAX)}` +
    `,"principal":${quoted(entry.principal)},"project_id":${quoted(entry.projectId)}` +
    `,"gateway":${quoted(entry.gateway)},"tool":${quoted(entry.tool)},"tool_id":${quoted(entry.toolId)}` +
    `,"source":${quoted(entry.source)},"execution_id":${quoted(entry.executionId)}` +
    `,"duration_ms":${numeral(entry.durationMs)},"trace_id":${quoted(entry.traceId)}${client}` +
    `,"changes":${changes},"policy":${policy}}`
  );
}

/** A user id as the log book holds it, for comparing with it. */
export function storedUserId(userId: string): string {
  return storedText(userId, USER_ID_MAX);
}

/** A text as the log book holds it: well-formed, without NUL characters, and not endless. */
export function storedText(text: string, max = TEXT_MAX): string {
  const kept = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return kept.toWellFormed().replaceAll('\0', '\ufffd');
}

function quoted(text: string | null | undefined, max = TEXT_MAX): string {
  if (text == null) return 'null';
  if (text.length <= max && !NEEDS_CARE.test(text)) return `"${text}"`;
  return JSON.stringify(storedText(text, max));
}

function numeral(value: number | null | undefined): string {
  return value != null && Number.isFinite(value) ? String(value) : 'null';
}

/** Most calls meet no rule, limit or hook: their trace is written by hand. */
function traceOf(trace: PolicyTrace): string {
  const { version, access, grants, rules, limits, hooks, approval, groups, claims } = trace;
  const isShort =
    rules.length === 0 &&
    limits.length === 0 &&
    hooks.length === 0 &&
    approval === undefined &&
    groups === undefined &&
    claims === undefined;
  if (!isShort) return jsonOf(trace);
  let ids = '';
  for (const id of grants) ids += ids === '' ? quoted(id) : `,${quoted(id)}`;
  return (
    `{"version":${quoted(version)},"access":"${access}","grants":[${ids}]` +
    ',"rules":[],"limits":[],"hooks":[]}'
  );
}

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  return REFUSED_ESCAPE.test(text) ? JSON.stringify(cleaned(JSON.parse(text))) : text;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return storedText(value, Number.POSITIVE_INFINITY);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [cleaned(key), cleaned(member)]));
}
