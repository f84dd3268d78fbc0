import type { KeptTool } from './kept-tool.ts';
import { plainName } from './wire-names.ts';

/**
 * Finds tools by what is left of a name in lower case when everything but letters, digits and dashes is an underscore: in this
 * form a tool's rule name and the name it has on a gateway are one. Whoever looks must compare the name itself.
 */
export interface NameTable {
  /** Places of the tools whose names may be meant, in order. */
  at(hash: number): readonly number[];
  hashOf(place: number): number;
  /**
   * Tools that may not have their plain name on a gateway, or cannot be found by it: those of another's toolkit, with too long
   * a name, or with one that looks as if it was made.
   */
  readonly odd: ReadonlySet<number>;
}

const longestPlain = 64;
const looksMade = /_[0-9a-f]{8}(?:_\d+)?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is not ASCII
const notAscii = /[^\x00-\x7f]/;

export function createNameTable(tools: readonly KeptTool[]): NameTable {
  let size = 16;
  while (size < 2 * tools.length) size *= 2;
  const slots = new Int32Array(size);
  const hashes = new Int32Array(tools.length);
  const odd = new Set<number>();
  for (const [place, tool] of tools.entries()) {
    if (isOdd(tool)) odd.add(place);
    const hash = nameHash(tool.ruleName);
    hashes[place] = hash;
    let slot = hash & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = place + 1;
  }
  return {
    odd,
    hashOf: (place) => hashes[place] as number,
    at(hash) {
      const places: number[] = [];
      for (let slot = hash & (size - 1); slots[slot] !== 0; slot = (slot + 1) & (size - 1)) {
        const place = (slots[slot] as number) - 1;
        if (hashes[place] === hash) places.push(place);
      }
      return places.length < 2 ? places : places.sort((one, other) => one - other);
    },
  };
}

function isOdd(tool: KeptTool): boolean {
  if (tool.ruleName !== tool.qualifiedName) return true;
  const plain = plainName(tool.toolkit.name, tool.name);
  return plain.length > longestPlain || looksMade.test(plain) || notAscii.test(tool.ruleName);
}

/** Of the name in the form in which tables know it; never negative. */
export function nameHash(name: string): number {
  const lower = name.toLowerCase();
  let hash = 0x811c9dc5;
  for (let at = 0; at < lower.length; at++) {
    const code = lower.charCodeAt(at);
    const isPlain = (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 45;
    hash = Math.imul(hash ^ (isPlain ? code : 95), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}
