import { RE2Set } from 're2js';
import type { JsonPath } from './json/json-path.ts';
import { unescaped } from './json/unescaping.ts';
import type { Finder } from './pattern.ts';

/** What a rule looks for; at least one of the two. */
export interface Sought {
  readonly finder: Finder | null;
  readonly path: JsonPath | null;
}

/** As deep as strings that are JSON are read in strings that are JSON. */
export const maxEmbedded = 8;

/** Strings that may be base64 of a text, which no look at the JSON text can see through. */
const base64Member = '"(?:blob|data)"[ \\t\\r\\n]*:[ \\t\\r\\n]*"[A-Za-z0-9+/_= \\t\\r\\n-]+"';

/**
 * Tells fast, and once for all rules, which of them may find something in a JSON text. It never leaves out one that would:
 * patterns are taken without their anchors, and words end at quotes as they do at the end of a text; what is escaped is
 * looked at as often as strings can lie in strings.
 */
export interface Prefilter {
  /** Positions of the rules; `null`: any of them. */
  candidates(json: string): readonly number[] | null;
}

/** What a set may remember of the texts that it has seen. */
const maxSetBytes = 4 * 1024 * 1024;

interface Needs {
  readonly finder: number | null;
  readonly name: number | null;
}

export function createPrefilter(sought: readonly Sought[]): Prefilter {
  const positions = new Map<string, number>();
  const positionOf = (pattern: string): number => {
    const known = positions.get(pattern);
    if (known !== undefined) return known;
    positions.set(pattern, positions.size);
    return positions.size - 1;
  };
  const base64 = positionOf(base64Member);
  const needs = sought.map(({ finder, path }): Needs => {
    const names = path === null ? null : namesHint(path);
    return {
      finder: finder === null ? null : positionOf(finder.hint),
      name: names === null ? null : positionOf(names),
    };
  });
  const set = setOf([...positions.keys()]);
  if (set === null) return { candidates: () => null };
  return {
    candidates(json) {
      const hits = hitsIn(set, json);
      if (hits === null || hits.has(base64)) return null;
      const found: number[] = [];
      for (let rule = 0; rule < needs.length; rule++) {
        const { finder, name } = needs[rule] as Needs;
        if ((finder === null || hits.has(finder)) && (name === null || hits.has(name))) found.push(rule);
      }
      return found;
    },
  };
}

const noHits: ReadonlySet<number> = new Set();

/** `null` where strings may lie deeper in strings than was looked. */
function hitsIn(set: RE2Set, json: string): { has(position: number): boolean } | null {
  if (!json.includes('\\')) {
    const found = set.match(json);
    return found.length === 0 ? noHits : new Set(found);
  }
  const hits = new Set<number>();
  let text = json;
  for (let depth = 0; depth <= maxEmbedded + 1; depth++) {
    text = unescaped(text);
    for (const position of set.match(text)) hits.add(position);
    if (unescaped(text) === text) return hits;
  }
  return null;
}

function setOf(patterns: readonly string[]): RE2Set | null {
  try {
    const set = new RE2Set(RE2Set.UNANCHORED, 0, maxSetBytes);
    for (const pattern of patterns) set.add(pattern);
    set.compile();
    return set;
  } catch {
    return null;
  }
}

/** A member whose name the path cannot do without; `null` where it needs none. */
function namesHint({ segments }: JsonPath): string | null {
  for (const { selectors } of segments.toReversed()) {
    const names = selectors.filter((selector) => typeof selector === 'string');
    if (names.length < selectors.length) continue;
    return `"(?:${names.map(quoted).join('|')})"[ \\t\\r\\n]*:`;
  }
  return null;
}

/** Every character as it is. */
function quoted(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
