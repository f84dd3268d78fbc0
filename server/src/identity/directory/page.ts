import type { Queries, Row } from '#storage';
import { binding, conditionSql, type Place } from './condition-sql.ts';
import type { Found, Search } from './contract.ts';

/** What is searched: rows of one organisation, `$1`. */
export interface Searched {
  readonly columns: string;
  /** `people p` */
  readonly from: string;
  readonly where: string;
  readonly place: Place;
  readonly id: string;
}

/** One page. How many there are is asked for only where the page does not say it. */
export async function page<R extends Row, T>(
  queries: Queries,
  { columns, from, where, place, id }: Searched,
  organizationId: string,
  search: Search,
  make: (row: R) => T,
): Promise<Found<T>> {
  const { limit, offset } = search;
  const params: unknown[] = [organizationId];
  const asked = search.where === null ? '' : ` and ${conditionSql(search.where, place, binding(params))}`;
  const all = `from ${from} where ${where}${asked}`;
  const paged = [...params];
  const order = orderSql(search, place, id, paged);
  const slice = `limit $${paged.push(limit)} offset $${paged.push(offset)}`;
  const rows = limit === 0 ? [] : await queries.query<R>(`select ${columns} ${all} ${order} ${slice}`, paged);
  const items = rows.map(make);
  const isLast = rows.length > 0 ? rows.length < limit : limit > 0 && offset === 0;
  if (isLast) return { items, total: offset + rows.length };
  const [counted] = await queries.query<{ total: number }>(`select count(*) as total ${all}`, params);
  return { items, total: counted?.total ?? 0 };
}

/** What is equal, and what says nothing of it, stands by age. */
function orderSql({ orderBy, descending }: Search, place: Place, id: string, params: unknown[]): string {
  const value = orderBy === null ? null : place.value(orderBy.path, binding(params));
  const way = descending ? 'desc' : 'asc';
  if (value === null || orderBy === null) return `order by ${id} ${way}`;
  const folds = orderBy.type === 'text' && !orderBy.exact && !value.folded;
  return `order by ${folds ? `lower(${value.sql})` : value.sql} ${way} nulls last, ${id} ${way}`;
}
