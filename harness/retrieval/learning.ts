import { createHash } from 'node:crypto';
import type { SearchDocument, SearchEngine } from '@sallyport/gateway/search';
import { type DataSet, documentOf } from './data-sets.ts';
import { qualities, withIndex } from './measure.ts';
import { meanOf, type Score } from './metrics.ts';

export const historySizes = [0, 1, 5, 10] as const;

export interface LearningScore {
  /** Past queries of each tool, at most. */
  readonly history: number;
  /** Of the set's tools, those that have any. */
  readonly taught: number;
  readonly tools: number;
  /** Of queries that were not learned from. */
  readonly score: Score;
}

/** The held-out queries of a set, where search has learned from others of the same tools. */
export async function measureLearning(engine: SearchEngine, set: DataSet): Promise<LearningScore[]> {
  const measured: LearningScore[] = [];
  for (const history of historySizes) {
    const learned = learnedBy(set, history);
    const documents = set.tools.map((tool) => documentOf(tool, learned.get(tool.id)));
    const score = await withIndex(engine, documents, async ({ rank }) =>
      meanOf(await qualities(rank, set.test)),
    );
    measured.push({ history, taught: learned.size, tools: set.tools.length, score });
  }
  return measured;
}

/** As in use: only queries that led to one tool teach; never one whose words are asked of the measurement. */
export function learnedBy(
  { dev, test }: Pick<DataSet, 'dev' | 'test'>,
  most: number,
): Map<string, SearchDocument['learned'][number][]> {
  const asked = new Set(test.map(({ query }) => query));
  const learned = new Map<string, SearchDocument['learned'][number][]>();
  const order = (id: string): string => createHash('sha256').update(id).digest('hex');
  const inOrder = [...dev].sort((left, right) => (order(left.id) < order(right.id) ? -1 : 1));
  for (const { query, relevant } of inOrder) {
    const [only, ...others] = relevant;
    if (only === undefined || others.length > 0 || asked.has(query)) continue;
    const own = learned.get(only) ?? [];
    if (own.length >= most) continue;
    own.push({ query, weight: 1 });
    learned.set(only, own);
  }
  return learned;
}
