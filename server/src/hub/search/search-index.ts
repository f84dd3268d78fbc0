import { setImmediate } from 'node:timers/promises';
import { createTurns, Fault, type Turns } from '#foundation';
import type { Log } from '#telemetry';
import type { Hit, SearchDocument, SearchIndex } from './contract.ts';
import type { SlotHit } from './project-index.ts';
import type { SearchThread } from './search-thread.ts';
import { createSlots, type PackedSlots } from './slots.ts';

/** What is read in one go: no search waits longer than that takes. */
const BATCH_CHARACTERS = 200_000;
const BATCH_DOCUMENTS = 500;
const BATCH_REMOVED = 10_000;
/** What is longer was not asked by anybody. */
const MAX_QUERY = 4000;
const MAX_HITS = 100;

export interface SearchIndexDeps {
  readonly thread: SearchThread;
  /** The thread's name for it. */
  readonly number: number;
  /** Of all indexes: one piece of work at a time. */
  readonly turns: Turns;
  readonly onClose: () => void;
  readonly log: Log;
}

/** The main side of an index: whose the slots are. The thread knows the rest, and does what it is sent in that order. */
export function createSearchIndex({ thread, number, turns, onClose, log }: SearchIndexDeps): SearchIndex {
  const slots = createSlots();
  /** Updates, saving and loading of this index: each is whole before the next begins. */
  const own = createTurns();

  const putBatch = async (batch: readonly SearchDocument[]) => {
    const put = batch.map((document) => ({ slot: slots.give(document.id, document.hash), document }));
    await thread.send({ kind: 'update', index: number, put, remove: [] });
  };
  const removeBatch = async (ids: readonly string[]) => {
    const remove = ids.map((id) => slots.take(id)).filter((slot) => slot !== undefined);
    if (remove.length === 0) return;
    await thread.send({ kind: 'update', index: number, put: [], remove });
    slots.free(remove);
  };
  const save = async (path: string, stamp: string) => {
    const parts: PackedSlots[] = [];
    for (const part of slots.packed()) {
      parts.push(part);
      await setImmediate();
    }
    await thread.send({ kind: 'save', index: number, path, stamp, slots: parts });
  };
  let loaded: { readonly path: string; readonly stamp: Promise<string | null> } | null = null;
  const load = async (path: string): Promise<string | null> => {
    if (slots.size > 0) throw new Fault('A snapshot is loaded into an index that is empty.');
    const read = await thread.send({ kind: 'load', index: number, path });
    if (typeof read === 'string') log.warn({ path, reason: read }, 'a search snapshot is not used');
    if (read === null || typeof read === 'string') return null;
    for (const part of read.slots) {
      slots.unpack(part);
      await setImmediate();
    }
    return read.stamp;
  };
  const hitOf = ({ slot, score, alike }: SlotHit): Hit[] => {
    const id = slots.idOf(slot);
    if (id === undefined) return [];
    return [{ id, score, alike: alike.map((twin) => slots.idOf(twin)).filter((twin) => twin !== undefined) }];
  };

  return {
    get size() {
      return slots.size;
    },
    get generation() {
      return slots.generation;
    },
    has: (id, hash) => slots.has(id, hash),
    ids: () => slots.ids(),
    update: ({ put, remove }) =>
      own(async () => {
        for (const batch of inBatches(remove, () => 0, BATCH_REMOVED)) await turns(() => removeBatch(batch));
        for (const batch of inBatches(put, charactersOf, BATCH_DOCUMENTS)) await turns(() => putBatch(batch));
      }),
    permit: (ids) => slots.permitted([slots.named(ids)]),
    named: (ids) => slots.named(ids),
    isCurrent: (named) => slots.isCurrent(named),
    isTrue: (named) => slots.isTrue(named),
    permitted: (named) => slots.permitted(named),
    async search({ text, permitted, limit, vector, weight }) {
      if (permitted !== null && permitted.generation !== slots.generation) {
        throw new Fault(
          'The permitted documents were named before others took their places: name them again.',
        );
      }
      const query = {
        text: text.slice(0, MAX_QUERY),
        bits: permitted?.bits ?? null,
        limit: Math.max(0, Math.min(limit, MAX_HITS)),
        vector: vector ?? null,
        weight,
      };
      const hits = await thread.send({ kind: 'search', index: number, query });
      return hits.flatMap(hitOf);
    },
    save: (path, stamp) => own(() => save(path, stamp)),
    load(path) {
      if (loaded?.path !== path) loaded = { path, stamp: own(() => load(path)) };
      return loaded.stamp;
    },
    close() {
      onClose();
      own(() => thread.send({ kind: 'drop', index: number })).catch(() => undefined);
    },
  };
}

function charactersOf({ name, description, parameters, enrichment, learned }: SearchDocument): number {
  let characters = name.length + description.length;
  for (const parameter of parameters) characters += parameter.name.length + parameter.description.length;
  for (const text of enrichment) characters += text.length;
  for (const { query } of learned) characters += query.length;
  return characters;
}

function* inBatches<T>(items: readonly T[], charactersIn: (item: T) => number, most: number): Iterable<T[]> {
  let batch: T[] = [];
  let characters = 0;
  for (const item of items) {
    batch.push(item);
    characters += charactersIn(item);
    if (batch.length < most && characters < BATCH_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}
