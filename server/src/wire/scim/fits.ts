import { Fault } from '#foundation';
import type { Comparison, Condition, Field } from '#identity';

/** Whether an item of a list fits, by the same meaning that a search has in the database. */
export function fits(condition: Condition, item: unknown): boolean {
  if ('all' in condition) return condition.all.every((one) => fits(one, item));
  if ('any' in condition) return condition.any.some((one) => fits(one, item));
  if ('not' in condition) return !fits(condition.not, item);
  if ('some' in condition) throw new Fault('an item of a list has no list');
  if ('present' in condition) return valueAt(item, condition.present) !== null;
  const value = valueAt(item, condition.field);
  if (condition.is === 'ne')
    return value === null || !compares(value, 'eq', condition.value, condition.field);
  return value !== null && compares(value, condition.is, condition.value, condition.field);
}

function valueAt(item: unknown, { path }: Field): string | null {
  let value: unknown = item;
  for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
  return value === undefined || value === null ? null : String(value);
}

function compares(kept: string, is: Comparison, given: string, { exact }: Field): boolean {
  const [one, other] = exact ? [kept, given] : [kept.toLowerCase(), given.toLowerCase()];
  switch (is) {
    case 'co':
      return one.includes(other);
    case 'sw':
      return one.startsWith(other);
    case 'ew':
      return one.endsWith(other);
    case 'gt':
      return one > other;
    case 'ge':
      return one >= other;
    case 'lt':
      return one < other;
    case 'le':
      return one <= other;
    default:
      return one === other;
  }
}

/** What an item must be to fit, where it is said in so many words: `type eq "work" and primary eq true`. */
export function saidOf(condition: Condition): Readonly<Record<string, unknown>> | null {
  if ('all' in condition) {
    const said = condition.all.map(saidOf);
    return said.includes(null) ? null : Object.assign({}, ...said);
  }
  if (!('field' in condition) || condition.is !== 'eq') return null;
  const { path, type } = condition.field;
  return { [path[0] as string]: type === 'boolean' ? condition.value === 'true' : condition.value };
}
