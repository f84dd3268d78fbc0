import { createHash } from 'node:crypto';
import { type Refusal, refusal } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Db } from '#storage';
import type { Vault } from '#vault';
import { createEntryStore } from './entry-store.ts';

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

/** All entries of one kind, in memory; every change is written to the database first. */
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

/** With a vault, definitions are sealed. */
export async function createEntries<Definition>(
  db: Db,
  kind: EntryKind,
  clock: Clock,
  vault: Vault | null = null,
): Promise<Entries<Definition>> {
  const shelf = createShelf<Definition>();
  const store = createEntryStore<Definition>(db, kind, vault);
  for (const entry of await store.load()) shelf.put(entry);

  function changeable(projectId: string, id: string): Result<Entry<Definition>, Refusal> {
    const entry = shelf.get(projectId, id);
    if (entry === null) return err(refusal('resource.unknown', `there is no ${kind} ${id}`, { field: 'id' }));
    if (entry.origin === 'api') return ok(entry);
    const message = `${kind} ${id} is declared in the config file; change it there`;
    return err(refusal('resource.read_only', message, { field: 'id' }));
  }

  return {
    ...shelf,
    async create(projectId, definition) {
      const now = clock.iso();
      const id = newId(prefixes[kind], clock.now());
      const entry = { id, projectId, origin: 'api', definition, createdAt: now, updatedAt: now } as const;
      await store.write(db, entry);
      return shelf.put(entry);
    },
    async replace(projectId, id, definition) {
      const found = changeable(projectId, id);
      if (!found.ok) return found;
      const entry = { ...found.value, definition, updatedAt: clock.iso() };
      if (!(await store.update(entry)))
        return err(refusal('resource.unknown', `there is no ${kind} ${id}`, { field: 'id' }));
      return ok(shelf.put(entry));
    },
    async remove(projectId, id) {
      const found = changeable(projectId, id);
      if (!found.ok) return found;
      await store.remove(found.value);
      shelf.drop(found.value);
      return found;
    },
    async writeAll(projectId, writes) {
      const now = clock.iso();
      const entries: Entry<Definition>[] = [];
      for (const { id, definition } of writes) {
        const before = id === null ? null : changeable(projectId, id);
        if (before?.ok === false) return before;
        const made = {
          id: newId(prefixes[kind], clock.now()),
          projectId,
          origin: 'api',
          createdAt: now,
        } as const;
        entries.push({ ...(before?.value ?? made), definition, updatedAt: now });
      }
      await db.tx(async (queries) => {
        for (const entry of entries) await store.write(queries, entry);
      });
      return ok(entries.map((entry) => shelf.put(entry)));
    },
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

/** Entries that nothing changes: for trying out. */
export function fixedEntries<Definition>(entries: readonly Entry<Definition>[]): EntryList<Definition> {
  const shelf = createShelf<Definition>();
  for (const entry of entries) shelf.put(entry);
  return shelf;
}

function createShelf<Definition>() {
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
        list = [...(byProject.get(projectId)?.values() ?? [])];
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

function digestOf(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value)).digest();
}
