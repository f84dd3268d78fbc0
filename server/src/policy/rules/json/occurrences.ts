import type { Edit } from './edits.ts';

/** Finds texts wherever they stand in others. */
export interface Occurrences {
  /** In order of their beginnings; they may overlap. */
  find(text: string): readonly Edit[];
}

interface Sought {
  readonly text: string;
  readonly replacement: string;
}

/** Texts are looked up by so many of their first characters: the longest of these numbers that they have. */
const keyLengths = [128, 64, 32, 16, 8, 4];

/** `sought` maps each text, of at least four characters, to what stands in its place. */
export function createOccurrences(sought: ReadonlyMap<string, string>): Occurrences {
  const tables = new Map<number, Map<string, Sought[]>>();
  const beginnings = new Set<number>();
  for (const [text, replacement] of sought) {
    const length = keyLengths.find((one) => one <= text.length);
    if (length === undefined) continue;
    const table = tables.get(length) ?? new Map<string, Sought[]>();
    tables.set(length, table);
    const key = text.slice(0, length);
    const list = table.get(key);
    if (list === undefined) table.set(key, [{ text, replacement }]);
    else list.push({ text, replacement });
    beginnings.add(text.charCodeAt(0));
  }
  for (const table of tables.values())
    for (const list of table.values()) list.sort((a, b) => b.text.length - a.text.length);

  function longestAt(text: string, at: number): Sought | null {
    let longest: Sought | null = null;
    for (const [length, table] of tables) {
      const list = at + length > text.length ? undefined : table.get(text.slice(at, at + length));
      const found = list?.find((one) => text.startsWith(one.text, at));
      if (found !== undefined && found.text.length > (longest?.text.length ?? 0)) longest = found;
    }
    return longest;
  }

  return {
    find(text) {
      if (tables.size === 0) return [];
      const found: Edit[] = [];
      for (let at = 0; at + 4 <= text.length; at++) {
        if (!beginnings.has(text.charCodeAt(at))) continue;
        const one = longestAt(text, at);
        if (one !== null) found.push({ start: at, end: at + one.text.length, text: one.replacement });
      }
      return found;
    },
  };
}
