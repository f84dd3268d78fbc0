import { Fault } from '#foundation';
import { inLowerCase } from '../people/email.ts';
import type { Comparison, Condition, Field } from './condition.ts';

/** Where the attributes of a row are found in SQL. */
export interface Place {
  /** `null`: whatever the row is, it has none. */
  value(path: readonly string[], bind: Bind): Value | null;
  /** The items of a list: `from … where …`, and where the attributes of one are found. */
  items(list: string, bind: Bind): { readonly from: string; readonly place: Place } | null;
}

/** Text, or a time for a time. `folded`: kept in lower case. */
export interface Value {
  readonly sql: string;
  readonly folded?: true;
}

/** Takes a parameter and gives its name, with its type. */
export type Bind = (value: string) => string;

/** Parameters in the order in which they are bound, after those that are there. */
export function binding(params: unknown[]): Bind {
  return (value) => `$${params.push(value)}::text`;
}

/** The text at a path of a JSON value. */
export function jsonText(from: string, path: readonly string[], bind: Bind): Value {
  const steps = path.map((name, at) => `${at === path.length - 1 ? '->>' : '->'} ${bind(name)}`);
  return { sql: `(${from} ${steps.join(' ')})` };
}

const jsonItem: Place = { value: (path, bind) => jsonText('item', path, bind), items: () => null };

/** The items of a list in a JSON value. */
export function jsonItems(from: string, list: string, bind: Bind) {
  return { from: `from json_array_elements(${from} -> ${bind(list)}) item where true`, place: jsonItem };
}

/** The condition as SQL over one row; unknown is false. Every name and value is a parameter. */
export function conditionSql(condition: Condition, place: Place, bind: Bind): string {
  if ('all' in condition) return joined(condition.all, 'and', place, bind);
  if ('any' in condition) return joined(condition.any, 'or', place, bind);
  if ('not' in condition) return `(not coalesce(${conditionSql(condition.not, place, bind)}, false))`;
  if ('some' in condition) return someSql(condition.some, condition.where, place, bind);
  const field = 'present' in condition ? condition.present : condition.field;
  if (field.list) return someSql(field.path[0] as string, ofItem(condition, field), place, bind);
  const value = place.value(field.path, bind);
  if ('present' in condition) return value === null ? 'false' : `(${value.sql} is not null)`;
  if (value === null) return String(condition.is === 'ne');
  return comparisonSql(value, condition, bind);
}

/** Whether the list has any item, or what its items are asked. */
function ofItem(condition: Condition, field: Field): Condition {
  if (field.path.length === 1) return { all: [] };
  const item = { ...field, path: field.path.slice(1), list: false };
  return 'present' in condition ? { present: item } : { ...condition, field: item };
}

/** `ne` of a list is that no item is equal. */
function someSql(list: string, where: Condition, place: Place, bind: Bind): string {
  if ('field' in where && where.is === 'ne') {
    return `(not ${someSql(list, { ...where, is: 'eq' }, place, bind)})`;
  }
  const items = place.items(list, bind);
  if (items === null) return 'false';
  return `exists (select 1 ${items.from} and ${conditionSql(where, items.place, bind)})`;
}

function joined(conditions: readonly Condition[], by: 'and' | 'or', place: Place, bind: Bind): string {
  if (conditions.length === 0) return String(by === 'and');
  return `(${conditions.map((one) => conditionSql(one, place, bind)).join(` ${by} `)})`;
}

const orders: Readonly<Partial<Record<Comparison, string>>> = { gt: '>', ge: '>=', lt: '<', le: '<=' };

function comparisonSql(
  { sql, folded }: Value,
  { field, is, value }: Extract<Condition, { is: Comparison }>,
  bind: Bind,
): string {
  const isTime = field.type === 'time';
  const fold = (text: string) => (field.exact || isTime || folded ? text : `lower(${text})`);
  const one = fold(sql);
  const other = isTime ? `(${bind(value)})::timestamptz` : fold(bind(folded ? inLowerCase(value) : value));
  const order = orders[is];
  if (order !== undefined) return `(${one} ${isTime ? '' : 'collate "C" '}${order} ${other})`;
  switch (is) {
    case 'eq':
      return `(${one} = ${other})`;
    case 'ne':
      return `(${one} <> ${other} or ${one} is null)`;
    case 'co':
      return `(strpos(${one}, ${other}) > 0)`;
    case 'sw':
      return `starts_with(${one}, ${other})`;
    case 'ew':
      return `(right(${one}, length(${other})) = ${other})`;
    default:
      throw new Fault(`a comparison that is unknown: ${is}`);
  }
}
