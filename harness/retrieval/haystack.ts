import type { SearchEngine } from '@sallyport/gateway/search';
import { type DataSet, documentOf } from './data-sets.ts';
import { qualities, type Ranker, withIndex } from './measure.ts';
import { meanOf, type Score } from './metrics.ts';
import { createNaiveBm25 } from './naive-bm25.ts';
import { openApiOperations } from './openapi.ts';

/** Real operations among which the tools of the sets are hidden. */
export const haystackSizes = [10_000, 50_000, 100_000] as const;

export interface HaystackScore {
  readonly tools: number;
  readonly indexMs: number;
  /** Where many ask at once. */
  readonly searchMs: number;
  readonly sets: Readonly<Record<string, { readonly baseline: Score; readonly search: Score }>>;
}

/** The held-out queries of all sets, asked of one index which has all their tools and ever more others. */
export async function measureHaystack(
  engine: SearchEngine,
  sets: readonly DataSet[],
  sizes: readonly number[],
): Promise<HaystackScore[]> {
  const operations = openApiOperations();
  const most = Math.max(...sizes);
  if (operations.length < most) throw new Error(`${operations.length} operations, not ${most}`);
  const needles = sets.flatMap(({ tools }) => tools);
  const measured: HaystackScore[] = [];
  for (const size of sizes) {
    const tools = [...needles, ...operations.slice(0, size)];
    const naive = createNaiveBm25(tools);
    const rankNaively: Ranker = async (queries) => queries.map((query) => naive(query, 10));
    const began = performance.now();
    measured.push(
      await withIndex(
        engine,
        tools.map((tool) => documentOf(tool)),
        async ({ rank }) => {
          const indexMs = performance.now() - began;
          const scores: HaystackScore['sets'][string][] = [];
          let searchMs = 0;
          for (const { test } of sets) {
            const from = performance.now();
            const search = meanOf(await qualities(rank, test));
            searchMs += performance.now() - from;
            scores.push({ search, baseline: meanOf(await qualities(rankNaively, test)) });
          }
          const queries = scores.reduce((sum, { search }) => sum + search.queries, 0);
          return {
            tools: tools.length,
            indexMs,
            searchMs: searchMs / queries,
            sets: Object.fromEntries(sets.map(({ name }, at) => [name, scores[at]])) as HaystackScore['sets'],
          };
        },
      ),
    );
  }
  return measured;
}
