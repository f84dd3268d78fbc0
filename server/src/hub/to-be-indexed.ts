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
 * What the index has yet to take in: first what changed, a few tools before many, then all that there is, where that was asked for. What is
 * told last of a tool is what counts.
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
  /** Told with few others, or with many. */
  const few = new Map<string, Tool>();
  const many = new Map<string, Tool>();
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

  const putIn = (tools: readonly Tool[]) => {
    for (const tool of tools) {
      tellOf(tool.id);
      const isAmongFew = tools.length <= atOnce || few.has(tool.id);
      many.delete(tool.id);
      (isAmongFew ? few : many).set(tool.id, tool);
    }
  };

  return {
    everything() {
      walk = 'due';
    },
    changed(change) {
      for (const { id } of change.put) gone.delete(id);
      putIn(change.put);
      for (const id of change.removed) {
        tellOf(id);
        few.delete(id);
        many.delete(id);
        gone.add(id);
      }
    },
    saidOf(toolIds) {
      for (const id of toolIds) saidOf.add(id);
    },
    removed: () => taken(gone, removedAtOnce),
    said: () => taken(saidOf, saidOf.size),
    found(tools) {
      putIn(tools.filter(({ id }) => !gone.has(id) && !few.has(id) && !many.has(id)));
    },
    tools() {
      const from = few.size > 0 ? few : many;
      const ids = taken(from.keys(), atOnce);
      if (ids.length === 0) return next() ?? [];
      const tools = ids.map((id) => from.get(id) as Tool);
      for (const id of ids) from.delete(id);
      return tools;
    },
    count: () => few.size + many.size + gone.size + saidOf.size + left(),
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
