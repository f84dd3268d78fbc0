import { ApiFault, badRequest } from './api-fault.ts';
import { isObject, isSame, type Json } from './json.ts';
import { isSet, itemKey, listKeys } from './list-keys.ts';

/** RFC 7386. */
export function mergePatched(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = mergePatched(result[field], value);
  }
  return result;
}

/** As merge patch, but lists whose items have names are merged item by item. */
export function strategicPatched(target: Json, patch: Json, names: readonly string[] = []): Json {
  if (!isObject(patch)) return patch;
  if (patch.$patch === 'delete') return undefined;
  const result: Json = isObject(target) && patch.$patch !== 'replace' ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$deleteFromPrimitiveList/')) {
      const list = field.slice('$deleteFromPrimitiveList/'.length);
      result[list] = (result[list] ?? []).filter((item: Json) => !(value as Json[]).includes(item));
    } else if (field.startsWith('$')) continue;
    else if (value === null) delete result[field];
    else if (Array.isArray(value)) result[field] = mergedList(result[field], value, [...names, field]);
    else result[field] = strategicPatched(result[field], value, [...names, field]);
  }
  return result;
}

function mergedList(target: Json, patch: readonly Json[], names: readonly string[]): Json[] {
  const live: Json[] = Array.isArray(target) ? [...target] : [];
  if (isSet(names)) return [...new Set([...live, ...patch])];
  const keys = listKeys(names, false);
  if (keys === null || patch.some((item) => item?.$patch === 'replace')) {
    return patch.filter((item) => item?.$patch !== 'replace');
  }
  for (const item of patch) {
    const at = live.findIndex((other) => isSame(itemKey(other, keys), itemKey(item, keys)));
    if (item.$patch === 'delete') {
      if (at !== -1) live.splice(at, 1);
    } else if (at === -1) live.push(item);
    else live[at] = strategicPatched(live[at], item, names);
  }
  return live;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

const known = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** RFC 6902. */
export function jsonPatched(target: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations');
  const holder = { root: structuredClone(target) };
  for (const operation of operations as Operation[]) {
    if (!known.has(operation.op)) throw badRequest(`there is no operation ${JSON.stringify(operation.op)}`);
    perform(holder, operation);
  }
  return holder.root;
}

function perform(holder: Json, { op, path, from, value }: Operation): void {
  const { parent, key } = locate(holder, path);
  if (op === 'add') putIn(parent, key, value);
  else if (op === 'copy' || op === 'move') {
    const source = locate(holder, from ?? '');
    const found = structuredClone(source.parent[source.key]);
    if (op === 'move') takeAway(source.parent, source.key);
    putIn(parent, key, found);
  } else if (op === 'test') {
    if (!isSame(parent[key], value)) throw unprocessable(`testing path '${path}' value failed`);
  } else if (!(key in parent)) throw unprocessable(`doc is missing key: ${path}`);
  else if (op === 'replace') parent[key] = value;
  else takeAway(parent, key);
}

function putIn(parent: Json, key: string, value: Json): void {
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : Number(key), 0, value);
  else parent[key] = value;
}

function takeAway(parent: Json, key: string): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function locate(holder: Json, path: string): { parent: Json; key: string } {
  const parts = path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let parent = holder;
  let key = 'root';
  for (const part of parts) {
    parent = parent[key];
    if (parent === undefined || parent === null) throw unprocessable(`doc is missing path: ${path}`);
    key = part;
  }
  return { parent, key };
}

const unprocessable = (message: string): ApiFault =>
  new ApiFault(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`);
