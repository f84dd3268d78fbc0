import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '#foundation';
import { createLexicon } from './lexicon.ts';
import { createNearWords } from './near-words.ts';
import {
  createProjectIndex,
  type Placed,
  type ProjectIndex,
  type SlotHit,
  type SlotQuery,
} from './project-index.ts';
import { createReader } from './reading.ts';
import type { PackedSlots } from './slots.ts';
import { openSnapshot, pieceOf, readNumbers, writeSnapshot } from './snapshot.ts';
import { openStaticEmbedding } from './static-embedding.ts';
import { createTextVectors } from './text-vectors.ts';
import { createVectorMemory } from './vector-memory.ts';

/** What the engine asks for, of an index by its number. */
export type Work =
  | {
      readonly kind: 'update';
      readonly index: number;
      readonly put: readonly Placed[];
      readonly remove: readonly number[];
    }
  | { readonly kind: 'search'; readonly index: number; readonly query: SlotQuery }
  | {
      readonly kind: 'save';
      readonly index: number;
      readonly path: string;
      readonly stamp: string;
      /** Whose the slots are: kept in the same file, and given back as it is. */
      readonly slots: readonly PackedSlots[];
    }
  | { readonly kind: 'load'; readonly index: number; readonly path: string }
  | { readonly kind: 'drop'; readonly index: number };

/** What there is to say when it is done. */
export interface Answers {
  readonly update: null;
  readonly search: readonly SlotHit[];
  readonly save: null;
  /** Or why not; `null`: there is no such file. */
  readonly load: { readonly stamp: string; readonly slots: readonly PackedSlots[] } | string | null;
  readonly drop: null;
}

export interface WorkerRequest {
  readonly id: number;
  readonly work: Work;
}

export type WorkerAnswer =
  | { readonly id: number; readonly value: Answers[Work['kind']] }
  | { readonly id: number; readonly error: string };

export interface WorkerStart {
  /** The directory of the built-in embedding. */
  readonly embedding: string;
}

function createDesk(
  start: WorkerStart,
): (work: Work) => Answers[Work['kind']] | Promise<Answers[Work['kind']]> {
  const embedding = openStaticEmbedding(start.embedding);
  const memory = createVectorMemory();
  const lexicon = createLexicon(embedding.rowsOf, createNearWords(embedding, memory));
  const reader = createReader(lexicon, createTextVectors(embedding, memory));
  const indexes = new Map<number, ProjectIndex>();
  const indexOf = (number: number): ProjectIndex => {
    const index = indexes.get(number) ?? createProjectIndex(reader, memory, embedding.dimensions);
    indexes.set(number, index);
    return index;
  };
  const save = async (index: ProjectIndex, path: string, stamp: string, slots: readonly PackedSlots[]) => {
    const documents = slots.flatMap(({ ids, hashes }) => [pieceOf(ids), pieceOf(hashes)]);
    const sections = { documents, ...index.packed() };
    await writeSnapshot(path, { fingerprint: embedding.fingerprint, stamp, sections });
    return null;
  };
  const load = async (index: ProjectIndex, path: string): Promise<Answers['load']> => {
    const read = await openSnapshot(path, embedding.fingerprint);
    if (read === null || typeof read === 'string') return read;
    try {
      const slots: PackedSlots[] = [];
      const lengths = read.lengths('documents');
      for (let at = 0; at + 1 < lengths.length; at += 2) {
        slots.push({
          ids: await readNumbers(read, Uint8Array, lengths[at] as number),
          hashes: await readNumbers(read, Uint32Array, lengths[at + 1] as number),
        });
      }
      return (await index.unpack(read)) ? { stamp: read.stamp, slots } : 'it is damaged';
    } catch (thrown) {
      return messageOf(thrown);
    } finally {
      await read.close();
    }
  };

  return (work) => {
    switch (work.kind) {
      case 'search':
        return indexOf(work.index).search(work.query);
      case 'update':
        indexOf(work.index).remove(work.remove);
        indexOf(work.index).put(work.put);
        return null;
      case 'save':
        return save(indexOf(work.index), work.path, work.stamp, work.slots);
      case 'load':
        return load(indexOf(work.index), work.path);
      case 'drop':
        indexes.get(work.index)?.release();
        indexes.delete(work.index);
        return null;
    }
  };
}

/** What of an answer is of no use here any more: there are megabytes of it. */
function givenAway(value: Answers[Work['kind']]): ArrayBuffer[] {
  if (value === null || typeof value === 'string' || !('slots' in value)) return [];
  return value.slots.flatMap(({ ids, hashes }) => [ids, hashes].map(({ buffer }) => buffer as ArrayBuffer));
}

if (parentPort !== null) {
  const port = parentPort;
  const does = createDesk(workerData as WorkerStart);
  const fail = (id: number, thrown: unknown) => {
    const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    port.postMessage({ id, error } satisfies WorkerAnswer);
  };
  // What is done at once is answered at once: searches and updates come in the order in which they were asked for.
  port.on('message', ({ id, work }: WorkerRequest) => {
    const answer = (value: Answers[Work['kind']]) =>
      port.postMessage({ id, value } satisfies WorkerAnswer, givenAway(value));
    try {
      const value = does(work);
      if (value instanceof Promise) value.then(answer).catch((thrown: unknown) => fail(id, thrown));
      else answer(value);
    } catch (thrown) {
      fail(id, thrown);
    }
  });
}
