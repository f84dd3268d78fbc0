import type { ShownTool } from '#catalog';

/** Part of a long list: the same object as long as it is the same tools, whatever else the list holds. */
export type Part = readonly ShownTool[];

/** Tools of a source stay together, unless they are more; so few of several are put together. */
const mostTools = 10_000;
const fewTools = 5000;

/** Cuts lists in parts, so that what is worked out of a list need not be worked out again for all of it when one source changes. */
export function createParts(): (tools: readonly ShownTool[]) => readonly Part[] {
  const ofList = new WeakMap<readonly ShownTool[], readonly Part[]>();
  const byFirst = new WeakMap<ShownTool, Part>();

  function partOf(tools: readonly ShownTool[], from: number, to: number): Part {
    const first = tools[from] as ShownTool;
    const known = byFirst.get(first);
    if (known !== undefined && known.length === to - from && isThere(known, tools, from)) return known;
    const part = from === 0 && to === tools.length ? tools : tools.slice(from, to);
    byFirst.set(first, part);
    return part;
  }

  return (tools) => {
    let parts = ofList.get(tools);
    if (parts === undefined) {
      parts = cuts(tools).map(([from, to]) => partOf(tools, from, to));
      ofList.set(tools, parts);
    }
    return parts;
  };
}

function isThere(part: Part, tools: readonly ShownTool[], from: number): boolean {
  for (let at = 0; at < part.length; at++) if (part[at] !== tools[from + at]) return false;
  return true;
}

function cuts(tools: readonly ShownTool[]): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  let from = 0;
  let source = tools[0]?.tool.sourceId;
  for (const [at, { tool }] of tools.entries()) {
    const { sourceId } = tool;
    const isFull = at - from >= mostTools || (sourceId !== source && at - from >= fewTools);
    source = sourceId;
    if (!isFull) continue;
    found.push([from, at]);
    from = at;
  }
  if (from < tools.length) found.push([from, tools.length]);
  return found;
}
