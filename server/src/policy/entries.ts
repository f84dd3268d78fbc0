import { createHash } from 'node:crypto';
import { keyOfPlace, type Place, placeOfKey, type Refusal, refusal } from '#domain';
import { type Clock, createTurns, err, newId, ok, type Result } from '#foundation';
import type { Changes, Db } from '#storage';
import type { Vault } from '#vault';
import { createEntryStore, topicOf } from './entry-store.ts';

/** What an administrator laid down, as it was asked for: a grant, a rule, a limit, a plugin, a hook. */
export interface Entry<Definition> {
  readonly id: string;
  readonly projectId: string;
  /** `file`: declared in the config file, read-only in the API. */
  readonly origin: 'file' | 'api';
  readonly definition: Definition;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** All entries of one kind, in memory; every change is written to the database first, and heard by other replicas. */
export interface Entries<Definition> extends EntryList<Definition> {
  create(projectId: string, definition: Definition): Promise<Entry<Definition>>;
  /** `resource.unknown`, or `resource.read_only` for what the file declares. */
  replace(projectId: string, id: string, definition: Definition): Promise<Result<Entry<Definition>, Refusal>>;
  remove(projectId: string, id: string): Promise<Result<Entry<Definition>, Refusal>>;
  /** All of these, or none; those without an id are new. */
  writeAll(
    projectId: string,
    writes: readonly { readonly id: string | null; readonly definition: Definition }[],
  ): Promise<Result<readonly Entry<Definition>[], Refusal>>;
  /** Makes the file's entries exactly these. The same definition keeps its id, unless it is named. */
  applyFile(
    projectId: string,
    definitions: readonly Definition[],
    idOf?: (definition: Definition) => string,
  ): void;
}

/** What decisions read. */
export interface EntryList<Definition> {
  /** The oldest first. */
  list(projectId: string): readonly Entry<Definition>[];
  /** Of every project. */
  all(): Iterable<Entry<Definition>>;
  get(projectId: string, id: string): Entry<Definition> | null;
  /** Grows with every change. */
  revision(): number;
  /** Names what is in it, the same on every replica and after every restart. */
  fingerprint(): string;
  /** `before` is null for a new one, `after` for a removed one. */
  onChange(listener: (before: Entry<Definition> | null, after: Entry<Definition> | null) => void): void;
}

export type EntryKind = 'grant' | 'rule' | 'limit' | 'plugin' | 'hook';
const prefixes: Readonly<Record<EntryKind, string>> = {
  grant: 'grant',
  rule: 'rule',
  limit: 'limit',
  plugin: 'plg',
  hook: 'hook',
};

export interface EntriesDeps {
  readonly db: Db;
  readonly changes: Changes;
  readonly clock: Clock;
}

/** With a vault, definitions are sealed. */
export async function createEntries<Definition>(
  { db, changes, clock }: EntriesDeps,
  kind: EntryKind,
  vault: Vault | null = null,
): Promise<Entries<Definition>> {
  const shelf = createShelf<Definition>(byAge);
  const store = createEntryStore<Definition>({ db, changes, vault }, kind);
  const inTurn = createTurns();

  changes.on(topicOf(kind), (key) => inTurn(() => look(key === null ? null : placeOfKey(key))));
  await look(null);

  /** The API's, as they are in the database; this one, or all. */
  async function look(place: Place | null): Promise<void> {
    const stored = await store.load(place);
    const there = new Set(stored.map(keyOfPlace));
    const known = place === null ? [...shelf.all()] : [shelf.get(place.projectId, place.id)];
    for (const entry of known)
      if (entry?.origin === 'api' && !there.has(keyOfPlace(entry))) shelf.drop(entry);
    for (const entry of stored) {
      const before = shelf.get(entry.projectId, entry.id);
      // What this replica told itself changes nothing any more.
      if (before?.updatedAt !== entry.updatedAt || !isSame(before.definition, entry.definition))
        shelf.put(entry);
    }
  }

  function changeable(projectId: string, id: string): Result<Entry<Definition>, Refusal> {
    const entry = shelf.get(projectId, id);
    if (entry === null) return unknown(id);
    if (entry.origin === 'api') return ok(entry);
    const message = `${kind} ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message, { field: 'id' }));
  }

  function unknown(id: string): Result<never, Refusal> {
    return err(refusal('resource.unknown', `there is no ${kind} ${id}`, { field: 'id' }));
  }

  /** Ids for what is made at once: they tell its order, as its time does not. */
  function newIds(count: number): string[] {
    return Array.from({ length: count }, () => newId(prefixes[kind], clock.now())).sort();
  }

  function made(projectId: string, definition: Definition, [id = '']: string[]): Entry<Definition> {
    const now = clock.iso();
    return { id, projectId, origin: 'api', definition, createdAt: now, updatedAt: now };
  }

  return {
    ...shelf,
    create: (projectId, definition) =>
      inTurn(async () => {
        const entry = made(projectId, definition, newIds(1));
        await store.writeAll([entry]);
        return shelf.put(entry);
      }),
    replace: (projectId, id, definition) =>
      inTurn(async () => {
        const found = changeable(projectId, id);
        if (!found.ok) return found;
        const entry = { ...found.value, definition, updatedAt: clock.iso() };
        return (await store.update(entry)) ? ok(shelf.put(entry)) : unknown(id);
      }),
    remove: (projectId, id) =>
      inTurn(async () => {
        const found = changeable(projectId, id);
        if (!found.ok) return found;
        await store.remove(found.value);
        shelf.drop(found.value);
        return found;
      }),
    writeAll: (projectId, writes) =>
      inTurn(async () => {
        const entries: Entry<Definition>[] = [];
        const ids = newIds(writes.length);
        for (const { id, definition } of writes) {
          const before =
            id === null ? ok(made(projectId, definition, ids.splice(0, 1))) : changeable(projectId, id);
          if (!before.ok) return before;
          entries.push({ ...before.value, definition, updatedAt: clock.iso() });
        }
        await store.writeAll(entries);
        return ok(entries.map((entry) => shelf.put(entry)));
      }),
    applyFile(projectId, definitions, idOf) {
      const wanted =
        idOf === undefined
          ? withIds(prefixes[kind], definitions)
          : new Map(definitions.map((definition) => [idOf(definition), definition]));
      for (const entry of shelf.list(projectId))
        if (entry.origin === 'file' && !wanted.has(entry.id)) shelf.drop(entry);
      for (const [id, definition] of wanted)
        if (!isSame(shelf.get(projectId, id)?.definition, definition))
          shelf.put({ id, projectId, origin: 'file', definition, createdAt: undated, updatedAt: undated });
    },
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What a file declares has no date of its own. */
const undated = '1970-01-01T00:00:00.000Z';

/** The same definition has the same id after every restart; two that say the same have two. */
function withIds<Definition>(prefix: string, definitions: readonly Definition[]): Map<string, Definition> {
  const byId = new Map<string, Definition>();
  for (const definition of definitions) {
    const id = `${prefix}_file_${digestOf(definition).toString('hex').slice(0, 16)}`;
    let n = 1;
    while (byId.has(n === 1 ? id : `${id}_${n}`)) n++;
    byId.set(n === 1 ? id : `${id}_${n}`, definition);
  }
  return byId;
}

/** Entries that nothing changes, in this order: for trying out. */
export function fixedEntries<Definition>(entries: readonly Entry<Definition>[]): EntryList<Definition> {
  const shelf = createShelf<Definition>(asGiven);
  for (const entry of entries) shelf.put(entry);
  return shelf;
}

function createShelf<Definition>(inOrder: typeof byAge) {
  type Listener = (before: Entry<Definition> | null, after: Entry<Definition> | null) => void;
  const byProject = new Map<string, Map<string, Entry<Definition>>>();
  const lists = new Map<string, readonly Entry<Definition>[]>();
  const listeners: Listener[] = [];
  // The sum of all digests does not depend on their order, so a change costs the same however many entries there are.
  const sum = Buffer.alloc(8);
  let revision = 0;

  function changed(before: Entry<Definition> | null, after: Entry<Definition> | null): void {
    const entry = after ?? before;
    if (entry !== null) lists.delete(entry.projectId);
    for (const one of [before, after]) {
      if (one === null) continue;
      const digest = digestOf([one.id, one.projectId, one.definition]);
      for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] ?? 0) ^ (digest[index] ?? 0);
    }
    revision++;
    for (const listener of listeners) listener(before, after);
  }

  return {
    list(projectId: string): readonly Entry<Definition>[] {
      let list = lists.get(projectId);
      if (list === undefined) {
        list = [...(byProject.get(projectId)?.values() ?? [])].sort(inOrder);
        lists.set(projectId, list);
      }
      return list;
    },
    *all(): Iterable<Entry<Definition>> {
      for (const entries of byProject.values()) yield* entries.values();
    },
    get: (projectId: string, id: string) => byProject.get(projectId)?.get(id) ?? null,
    revision: () => revision,
    fingerprint: () => sum.toString('hex'),
    onChange: (listener: Listener) => void listeners.push(listener),
    put(entry: Entry<Definition>): Entry<Definition> {
      const entries = byProject.get(entry.projectId) ?? new Map<string, Entry<Definition>>();
      byProject.set(entry.projectId, entries);
      const before = entries.get(entry.id) ?? null;
      entries.set(entry.id, entry);
      changed(before, entry);
      return entry;
    },
    /** As it is now: it may have changed since it was looked up. */
    drop({ projectId, id }: Entry<Definition>): void {
      const entries = byProject.get(projectId);
      const entry = entries?.get(id);
      if (entries === undefined || entry === undefined) return;
      entries.delete(id);
      changed(entry, null);
    },
  };
}

const asGiven = () => 0;

/** The same on every replica, whenever it heard of which. What the file declares is undated, and stays in its order. */
export function byAge(one: Entry<unknown>, other: Entry<unknown>): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? -1 : 1;
  return one.origin === 'file' || one.id === other.id ? 0 : one.id < other.id ? -1 : 1;
}

function digestOf(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value)).digest();
}
