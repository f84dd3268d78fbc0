import { createHash } from 'node:crypto';
import type { Hit, SearchDocument, SearchEngine } from '@sallyport/gateway/search';
import { inBatches, withIndex } from './measure.ts';

/** What a filter may cost nothing of: search among what a caller may see, beside search where nothing else exists. */
export interface Filtered {
  readonly share: number;
  readonly permitted: number;
  readonly queries: number;
  /** Of the ten best among the permitted, the share that was answered; 1 or the filter loses results. */
  readonly recall: number;
  /** Answered though not permitted. */
  readonly forbidden: number;
  /** The largest difference of a score to that where nothing else exists: what a score tells of things unseen. */
  readonly scoreDifference: number;
}

const depth = 10;

export async function measureFiltered(
  engine: SearchEngine,
  documents: readonly SearchDocument[],
  queries: readonly string[],
  share: number,
): Promise<Filtered> {
  const permitted = documents.filter(({ id }) => fractionOf(id) < share);
  const ids = new Set(permitted.map(({ id }) => id));
  const alone = await withIndex(engine, permitted, ({ hits }) =>
    inBatches(queries, (text) => hits(text, null, depth)),
  );
  const filtered = await withIndex(engine, documents, ({ permit, hits }) => {
    const bits = permit(ids);
    return inBatches(queries, (text) => hits(text, bits, depth));
  });
  return { share, permitted: ids.size, queries: queries.length, ...compare(filtered, alone, ids) };
}

const sameScore = 1e-9;

/** Of several that share the last place any will do. */
export function compare(
  filtered: readonly (readonly Hit[])[],
  alone: readonly (readonly Hit[])[],
  permitted: ReadonlySet<string>,
): Pick<Filtered, 'recall' | 'forbidden' | 'scoreDifference'> {
  let [wanted, found, forbidden, scoreDifference] = [0, 0, 0, 0];
  for (const [index, answer] of filtered.entries()) {
    const exact = alone[index] ?? [];
    const scores = new Map(exact.map(({ id, score }) => [id, score]));
    const last = exact.at(-1)?.score ?? Number.POSITIVE_INFINITY;
    wanted += exact.length;
    for (const { id, alike, score } of answer) {
      forbidden += [id, ...alike].filter((one) => !permitted.has(one)).length;
      const truly = scores.get(id);
      if (truly !== undefined || Math.abs(score - last) < sameScore) found += 1;
      if (truly !== undefined) scoreDifference = Math.max(scoreDifference, Math.abs(truly - score));
    }
  }
  return { recall: wanted === 0 ? 1 : found / wanted, forbidden, scoreDifference };
}

/** The same for an id in every run, and even over ids. */
function fractionOf(id: string): number {
  return createHash('sha256').update(`permitted ${id}`).digest().readUInt32BE(0) / 2 ** 32;
}
