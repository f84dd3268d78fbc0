import { isObject, type Json } from './json.ts';
import { isSet, isWholeMap, itemKey, listKeys } from './list-keys.ts';

/** A path of FieldsV1: `f:spec`, `f:containers`, `k:{"name":"x"}`, `f:image`. */
export type FieldPath = readonly string[];
/** Paths by their text. */
export type FieldSet = Map<string, FieldPath>;

const notOwned = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
]);

export const textOf = (path: FieldPath): string => path.join('\n');

/** The fields that an object says something about; `status` has owners of its own. */
export function fieldsOf(object: Json, custom: boolean): FieldSet {
  const set: FieldSet = new Map();
  for (const [field, value] of Object.entries(object)) {
    if (field === 'apiVersion' || field === 'kind' || field === 'status') continue;
    collect(value, [`f:${field}`], [field], custom, set);
  }
  return set;
}

function collect(
  value: Json,
  path: FieldPath,
  names: readonly string[],
  custom: boolean,
  set: FieldSet,
): void {
  const add = () => void set.set(textOf(path), path);
  if (isObject(value) && !isWholeMap(names, custom)) {
    const entries = Object.entries(value).filter(
      ([field, inner]) => inner !== undefined && !(names.join() === 'metadata' && notOwned.has(field)),
    );
    if (entries.length === 0 && names.join() !== 'metadata') add();
    for (const [field, inner] of entries)
      collect(inner, [...path, `f:${field}`], [...names, field], custom, set);
    return;
  }
  const keys = Array.isArray(value) ? listKeys(names, custom) : null;
  if (Array.isArray(value) && isSet(names)) {
    for (const item of value) {
      const itemPath = [...path, `v:${JSON.stringify(item)}`];
      set.set(textOf(itemPath), itemPath);
    }
    return;
  }
  if (keys === null) {
    add();
    return;
  }
  for (const item of value) {
    const itemPath = [...path, `k:${JSON.stringify(itemKey(item, keys))}`];
    set.set(textOf(itemPath), itemPath);
    for (const [field, inner] of Object.entries(item)) {
      collect(inner, [...itemPath, `f:${field}`], [...names, field], custom, set);
    }
  }
}

export function toFieldsV1(set: FieldSet): Json {
  const tree: Json = {};
  for (const path of set.values()) {
    let at = tree;
    for (const element of path) {
      at[element] ??= {};
      at = at[element];
    }
    if ((path.at(-1) as string).startsWith('k:')) at['.'] = {};
  }
  return tree;
}

export function fromFieldsV1(tree: Json): FieldSet {
  const set: FieldSet = new Map();
  const walk = (at: Json, path: FieldPath): void => {
    const entries = Object.entries(at);
    if (path.length > 0 && (entries.length === 0 || '.' in at)) set.set(textOf(path), path);
    for (const [element, inner] of entries) if (element !== '.') walk(inner, [...path, element]);
  };
  walk(tree, []);
  return set;
}

/** `.spec.template.spec.containers[name="x"].image` */
export function fieldText(path: FieldPath): string {
  return path
    .map((element) => {
      const rest = element.slice(2);
      if (element.startsWith('f:')) return `.${rest}`;
      if (element.startsWith('v:')) return `[=${rest}]`;
      const key = Object.entries(JSON.parse(rest) as Record<string, Json>);
      return `[${key.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}

/** The value at a path; undefined where there is none. */
export function valueAt(object: Json, path: FieldPath): Json {
  let at = object;
  for (const element of path) {
    if (at === undefined || at === null) return undefined;
    at = element.startsWith('f:') ? at[element.slice(2)] : itemAt(at, element);
  }
  return at;
}

function itemAt(list: Json, element: string): Json {
  if (!Array.isArray(list)) return undefined;
  return list[indexOf(list, element)];
}

function indexOf(list: readonly Json[], element: string): number {
  const wanted = element.slice(2);
  if (element.startsWith('v:')) return list.findIndex((item) => JSON.stringify(item) === wanted);
  const keys = Object.keys(JSON.parse(wanted) as object);
  return list.findIndex((item) => JSON.stringify(itemKey(item, keys)) === wanted);
}

/** Takes the value at a path away, and the maps that are empty without it. */
export function removeAt(object: Json, path: FieldPath): void {
  const [element, ...rest] = path as [string, ...string[]];
  if (object === undefined || object === null) return;
  const isField = element.startsWith('f:');
  const key = isField ? element.slice(2) : indexOf(object, element);
  if (key === -1 || !(key in object)) return;
  if (rest.length > 0) {
    const inner = object[key];
    removeAt(inner, rest);
    const isEmpty = isObject(inner) && Object.keys(inner).length === 0;
    if (isField && (isEmpty || (Array.isArray(inner) && inner.length === 0))) delete object[key];
    return;
  }
  if (isField) delete object[key];
  else object.splice(key, 1);
}
