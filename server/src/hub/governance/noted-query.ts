import { byUse, counted, isOnlyBy, type Tally } from './tally.ts';

/** What somebody searched for before a tool was used. */
export interface NotedQuery extends Tally {
  readonly outcome: 'led' | 'missed';
  readonly query: string;
}

/** Of one tool: how many there are, and how many of them one caller may have brought who is alone with them. */
const bounds = { led: { inAll: 30, byOne: 8 }, missed: { inAll: 6, byOne: 3 } } as const;

export interface NotedChange {
  readonly put: NotedQuery;
  readonly drop: readonly NotedQuery[];
}

/**
 * What is kept of a tool once this caller has said this, too; `null`: the same as before. Nobody pushes out with what only they
 * say what others said as well.
 */
export function noteQuery(
  kept: readonly NotedQuery[],
  { outcome, query }: Pick<NotedQuery, 'outcome' | 'query'>,
  caller: string,
  nowIso: string,
): NotedChange | null {
  const alike = kept.filter((one) => one.outcome === outcome);
  const known = alike.find((one) => one.query === query) ?? null;
  const tally = counted(known, caller, nowIso);
  if (tally === null) return null;
  const put: NotedQuery = { outcome, query, ...tally };
  if (known !== null) return { put, drop: [] };
  const { inAll, byOne } = bounds[outcome];
  const own = alike.filter((one) => isOnlyBy(one, caller)).toSorted(byUse);
  const drop = own.slice(0, Math.max(0, own.length + 1 - byOne));
  const left = [...alike.filter((one) => !drop.includes(one)), put].toSorted(byUse);
  const surplus = left.slice(0, Math.max(0, left.length - inAll));
  return surplus.includes(put) ? null : { put, drop: [...drop, ...surplus] };
}
