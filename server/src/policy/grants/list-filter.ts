import type { RuleTarget } from '#domain';
import { createListIndex, type ListIndex } from './list-index.ts';
import { type Beginning, decideAnew, type Standing } from './standing.ts';

type TargetOf<Item> = (item: Item) => RuleTarget;

/** What is left of a list; the list itself, where that is all of it. */
export type ListFilter = <Item>(
  standingIn: (projectId: string) => Standing,
  beginning: Beginning,
  items: readonly Item[],
  targetOf: TargetOf<Item>,
) => readonly Item[];

/** Deciding over each of so few is sooner done than putting them in order. */
const fewItems = 64;
const referenceBytes = 8;

export function createListFilter(spend: (bytes: number) => void): ListFilter {
  const indexes = new WeakMap<readonly unknown[], ListIndex>();

  function indexOf<Item>(items: readonly Item[], targetOf: TargetOf<Item>): ListIndex {
    let index = indexes.get(items);
    if (index === undefined) {
      index = createListIndex(items.map(targetOf));
      indexes.set(items, index);
    }
    return index;
  }

  return (standingIn, beginning, items, targetOf) => {
    type Item = (typeof items)[number];
    const onlyIn = items.length <= fewItems ? null : projectOf(items, targetOf);
    // To whom nothing is denied a list need not be put in order.
    if (beginning === 'all' && onlyIn !== null && standingIn(onlyIn).denies.length === 0) return items;
    const one = (item: Item) => {
      const target = targetOf(item);
      return decideAnew(standingIn(target.projectId), target)[beginning].allowed;
    };
    const index = items.length <= fewItems ? null : indexOf(items, targetOf);
    if (index === null || index.projectId === null) return all(items, items.filter(one));

    const standing = standingIn(index.projectId);
    const known = index.left.get(standing) ?? {};
    if (known[beginning] !== undefined) return known[beginning] as readonly Item[];
    const marks = marked(items.length, index, standing, beginning);
    const left = all(
      items,
      items.filter((_, item) => marks[index.placeOf[item] as number] === 1),
    );
    if (left !== items) spend(left.length * referenceBytes);
    index.left.set(standing, { ...known, [beginning]: left });
    return left;
  };
}

const projects = new WeakMap<readonly unknown[], string | null>();

/** `null`: items are of several. */
function projectOf<Item>(items: readonly Item[], targetOf: TargetOf<Item>): string | null {
  let projectId = projects.get(items);
  if (projectId === undefined) {
    const first = targetOf(items[0] as Item).projectId;
    projectId = items.every((item) => targetOf(item).projectId === first) ? first : null;
    projects.set(items, projectId);
  }
  return projectId;
}

function all<Item>(items: readonly Item[], left: readonly Item[]): readonly Item[] {
  return left.length === items.length ? items : left;
}

function marked(length: number, index: ListIndex, { denies, allows }: Standing, beginning: Beginning) {
  const marks = new Uint8Array(length);
  if (beginning === 'all') marks.fill(1);
  else for (const matcher of allows) for (const clause of matcher.clauses()) index.mark(marks, clause, 1);
  for (const matcher of denies) for (const clause of matcher.clauses()) index.mark(marks, clause, 0);
  return marks;
}
