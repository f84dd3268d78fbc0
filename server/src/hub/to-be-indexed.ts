import type { OffersChange, ShownTool } from '#catalog';
import type { Tool } from '#domain';

/** Tools that are looked at in one go. */
const atOnce = 500;
const removedAtOnce = 10_000;

type Lists = readonly (readonly ShownTool[])[];

/** All tools, one after another; those that were told of since are looked at anyway. */
interface Walk {
  readonly lists: Lists;
  readonly told: Set<string>;
  list: number;
  place: number;
}

/**
 * What the index has yet to take in: first what changed, then all that there is, where that was asked for. What is told last of a tool is
 * what counts.
 */
export interface ToBeIndexed {
  everything(): void;
  changed(change: OffersChange): void;
  saidOf(toolIds: readonly string[]): void;
  /** Takes some ids that are to go. */
  removed(): readonly string[];
  /** Takes the ids of which something was said. */
  said(): readonly string[];
  /** The tools of these, as they were when they were looked for: what was told of them since counts. */
  found(tools: readonly Tool[]): void;
  /** Takes the next tools; none: that was all. */
  tools(): readonly Tool[];
  /** About how many tools there are to look at. */
  count(): number;
  /** Whether all were looked at since this was asked: what else the index has went without a word. */
  wereAll(): boolean;
}

/** All of it is due at first. */
export function createToBeIndexed(listsOf: () => Lists): ToBeIndexed {
  const put = new Map<string, Tool>();
  const gone = new Set<string>();
  const saidOf = new Set<string>();
  let walk: Walk | 'due' | null = 'due';
  let wereAll = false;

  /** Of the walk; `null`: it is at its end. */
  const next = (): readonly Tool[] | null => {
    if (walk === 'due') walk = { lists: listsOf(), told: new Set(), list: 0, place: 0 };
    while (walk !== null) {
      const { lists, told } = walk;
      const list = lists[walk.list];
      if (list === undefined) break;
      const shown = list.slice(walk.place, walk.place + atOnce);
      walk.place += shown.length;
      if (walk.place >= list.length) {
        walk.list++;
        walk.place = 0;
      }
      const tools = shown.flatMap(({ tool }) => (told.has(tool.id) ? [] : [tool]));
      if (tools.length > 0) return tools;
    }
    wereAll ||= walk !== null;
    walk = null;
    return null;
  };
  const left = (): number => {
    if (walk === null) return 0;
    const lists = walk === 'due' ? listsOf() : walk.lists.slice(walk.list);
    return lists.reduce((sum, { length }) => sum + length, 0);
  };
  const tellOf = (id: string) => {
    if (walk !== null && walk !== 'due') walk.told.add(id);
  };

  const putIn = (tool: Tool) => {
    tellOf(tool.id);
    put.set(tool.id, tool);
  };

  return {
    everything() {
      walk = 'due';
    },
    changed(change) {
      for (const tool of change.put) {
        gone.delete(tool.id);
        putIn(tool);
      }
      for (const id of change.removed) {
        tellOf(id);
        put.delete(id);
        gone.add(id);
      }
    },
    saidOf(toolIds) {
      for (const id of toolIds) saidOf.add(id);
    },
    removed: () => taken(gone, removedAtOnce),
    said: () => taken(saidOf, saidOf.size),
    found(tools) {
      for (const tool of tools) if (!gone.has(tool.id) && !put.has(tool.id)) putIn(tool);
    },
    tools() {
      const ids = taken(put.keys(), atOnce);
      if (ids.length === 0) return next() ?? [];
      const tools = ids.map((id) => put.get(id) as Tool);
      for (const id of ids) put.delete(id);
      return tools;
    },
    count: () => put.size + gone.size + saidOf.size + left(),
    wereAll() {
      const were = wereAll;
      wereAll = false;
      return were;
    },
  };
}

function taken(from: Set<string> | Iterable<string>, most: number): string[] {
  const ids: string[] = [];
  for (const id of from) {
    if (ids.length === most) break;
    ids.push(id);
  }
  if (from instanceof Set) for (const id of ids) from.delete(id);
  return ids;
}
