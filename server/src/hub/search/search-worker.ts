import { parentPort, workerData } from 'node:worker_threads';
import { createLexicon } from './lexicon.ts';
import {
  createProjectIndex,
  type Placed,
  type ProjectIndex,
  type SlotHit,
  type SlotQuery,
} from './project-index.ts';
import { createReader } from './reading.ts';
import { openStaticEmbedding } from './static-embedding.ts';

/** What the engine asks for, of an index by its number. Done in order. */
export type Work =
  | {
      readonly kind: 'update';
      readonly index: number;
      readonly put: readonly Placed[];
      readonly remove: readonly number[];
    }
  | { readonly kind: 'search'; readonly index: number; readonly query: SlotQuery }
  | { readonly kind: 'drop'; readonly index: number };

export interface WorkerRequest {
  readonly id: number;
  readonly work: Work;
}

export type WorkerAnswer =
  | { readonly id: number; readonly hits: readonly SlotHit[] }
  | { readonly id: number; readonly error: string };

export interface WorkerStart {
  /** Where the built-in embedding is. */
  readonly embedding: string;
}

function serve(start: WorkerStart): void {
  const embedding = openStaticEmbedding(start.embedding);
  const reader = createReader(createLexicon(embedding.rowsOf), embedding);
  const indexes = new Map<number, ProjectIndex>();
  const indexOf = (number: number): ProjectIndex => {
    const index = indexes.get(number) ?? createProjectIndex(reader, embedding.dimensions);
    indexes.set(number, index);
    return index;
  };
  const does = (work: Work): readonly SlotHit[] => {
    if (work.kind === 'search') return indexOf(work.index).search(work.query);
    if (work.kind === 'update') {
      indexOf(work.index).remove(work.remove);
      indexOf(work.index).put(work.put);
    } else indexes.delete(work.index);
    return [];
  };
  parentPort?.on('message', ({ id, work }: WorkerRequest) => {
    let answer: WorkerAnswer;
    try {
      answer = { id, hits: does(work) };
    } catch (thrown) {
      answer = { id, error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
    }
    parentPort?.postMessage(answer);
  });
}

if (parentPort !== null) serve(workerData as WorkerStart);
