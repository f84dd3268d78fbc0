import { maxPageLimit, type Page } from '@sallyport/contracts';

interface Asked {
  readonly limit: number;
  readonly offset: number;
}

/** The page of `all` that was asked for; `show` is only called for what is on it. */
export function pageOf<Thing, Item>(
  all: readonly Thing[],
  asked: Asked,
  show: (thing: Thing) => Item,
): Page<Item> {
  return pageWith(onPage(all, asked).map(show), limited(asked), all.length);
}

/** A page of what was chosen where it is kept. */
export function pageWith<Item>(items: readonly Item[], { limit, offset }: Asked, total: number): Page<Item> {
  return { items: [...items], limit, offset, page_count: items.length, total_count: total };
}

/** All of it: Arcade's libraries ask for one page and no more. */
export const wholePage = <Item>(items: readonly Item[]): Page<Item> =>
  pageWith(items, { limit: items.length, offset: 0 }, items.length);

/** What is asked for, of what may be. */
export const limited = ({ limit, offset }: Asked): Asked => ({
  limit: Math.min(limit, maxPageLimit),
  offset,
});

/** What is on it, for what has to be known of all of it before any of it is shown. */
export function onPage<Thing>(all: readonly Thing[], asked: Asked): readonly Thing[] {
  const { limit, offset } = limited(asked);
  return all.slice(offset, offset + limit);
}
