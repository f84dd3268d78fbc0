import { createHmac } from 'node:crypto';

/** How often something was said, by how many, and when: without saying by whom. */
export interface Tally {
  /** Each caller once a day. */
  readonly uses: number;
  /** Keyed hashes, each with the day on which it was counted last. */
  readonly callers: { readonly [hash: string]: string };
  /** ISO 8601. */
  readonly last: string;
}

/** Nothing grows with callers beyond these; their weight is full long before. */
const maxCallers = 32;

/** `null`: this caller was counted today, or there were enough others. */
export function counted(before: Tally | null, caller: string, nowIso: string): Tally | null {
  const day = nowIso.slice(0, 10);
  const callers = before?.callers ?? {};
  if (callers[caller] === day) return null;
  if (callers[caller] === undefined && Object.keys(callers).length >= maxCallers) return null;
  return { uses: (before?.uses ?? 0) + 1, callers: { ...callers, [caller]: day }, last: nowIso };
}

/** The least useful first: by fewer callers, less often, longer ago. */
export function byUse(one: Tally, other: Tally): number {
  const callers = callersOf(one) - callersOf(other);
  if (callers !== 0) return callers;
  if (one.uses !== other.uses) return one.uses - other.uses;
  return one.last === other.last ? 0 : one.last < other.last ? -1 : 1;
}

export const callersOf = ({ callers }: Tally): number => Object.keys(callers).length;

/** Whether nobody else said it. */
export const isOnlyBy = ({ callers }: Tally, caller: string): boolean =>
  callers[caller] !== undefined && Object.keys(callers).length === 1;

/** What a caller is known by in one place, and in no other. */
export function callerHash(key: Buffer, place: readonly string[], bearer: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([...place, bearer]))
    .digest('hex')
    .slice(0, 16);
}
