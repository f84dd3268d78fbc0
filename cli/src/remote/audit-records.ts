import { auditEvent } from '@sallyport/contracts';
import { z } from 'zod';
import type { Io } from '../output/io.ts';
import type { Api, Query } from './api.ts';

/** Records of the log book, oldest first, each once. */

export type AuditRecord = z.infer<typeof record>;

/** Of a newer server, there may be codes and kinds that are not known here. */
const record = auditEvent.extend({
  kind: z.string(),
  code: z.string().nullable(),
  policy: z.unknown(),
});
const page = z.object({ items: z.array(record), next_cursor: z.string().nullable() });

export type AuditFilters = Readonly<Record<string, string | undefined>>;

const pageSize = 1000;
const pollMs = 1000;
/**
 * Records come into the log book out of order: each replica writes its own, a moment later. What is that much older than the
 * newest seen is looked at again each time.
 */
const settlingMs = 30_000;

/** More than anybody reads, and no more than is kept at once. */
const mostPast = 100_000;

/** The newest that fit, or all since then. */
export async function pastRecords(
  api: Api,
  filters: AuditFilters,
  { since, newest = mostPast }: { readonly since?: string | undefined; readonly newest?: number },
): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(pageSize, newest - found.length);
    const query: Query = { ...filters, since, cursor, limit };
    const { items, next_cursor } = await api.ask('GET', '/audit_events', { answer: page, query });
    found.push(...items);
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined && found.length < newest);
  return found.reverse();
}

/** Those that come after `known`, the newest that there were, until it is interrupted. */
export async function* followRecords(
  io: Pick<Io, 'sleep' | 'signal'>,
  api: Api,
  filters: AuditFilters,
  known: readonly AuditRecord[],
): AsyncGenerator<AuditRecord> {
  const seen = new Map(known.map(({ id, time }) => [id, Date.parse(time)]));
  // Ids sort by time: what is older was there, and was not asked for.
  const oldestId = known[0]?.id ?? '';
  let newestMs = Math.max(settlingMs, ...seen.values());
  while (!io.signal.aborted) {
    const sinceMs = newestMs - settlingMs;
    for (const [id, timeMs] of seen) if (timeMs < sinceMs) seen.delete(id);
    const since = new Date(sinceMs).toISOString();
    for (const one of await pastRecords(api, filters, { since })) {
      if (seen.has(one.id)) continue;
      const timeMs = Date.parse(one.time);
      seen.set(one.id, timeMs);
      newestMs = Math.max(newestMs, timeMs);
      if (one.id > oldestId) yield one;
    }
    await io.sleep(pollMs, io.signal).catch(() => undefined);
  }
}
