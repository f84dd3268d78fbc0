import { isObject, type Json } from './json.ts';

const byName = ['name'];
const keysOf: Readonly<Record<string, readonly string[]>> = {
  containers: byName,
  initContainers: byName,
  env: byName,
  volumes: byName,
  imagePullSecrets: byName,
  secrets: byName,
  volumeMounts: ['mountPath'],
  conditions: ['type'],
  ownerReferences: ['uid'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/** Maps that are one value: whoever applies a part of one applies all of it. */
const wholeMaps = new Set(['selector', 'secretKeyRef', 'configMapKeyRef', 'fieldRef', 'resourceFieldRef']);

/**
 * Fields by which the items of a list are the same item; null where the list is one value. `path` ends with the field.
 */
export function listKeys(path: readonly string[], custom: boolean): readonly string[] | null {
  const field = path.at(-1) as string;
  if (custom && path[0] !== 'metadata') return null;
  if (field !== 'ports') return keysOf[field] ?? null;
  if (path.includes('containers') || path.includes('initContainers')) return ['containerPort', 'protocol'];
  return path.length === 2 && path[0] === 'spec' ? ['port', 'protocol'] : null;
}

export const isSet = (path: readonly string[]): boolean => path.at(-1) === 'finalizers';

export const isWholeMap = (path: readonly string[], custom: boolean): boolean =>
  !custom && wholeMaps.has(path.at(-1) as string);

/** What tells an item from its neighbours; `protocol` is TCP for who does not say it. */
export function itemKey(item: Json, keys: readonly string[]): Record<string, Json> {
  const given = isObject(item) ? item : {};
  return Object.fromEntries(keys.map((key) => [key, given[key] ?? (key === 'protocol' ? 'TCP' : null)]));
}
