import { ApiFault } from './api-fault.ts';
import {
  type FieldSet,
  fieldsOf,
  fieldText,
  fromFieldsV1,
  removeAt,
  toFieldsV1,
  valueAt,
} from './field-sets.ts';
import { isObject, isSame, type Json } from './json.ts';
import { apiVersionOf, type Kind } from './kinds.ts';
import { isSet, isWholeMap, itemKey, listKeys } from './list-keys.ts';

/** Who wrote which fields of one object. */
interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time: string;
  readonly fields: FieldSet;
}

function managersOf(object: Json): Manager[] {
  return (object?.metadata?.managedFields ?? []).map((entry: Json) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    time: entry.time,
    fields: fromFieldsV1(entry.fieldsV1),
  }));
}

function setManagers(object: Json, managers: readonly Manager[]): void {
  object.metadata.managedFields = managers
    .filter(({ fields }) => fields.size > 0)
    .map(({ fields, ...entry }) => ({ ...entry, fieldsType: 'FieldsV1', fieldsV1: toFieldsV1(fields) }));
}

export interface Applying {
  readonly kind: Kind;
  readonly manager: string;
  readonly force: boolean;
  readonly time: string;
}

/** Server-side apply: what becomes of the live object (null: there is none) when the manager applies a configuration. */
export function applied(live: Json | null, config: Json, { kind, manager, force, time }: Applying): Json {
  const custom = kind.custom === true;
  const fields = fieldsOf(config, custom);
  const managers = managersOf(live);
  const isMine = (entry: Manager) => entry.manager === manager && entry.operation === 'Apply';
  const others = managers.filter((entry) => !isMine(entry));
  const conflicts = others.flatMap((entry) =>
    [...fields]
      .filter(([text, path]) => {
        if (!entry.fields.has(text) || (path.at(-1) as string).startsWith('k:')) return false;
        return !isSame(valueAt(live, path), valueAt(config, path));
      })
      .map(([text, path]) => ({ entry, text, path })),
  );
  if (conflicts.length > 0 && !force) throw conflictFault(conflicts);
  for (const { entry, text } of conflicts) entry.fields.delete(text);
  const merged =
    live === null ? structuredClone(config) : mergeInto(structuredClone(live), config, [], custom);
  const before = managers.find(isMine)?.fields ?? new Map();
  for (const [text, path] of before) {
    const isKept = fields.has(text) || others.some((entry) => entry.fields.has(text));
    if (!isKept) removeAt(merged, path);
  }
  setManagers(merged, [
    ...others,
    { manager, operation: 'Apply', apiVersion: apiVersionOf(kind), time, fields },
  ]);
  return merged;
}

function conflictFault(conflicts: readonly { entry: Manager; path: readonly string[] }[]): ApiFault {
  const causes = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${entry.manager}" using ${entry.apiVersion}`,
    field: fieldText(path),
  }));
  const count = `${causes.length} conflict${causes.length === 1 ? '' : 's'}`;
  const said = causes.map(({ message, field }) => `${message}: ${field}`).join('\n');
  return new ApiFault(409, 'Conflict', `Apply failed with ${count}: ${said}`, { causes });
}

function mergeInto(live: Json, config: Json, names: readonly string[], custom: boolean): Json {
  if (isObject(live) && isObject(config) && !isWholeMap(names, custom)) {
    for (const [field, value] of Object.entries(config)) {
      live[field] =
        field in live ? mergeInto(live[field], value, [...names, field], custom) : structuredClone(value);
    }
    return live;
  }
  if (!Array.isArray(live) || !Array.isArray(config) || names.length === 0) return structuredClone(config);
  if (isSet(names)) return [...new Set([...live, ...config])];
  const keys = listKeys(names, custom);
  if (keys === null) return structuredClone(config);
  const list = [...live];
  for (const item of config) {
    const at = list.findIndex((other) => isSame(itemKey(other, keys), itemKey(item, keys)));
    if (at === -1) list.push(structuredClone(item));
    else list[at] = mergeInto(list[at], item, names.concat('*'), custom);
  }
  return list;
}

/** Puts down as this manager's what a write other than apply has changed. */
export function noteUpdate(
  before: Json | null,
  after: Json,
  { kind, manager, time }: Omit<Applying, 'force'>,
): void {
  const custom = kind.custom === true;
  const now = fieldsOf(after, custom);
  const changed: FieldSet = new Map(
    [...now].filter(([, path]) => before === null || !isSame(valueAt(before, path), valueAt(after, path))),
  );
  const managers = managersOf(before).map((entry) => ({
    ...entry,
    fields: new Map([...entry.fields].filter(([text]) => now.has(text) && !changed.has(text))),
  }));
  const isMine = (entry: Manager) => entry.manager === manager && entry.operation === 'Update';
  const mine = managers.find(isMine)?.fields ?? new Map();
  setManagers(after, [
    ...managers.filter((entry) => !isMine(entry)),
    {
      manager,
      operation: 'Update',
      apiVersion: apiVersionOf(kind),
      time,
      fields: new Map([...mine, ...changed]),
    },
  ]);
}
