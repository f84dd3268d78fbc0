import type { RuleRequest } from '@sallyport/contracts';
import { Fault } from '#foundation';
import type { Entry } from '../entries.ts';
import type { Document } from './contract.ts';
import type { Span } from './json/edits.ts';
import { noEdits } from './json/edits.ts';
import { createPathSet, isInside, isSelected, type PathSet, type PathStates } from './json/path-states.ts';
import { isProtocolName, isProtocolValue } from './json/protocol-words.ts';
import { type Leaf, type Trail, walk } from './json/walk.ts';
import type { Finder } from './pattern.ts';
import type { Sought } from './prefilter.ts';

/** A rule that may find something. */
export interface Search {
  readonly entry: Entry<RuleRequest>;
  readonly sought: Sought;
}

/** What one rule found. */
export interface Hits {
  count: number;
  /** The first places. A name that was itself found is `null`. */
  readonly places: Trail[];
  /** Of a rule that redacts: what is to be found nowhere. */
  readonly taken: Set<string>;
  /** And numbers so short that they are part of many others: to be found nowhere by themselves. */
  readonly takenAlone: Set<string>;
}

export const maxPlaces = 20;
/** Beyond this it could not be found elsewhere in time. */
const maxTaken = 100_000;
const minText = 4;
const minDigits = 6;
const minDigitsAlone = 4;

/** What stands in the place of what a rule redacts. */
export function replacementOf({ entry }: Search): string {
  return entry.definition.replacement ?? '[redacted]';
}

export function redacts({ entry }: Search): boolean {
  return entry.definition.action === 'redact' && entry.definition.mode !== 'log_only';
}

/** Paths of rules, and which of them is which rule's: -1 for none. */
export function pathsOf(searches: readonly Search[]): { paths: PathSet; pathOf: readonly number[] } {
  const paths = searches.flatMap(({ sought }) => (sought.path === null ? [] : [sought.path]));
  let next = 0;
  return {
    paths: createPathSet(paths),
    pathOf: searches.map(({ sought }) => (sought.path === null ? -1 : next++)),
  };
}

/** What the rule's finder finds, but for what already stands in the place of something that it found. */
export function foundBy(search: Search, finder: Finder, text: string, name: string): readonly Span[] {
  const spans = finder.find(text, name);
  if (spans.length === 0 || !redacts(search)) return spans;
  const replacement = replacementOf(search);
  return spans.filter((span) => !isReplacement(text, span, replacement));
}

export function isReplacement(text: string, { start, end }: Span, replacement: string): boolean {
  if (replacement.length < end - start) return false;
  const at = text.indexOf(replacement, Math.max(0, end - replacement.length));
  return at >= 0 && at <= start && at + replacement.length >= end;
}

/** Looks for everything in the document as it was given: what one rule redacts does not hide it from another. */
export function searched(document: Document, searches: readonly Search[]): readonly Hits[] {
  const found = searches.map((): Hits => ({ count: 0, places: [], taken: new Set(), takenAlone: new Set() }));
  const { paths, pathOf } = pathsOf(searches);
  const add = (hits: Hits, count: number, trail: () => Trail): void => {
    hits.count += count;
    if (hits.places.length < maxPlaces) hits.places.push(trail());
  };

  walk(document, paths, {
    mark: () => found.map(({ count }) => count),
    selected(states, trail) {
      for (let nth = 0; nth < searches.length; nth++) {
        const path = pathOf[nth] as number;
        const isWhole = path >= 0 && (searches[nth] as Search).sought.finder === null;
        if (isWhole && isSelected(states, path)) add(found[nth] as Hits, 1, trail);
      }
      return null;
    },
    leaf(leaf) {
      for (let nth = 0; nth < searches.length; nth++) {
        if (!isSoughtAt(leaf.states, pathOf[nth] as number)) continue;
        const hits = found[nth] as Hits;
        // What was found in what the string holds was not found in the string once more.
        if (leaf.mark !== null && hits.count > (leaf.mark[nth] as number)) continue;
        const count = searchLeaf(searches[nth] as Search, leaf, hits);
        if (count > 0) add(hits, count, leaf.trail);
      }
      return noEdits;
    },
  });
  return found;
}

/** Whether a rule with that path, or with none, looks at what is here. */
export function isSoughtAt(states: PathStates, path: number): boolean {
  return path < 0 || isInside(states, path);
}

/** How often the rule finds something in a leaf where it looks; `hits` get what it redacts there. */
function searchLeaf(search: Search, leaf: Leaf, hits: Hits): number {
  const { kind, text } = leaf;
  const { finder } = search.sought;
  if (finder === null) {
    // The path selected it, or what it is in, and that was counted.
    if (kind !== 'key' && redacts(search)) take(hits, leaf, [text, text.trim()]);
    return 0;
  }
  const spans = foundBy(search, finder, text, leaf.name);
  if (spans.length > 0 && redacts(search)) {
    const pieces = spans.map(({ start, end }) => text.slice(start, end));
    take(hits, leaf, kind === 'number' ? [...pieces, text] : pieces);
  }
  return kind === 'number' ? Math.min(1, spans.length) : spans.length;
}

/** Remembers what must be found nowhere: what is long enough to tell something, and no word of the protocol. */
function take({ taken, takenAlone }: Hits, { kind, name }: Leaf, texts: readonly string[]): void {
  for (const text of texts) {
    const digits = kind === 'number' ? text.replace(/[^0-9]/g, '').length : minDigits;
    if (digits < minDigitsAlone || text.length < minText) continue;
    if (isProtocolName(text) || isProtocolValue(name, text)) continue;
    (digits < minDigits ? takenAlone : taken).add(text);
    if (taken.size + takenAlone.size > maxTaken) throw new Fault('it holds too much that is to be redacted');
  }
}
