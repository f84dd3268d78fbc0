import type { ShownTool } from '#catalog';

/** Tools of a source, or of a few: the same object as long as it is the same tools, whatever else there is. */
export type Part = readonly ShownTool[];

/** A longer list is several parts; so few of several are put together. */
const mostTools = 10_000;
const fewTools = 5000;

/**
 * Puts lists together, or cuts them, so that what is worked out of tools need not be worked out again for all of them when one source
 * changes. It looks into lists only that it has not seen.
 */
export function createParts(): (lists: readonly Part[]) => readonly Part[] {
  const ofLists = new WeakMap<readonly Part[], readonly Part[]>();
  const ofGroups = new WeakMap<Part, { readonly group: readonly Part[]; readonly parts: readonly Part[] }>();
  const byFirst = new WeakMap<ShownTool, Part>();

  function partsOf(group: readonly Part[]): readonly Part[] {
    const [first] = group as [Part];
    const known = ofGroups.get(first);
    if (known !== undefined && isSame(known.group, group)) return known.parts;
    const tools = group.length === 1 ? first : group.flat();
    const parts: Part[] = [];
    for (let from = 0; from < tools.length; from += mostTools) parts.push(partOf(tools, from));
    ofGroups.set(first, { group, parts });
    return parts;
  }

  function partOf(tools: Part, from: number): Part {
    const part = tools.length <= mostTools ? tools : tools.slice(from, from + mostTools);
    const known = byFirst.get(part[0] as ShownTool);
    if (known !== undefined && isSame(known, part)) return known;
    byFirst.set(part[0] as ShownTool, part);
    return part;
  }

  return (lists) => {
    let parts = ofLists.get(lists);
    if (parts === undefined) {
      parts = groupsOf(lists).flatMap(partsOf);
      ofLists.set(lists, parts);
    }
    return parts;
  };
}

export function isSame<One>(some: readonly One[], others: readonly One[]): boolean {
  return some === others || (some.length === others.length && some.every((one, at) => one === others[at]));
}

function groupsOf(lists: readonly Part[]): readonly (readonly Part[])[] {
  const groups: Part[][] = [];
  let [group, count]: [Part[], number] = [[], 0];
  for (const list of lists) {
    if (list.length === 0) continue;
    if (group.length === 0 || count + list.length > mostTools || count >= fewTools) {
      [group, count] = [[], 0];
      groups.push(group);
    }
    group.push(list);
    count += list.length;
  }
  return groups;
}
