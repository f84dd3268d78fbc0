/** The word that was probably meant, if any is near enough. */
export function nearest(given: string, words: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replaceAll(/[-_]/g, '');
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const word of words) {
    const distance = editDistance(plain(given), plain(word));
    if (distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { word, distance };
  }
  return best !== undefined && best.distance <= Math.max(1, Math.floor(best.word.length / 3))
    ? best.word
    : undefined;
}

function editDistance(from: string, to: string): number {
  if (from.length > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let a = 1; a <= from.length; a++) {
    const next = [a];
    for (let b = 1; b <= to.length; b++) {
      const replaced = (row[b - 1] ?? 0) + (from[a - 1] === to[b - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[b] ?? 0) + 1, (next[b - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
