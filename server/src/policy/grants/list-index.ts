import { compileGlob, foldName, literalPrefix, type RuleTarget } from '#domain';
import { onlyReads } from '../matching.ts';
import type { Beginning, Standing } from './standing.ts';
import type { Clause } from './tool-matcher.ts';

/** A long list in the order of its names, where every glob finds its part of it without looking at the rest. */
export interface ListIndex {
  /** What is left of it for those who asked. */
  readonly left: WeakMap<Standing, Left>;
  /** `null` where the list holds targets of several projects. */
  readonly projectId: string | null;
  /** The place of each item in the order of names. */
  readonly placeOf: Uint32Array;
  /** Writes the mark at the place of everything that the clause matches. */
  mark(marks: Uint8Array, clause: Clause, mark: 0 | 1): void;
}

/** By what the gateway starts from. */
type Left = { [beginning in Beginning]?: readonly unknown[] };

/** From one place to before another. */
interface Range {
  readonly from: number;
  readonly to: number;
}
type Places = Range | Uint32Array;
const nowhere: Range = { from: 0, to: 0 };

export function createListIndex(targets: readonly RuleTarget[]): ListIndex {
  const folded = targets.map(({ ruleName }) => foldName(ruleName));
  const { order, toolkits } = inOrder(folded);
  const names = Array.from(order, (item) => folded[item] as string);
  const placeOf = new Uint32Array(targets.length);
  for (const [place, item] of order.entries()) placeOf[item] = place;

  // What clauses match does not depend on who is asking; of this size at most it is kept for the next one.
  const maxKept = 100_000 + 4 * targets.length;
  const kept = new Map<string, Map<string, Places>>();
  let keptSize = 0;

  function firstPlace({ from, to }: Range, isThere: (name: string) => boolean): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isThere(names[middle] as string)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The names that begin so; those that are `exactly` so stand first. */
  function beginningWith(prefix: string, exactly: boolean): Range {
    const toolkit = toolkitOf(prefix);
    const part = toolkit === null ? { from: 0, to: names.length } : (toolkits.get(toolkit) ?? nowhere);
    if (prefix === toolkit && !exactly) return part;
    const from = firstPlace(part, (name) => name >= prefix);
    const isPast = (name: string) => (exactly ? name !== prefix : !name.startsWith(prefix));
    return { from, to: firstPlace({ from, to: part.to }, isPast) };
  }

  function find({ glob, hasTraits }: Clause): Places {
    const prefix = literalPrefix(glob);
    const range = beginningWith(prefix, prefix === glob);
    const areAll = prefix === glob || glob === `${prefix}*`;
    if (areAll && hasTraits === null) return range;
    const matches = compileGlob(glob);
    const found: number[] = [];
    for (let place = range.from; place < range.to; place++) {
      const { traits = onlyReads } = targets[order[place] as number] as RuleTarget;
      const fits = areAll || matches(names[place] as string);
      if (fits && (hasTraits === null || hasTraits(traits))) found.push(place);
    }
    return Uint32Array.from(found);
  }

  function placesOf(clause: Clause): Places {
    const { glob, traitsKey } = clause;
    const known = kept.get(traitsKey)?.get(glob);
    if (known !== undefined) return known;
    const places = find(clause);
    keptSize += 10 + (places instanceof Uint32Array ? places.length : 0);
    if (keptSize > maxKept) {
      kept.clear();
      keptSize = 0;
    }
    const ofTraits = kept.get(traitsKey) ?? new Map<string, Places>();
    kept.set(traitsKey, ofTraits.set(glob, places));
    return places;
  }

  const [first] = targets;
  const isOfOne = targets.every(({ projectId }) => projectId === first?.projectId);
  return {
    left: new WeakMap(),
    projectId: isOfOne && first !== undefined ? first.projectId : null,
    placeOf,
    mark(marks, clause, mark) {
      const places = placesOf(clause);
      if (!(places instanceof Uint32Array)) marks.fill(mark, places.from, places.to);
      else for (const place of places) marks[place] = mark;
    },
  };
}

/** With its dot; `null` where no name of a toolkit is begun. */
function toolkitOf(name: string): string | null {
  const dot = name.indexOf('.');
  return dot < 0 ? null : name.slice(0, dot + 1);
}

/** The items in the order of their names; toolkit by toolkit, as many short lists are sorted sooner than a long one. */
function inOrder(names: readonly string[]) {
  const byToolkit = new Map<string, number[]>();
  for (const [item, name] of names.entries()) {
    const toolkit = toolkitOf(name) ?? name;
    const items = byToolkit.get(toolkit);
    if (items === undefined) byToolkit.set(toolkit, [item]);
    else items.push(item);
  }
  const order = new Uint32Array(names.length);
  const toolkits = new Map<string, Range>();
  let from = 0;
  for (const [toolkit, items] of [...byToolkit].sort(([one], [other]) => compare(one, other))) {
    items.sort((one, other) => compare(names[one] as string, names[other] as string));
    order.set(items, from);
    toolkits.set(toolkit, { from, to: from + items.length });
    from += items.length;
  }
  return { order, toolkits };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
