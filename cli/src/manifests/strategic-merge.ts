import { isMapping } from '../files/values.ts';

/**
 * Patches as kustomize and kubectl have them: mappings are merged, `null` removes, lists whose items have a name of their
 * own (containers, env, volumes, ports …) are merged by it, and any other value replaces. `$patch: delete` in an item
 * removes it; an item that is only `$patch: replace` has the others replace the list.
 */
export function strategicMerge(value: unknown, patch: unknown, field = ''): unknown {
  if (Array.isArray(patch)) return mergeList(value, patch, field);
  if (!isMapping(patch)) return patch;
  const merged: Record<string, unknown> = isMapping(value) ? { ...value } : {};
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) delete merged[name];
    else merged[name] = strategicMerge(merged[name], change, name);
  }
  return merged;
}

function mergeList(value: unknown, patch: readonly unknown[], field: string): unknown {
  const replaces = patch.some((item) => isMapping(item) && item.$patch === 'replace');
  if (replaces) return patch.filter((item) => !(isMapping(item) && item.$patch === 'replace'));
  const keys = mergeKeys[field];
  if (keys === undefined || !Array.isArray(value)) return patch.filter((item) => !isDeleted(item));
  const merged: unknown[] = [...value];
  for (const item of patch) {
    const id = itemId(item, field);
    if (id === undefined) return patch;
    const at = merged.findIndex((one) => itemId(one, field) === id);
    if (isDeleted(item)) merged.splice(at, at === -1 ? 0 : 1);
    else if (at === -1) merged.push(item);
    else merged[at] = strategicMerge(merged[at], item);
  }
  return merged;
}

const isDeleted = (item: unknown): boolean => isMapping(item) && item.$patch === 'delete';

/** What items of a list are told apart by, as Kubernetes' own schemas have it. */
export const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
  ports: ['containerPort', 'port'],
};

/** Of an item of a list that is merged by keys; `undefined` of any other. */
export function itemId(item: unknown, field: string): string | undefined {
  if (!isMapping(item)) return undefined;
  const key = mergeKeys[field]?.find((name) => Object.hasOwn(item, name));
  return key === undefined
    ? undefined
    : `${key} ${String(item[key])} ${field === 'ports' ? (item.protocol ?? 'TCP') : ''}`;
}

/** The key of the item with its value, which a patch of it needs. */
export function itemKey(item: Readonly<Record<string, unknown>>, field: string): Record<string, unknown> {
  const key = mergeKeys[field]?.find((name) => Object.hasOwn(item, name));
  return key === undefined ? {} : { [key]: item[key] };
}
