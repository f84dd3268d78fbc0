import type { SearchEngine } from '../../server/src/hub/search/contract.ts';
import { type DataSet, documentOf } from './data-sets.ts';
import { qualities, withIndex } from './measure.ts';
import { meanOf, type Score } from './metrics.ts';
import { openApiOperations } from './openapi.ts';

/** Real operations among which the tools of the sets are hidden. */
export const haystackSizes = [10_000, 50_000, 100_000] as const;

export interface HaystackScore {
  readonly tools: number;
  readonly indexMs: number;
  readonly searchMs: number;
  readonly sets: Readonly<Record<string, Score>>;
}

/** The held-out queries of all sets, asked of one index which has all their tools and ever more others. */
export async function measureHaystack(
  engine: SearchEngine,
  sets: readonly DataSet[],
  sizes: readonly number[],
): Promise<HaystackScore[]> {
  const operations = openApiOperations().map((tool) => documentOf(tool));
  const most = Math.max(...sizes);
  if (operations.length < most) throw new Error(`${operations.length} operations, not ${most}`);
  const needles = sets.flatMap(({ tools }) => tools).map((tool) => documentOf(tool));
  const measured: HaystackScore[] = [];
  for (const size of sizes) {
    const began = performance.now();
    measured.push(
      await withIndex(engine, [...needles, ...operations.slice(0, size)], async ({ rank }) => {
        const indexed = performance.now();
        const scores: [string, Score][] = [];
        for (const { name, test } of sets) scores.push([name, meanOf(await qualities(rank, test))]);
        const queries = scores.reduce((sum, [, score]) => sum + score.queries, 0);
        return {
          tools: needles.length + size,
          indexMs: indexed - began,
          searchMs: (performance.now() - indexed) / queries,
          sets: Object.fromEntries(scores),
        };
      }),
    );
  }
  return measured;
}
