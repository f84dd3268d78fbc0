/** The best of many, kept while they pass by. */
export interface Selection {
  /** Another of the same group is taken in its place only if it is better. What a score must be at least to be taken from now on. */
  offer(row: number, score: number): number;
  /** Best first. */
  rows(): number[];
}

/**
 * The best `limit` rows, one of a group (`null`: each is its own). Of equals the one with the smaller order key is better, so what else is in the index
 * decides nothing.
 */
export function createSelection(
  limit: number,
  groups: Uint32Array | null,
  orderKeys: Uint32Array,
): Selection {
  /** Best first. */
  const rows: number[] = [];
  const scores: number[] = [];
  const isBetter = (row: number, score: number, at: number): boolean => {
    const other = scores[at] as number;
    return (
      score > other ||
      (score === other && (orderKeys[row] as number) < (orderKeys[rows[at] as number] as number))
    );
  };
  const place = (row: number, score: number) => {
    let at = groups === null ? -1 : rows.findIndex((other) => groups[other] === groups[row]);
    if (at < 0) at = Math.min(rows.length, limit - 1);
    else if (!isBetter(row, score, at)) return;
    for (; at > 0 && isBetter(row, score, at - 1); at--) {
      rows[at] = rows[at - 1] as number;
      scores[at] = scores[at - 1] as number;
    }
    rows[at] = row;
    scores[at] = score;
  };

  return {
    offer(row, score) {
      if (rows.length < limit || isBetter(row, score, limit - 1)) place(row, score);
      return rows.length < limit ? Number.NEGATIVE_INFINITY : (scores[limit - 1] as number);
    },
    rows: () => rows,
  };
}
