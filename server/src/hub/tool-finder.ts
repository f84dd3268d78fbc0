import type { ShownTool } from '#catalog';
import { createRests } from '#foundation';
import { createParts, type Part } from './scope-parts.ts';
import { createIdTable, type IdTable } from './search/id-table.ts';

/** Finds tools of long lists by their ids; what it makes for that is kept as long as the lists are. */
export interface ToolFinder {
  partsOf(lists: readonly Part[]): readonly Part[];
  /** Of these ids those that are there. Others pass in between. */
  find(lists: readonly Part[], ids: readonly string[]): Promise<ReadonlyMap<string, ShownTool>>;
}

export function createToolFinder(): ToolFinder {
  const partsOf = createParts();
  const tables = new WeakMap<Part, IdTable>();

  function tableOf(part: Part): IdTable {
    const table = createIdTable((place) => part[place]?.tool.id, part.length);
    for (const [place, { tool }] of part.entries()) table.add(tool.id, place);
    tables.set(part, table);
    return table;
  }

  return {
    partsOf,
    async find(lists, ids) {
      const rests = createRests();
      const found = new Map<string, ShownTool>();
      for (const part of ids.length === 0 ? [] : partsOf(lists)) {
        await rests();
        const table = tables.get(part) ?? tableOf(part);
        for (const id of ids) {
          const shown = part[table.find(id) ?? -1];
          if (shown !== undefined) found.set(id, shown);
        }
      }
      return found;
    },
  };
}
