/** How well one answer, ids best first, fits the ids that were wanted. Every figure is 0 to 1. */
export interface Quality {
  /** The first one is wanted. */
  readonly hit1: number;
  /** Of those wanted, the share that is among the first one, five and ten. */
  readonly recall1: number;
  readonly recall5: number;
  readonly recall10: number;
  /** Recall of ten where a wanted one counts the less the later it comes, in shares of the best order there could be. */
  readonly ndcg10: number;
}

export function qualityOf(found: readonly string[], relevant: readonly string[]): Quality {
  const wanted = new Set(relevant);
  const ranked = [...new Set(found)];
  const recall = (k: number): number =>
    ranked.slice(0, k).filter((id) => wanted.has(id)).length / wanted.size;
  const gains = ranked.slice(0, 10).map((id, place) => (wanted.has(id) ? discount(place) : 0));
  const best = Array.from({ length: Math.min(10, wanted.size) }, (_, place) => discount(place));
  return {
    hit1: wanted.has(ranked[0] ?? '') ? 1 : 0,
    recall1: recall(1),
    recall5: recall(5),
    recall10: recall(10),
    ndcg10: sum(gains) / sum(best),
  };
}

/** Figures of all queries, each of which counts alike; in per cent, as retrieval is reported. */
export interface Score extends Quality {
  readonly queries: number;
}

export function meanOf(qualities: readonly Quality[]): Score {
  const mean = (key: keyof Quality): number =>
    qualities.length === 0 ? 0 : (100 * sum(qualities.map((one) => one[key]))) / qualities.length;
  return {
    queries: qualities.length,
    hit1: mean('hit1'),
    recall1: mean('recall1'),
    recall5: mean('recall5'),
    recall10: mean('recall10'),
    ndcg10: mean('ndcg10'),
  };
}

/** By place, counted from 0. */
function discount(place: number): number {
  return 1 / Math.log2(place + 2);
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, one) => total + one, 0);
}
