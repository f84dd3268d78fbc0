import { isMapping, valueAt } from '../files/values.ts';

/** Manifests come from people: whatever is not as expected counts as not there, and is kept as it is elsewhere. */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsAt(value: unknown, ...path: readonly (string | number)[]): Fields {
  const found = valueAt(value, path);
  return isMapping(found) ? found : {};
}

/** The mappings of a list. */
export function itemsAt(value: unknown, ...path: readonly (string | number)[]): readonly Fields[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found.filter(isMapping) : [];
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = valueAt(value, path);
  return typeof found === 'string' ? found : undefined;
}

export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = valueAt(value, path);
  return typeof found === 'number' ? found : undefined;
}

/** Entries with a text: labels, annotations, data. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): Record<string, string> {
  const entries = Object.entries(fieldsAt(value, ...path));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The value with what `change` makes of every mapping in it, the innermost first. */
export function mapDeep(value: unknown, change: (fields: Fields) => Fields): unknown {
  if (Array.isArray(value)) return value.map((item) => mapDeep(item, change));
  if (!isMapping(value)) return value;
  return change(
    Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapDeep(inner, change)])),
  );
}
