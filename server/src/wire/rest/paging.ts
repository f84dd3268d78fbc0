import { maxPageLimit, type Page } from '@sallyport/contracts';

/** The page of `all` that was asked for; `show` is only called for what is on it. */
export function pageOf<Thing, Item>(
  all: readonly Thing[],
  asked: { readonly limit: number; readonly offset: number },
  show: (thing: Thing) => Item,
): Page<Item> {
  const limit = Math.min(asked.limit, maxPageLimit);
  const items = onPage(all, asked).map(show);
  return { items, limit, offset: asked.offset, page_count: items.length, total_count: all.length };
}

/** What is on it, for what has to be known of all of it before any of it is shown. */
export function onPage<Thing>(
  all: readonly Thing[],
  { limit, offset }: { readonly limit: number; readonly offset: number },
): readonly Thing[] {
  return all.slice(offset, offset + Math.min(limit, maxPageLimit));
}
