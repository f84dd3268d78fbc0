import type { Permitted, SearchDocument, SearchEngine } from '@sallyport/gateway/search';
import type { DataSet, EvalQuery } from './data-sets.ts';
import { meanOf, type Quality, qualityOf, type Score } from './metrics.ts';

/** Answers to queries, ids best first. */
export type Ranker = (queries: readonly string[]) => Promise<readonly (readonly string[])[]>;

const depth = 10;
/** Searches under way at once: enough that none waits for messages between threads. */
const atOnce = 32;

/** The figures of one way of searching on one set: what was held out, what settings may be chosen by, and both together. */
export interface SetScores {
  readonly test: Score;
  readonly dev: Score;
  readonly all: Score;
}

export async function scoreSet(rank: Ranker, { dev, test }: DataSet): Promise<SetScores> {
  const [devQualities, testQualities] = [await qualities(rank, dev), await qualities(rank, test)];
  return {
    test: meanOf(testQualities),
    dev: meanOf(devQualities),
    all: meanOf([...devQualities, ...testQualities]),
  };
}

export async function qualities(rank: Ranker, queries: readonly EvalQuery[]): Promise<readonly Quality[]> {
  const found = await rank(queries.map(({ query }) => query));
  return queries.map(({ relevant }, index) => qualityOf(found[index] ?? [], relevant));
}

/** The product's search over these documents, for as long as `use` takes. */
export async function withIndex<T>(
  engine: SearchEngine,
  documents: readonly SearchDocument[],
  use: (search: IndexSearch) => Promise<T>,
): Promise<T> {
  indexes += 1;
  const index = engine.index(`eval-${indexes}`);
  try {
    await index.update({ put: documents, remove: [] });
    if (index.size !== documents.length) throw new Error(`${index.size} of ${documents.length} documents`);
    return await use({
      permit: (ids) => index.permit(ids),
      hits: (text, permitted, limit) => index.search({ text, permitted, limit }),
      rank: (queries) =>
        inBatches(queries, async (text) =>
          // Of what is alike, each takes a place of its own: collapsing must not earn points.
          (await index.search({ text, permitted: null, limit: depth }))
            .flatMap(({ id, alike }) => [id, ...alike])
            .slice(0, depth),
        ),
    });
  } finally {
    index.close();
  }
}

export interface IndexSearch {
  permit(ids: Iterable<string>): Permitted;
  hits(
    text: string,
    permitted: Permitted | null,
    limit: number,
  ): ReturnType<ReturnType<SearchEngine['index']>['search']>;
  readonly rank: Ranker;
}

let indexes = 0;

export async function inBatches<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(each))));
  return results;
}
