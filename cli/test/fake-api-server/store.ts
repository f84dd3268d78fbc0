import { ApiFault, alreadyExists, notFound } from './api-fault.ts';
import { isSame, type Json } from './json.ts';
import { apiVersionOf, type Kind } from './kinds.ts';

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind;
  readonly object: Json;
  readonly version: number;
}

/** Every object there is, and what happened to them in order. What comes out is a copy. */
export interface Store {
  readonly changes: readonly Change[];
  version(): number;
  /** The time of the cluster, which passes by a second with every change. */
  time(): string;
  get(kind: Kind, namespace: string | null, name: string): Json;
  find(kind: Kind, namespace: string | null, name: string): Json | null;
  list(kind: Kind, namespace: string | null): Json[];
  create(kind: Kind, object: Json): Json;
  /** Nothing happens where nothing is changed. `generation` counts changes of the specification. */
  replace(kind: Kind, object: Json): Json;
  remove(kind: Kind, namespace: string | null, name: string): Json;
  /** Called after each change. */
  watch(listener: (change: Change) => void): () => void;
  newUid(): string;
}

const epoch = Date.UTC(2026, 0, 15, 12);

export function createStore(): Store {
  const objects = new Map<string, Json>();
  const changes: Change[] = [];
  const listeners = new Set<(change: Change) => void>();
  let version = 1000;
  let uids = 0;

  const keyOf = (kind: Kind, namespace: string | null, name: string) =>
    `${apiVersionOf(kind)} ${kind.kind} ${namespace ?? ''}/${name}`;
  const keyFor = (kind: Kind, { metadata }: Json) => keyOf(kind, metadata.namespace ?? null, metadata.name);
  const time = () => new Date(epoch + version * 1000).toISOString().replace('.000', '');

  function note(type: Change['type'], kind: Kind, object: Json): Json {
    version += 1;
    object.metadata.resourceVersion = String(version);
    const change = { type, kind, object: structuredClone(object), version };
    changes.push(change);
    for (const listener of [...listeners]) listener(change);
    return structuredClone(object);
  }

  return {
    changes,
    version: () => version,
    time,
    newUid() {
      uids += 1;
      return `00000000-0000-4000-8000-${String(uids).padStart(12, '0')}`;
    },
    find: (kind, namespace, name) => structuredClone(objects.get(keyOf(kind, namespace, name)) ?? null),
    get(kind, namespace, name) {
      const found = objects.get(keyOf(kind, namespace, name));
      if (found === undefined) throw notFound(kind, name);
      return structuredClone(found);
    },
    list(kind, namespace) {
      const prefix = namespace === null ? `${apiVersionOf(kind)} ${kind.kind} ` : keyOf(kind, namespace, '');
      return [...objects]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => structuredClone(object));
    },
    create(kind, given) {
      const key = keyFor(kind, given);
      if (objects.has(key)) throw alreadyExists(kind, given.metadata.name);
      const object = structuredClone(given);
      object.metadata.uid ??= this.newUid();
      object.metadata.creationTimestamp = time();
      if (object.spec !== undefined && !kind.custom) object.metadata.generation = 1;
      objects.set(key, object);
      return note('ADDED', kind, object);
    },
    replace(kind, given) {
      const key = keyFor(kind, given);
      const before = objects.get(key);
      if (before === undefined) throw notFound(kind, given.metadata.name);
      const asked = given.metadata.resourceVersion;
      if (asked !== undefined && asked !== before.metadata.resourceVersion)
        throw outdated(kind, given.metadata.name);
      const object = structuredClone(given);
      object.metadata.resourceVersion = before.metadata.resourceVersion;
      if (before.metadata.generation !== undefined) {
        object.metadata.generation = before.metadata.generation + (isSame(before.spec, object.spec) ? 0 : 1);
      }
      if (isSame(withoutTimes(before), withoutTimes(object))) return structuredClone(before);
      objects.set(key, object);
      return note('MODIFIED', kind, object);
    },
    remove(kind, namespace, name) {
      const object = this.get(kind, namespace, name);
      objects.delete(keyOf(kind, namespace, name));
      return note('DELETED', kind, object);
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function withoutTimes(object: Json): Json {
  const { managedFields = [], ...metadata } = object.metadata;
  return {
    ...object,
    metadata,
    managedFields: managedFields.map((entry: Json) => ({ ...entry, time: null })),
  };
}

const outdated = ({ plural, group }: Kind, name: string): ApiFault => {
  const resource = group === '' ? plural : `${plural}.${group}`;
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return new ApiFault(409, 'Conflict', `Operation cannot be fulfilled on ${resource} "${name}": ${why}`, {
    name,
    kind: plural,
  });
};
