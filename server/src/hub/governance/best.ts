/** The best of many, without keeping the others. */
export function createBest<Item extends { readonly help: number; readonly id: string }>(max: number) {
  let kept: Item[] = [];
  let total = 0;

  const sort = () => {
    kept.sort((one, other) => other.help - one.help || (one.id < other.id ? -1 : 1));
    kept = kept.slice(0, max);
  };

  return {
    add(item: Item): void {
      total++;
      kept.push(item);
      if (kept.length >= 2 * max) sort();
    },
    /** The best first, and how many there were in all. */
    done(): { readonly items: readonly Item[]; readonly total: number } {
      sort();
      return { items: kept, total };
    },
  };
}
