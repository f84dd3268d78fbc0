import type { Document } from './contract.ts';
import { applied, type Edit, merged } from './json/edits.ts';
import { createOccurrences, type Occurrences } from './json/occurrences.ts';
import { isSelected } from './json/path-states.ts';
import { type Leaf, walk } from './json/walk.ts';
import {
  foundBy,
  type Hits,
  isReplacement,
  isSoughtAt,
  pathsOf,
  replacementOf,
  type Search,
} from './search.ts';

/** A rule that redacts, and what it found. */
export interface Redaction {
  readonly search: Search;
  readonly hits: Hits;
}

/**
 * The document without what the rules redact. What was taken out in one place stands nowhere else either: not in other
 * strings, names and numbers. `null` where nothing changes.
 */
export function redacted(document: Document, redactions: readonly Redaction[]): string | null {
  const searches = redactions.map(({ search }) => search);
  const { paths, pathOf } = pathsOf(searches);
  const occurrences = createOccurrences(replacements(redactions, 'taken'));
  const alone = createOccurrences(replacements(redactions, 'takenAlone'));

  const editsOf = (text: string, leaf: Leaf): readonly Edit[] => {
    const edits: Edit[] = [];
    for (let nth = 0; nth < searches.length; nth++) {
      const search = searches[nth] as Search;
      const { finder } = search.sought;
      if (finder === null || !isSoughtAt(leaf.states, pathOf[nth] as number)) continue;
      for (const span of foundBy(search, finder, text, leaf.name))
        edits.push({ start: span.start, end: span.end, text: replacementOf(search) });
    }
    for (const edit of elsewhere(occurrences, text, leaf)) edits.push(edit);
    for (const edit of elsewhere(alone, text, leaf)) if (isAlone(text, edit)) edits.push(edit);
    return merged(edits);
  };

  const edits = walk(document, paths, {
    mark: () => [],
    selected(states) {
      const nth = searches.findIndex(
        ({ sought }, index) => sought.finder === null && isSelected(states, pathOf[index] as number),
      );
      return nth < 0 ? null : replacementOf(searches[nth] as Search);
    },
    leaf: (leaf) => leafEdits(leaf, (text) => editsOf(text, leaf)),
  });
  if (edits.length === 0) return null;
  const json = applied(document.json, merged(edits));
  return json === document.json ? null : json;
}

/** What stands in the place of each text that is to be found nowhere. */
function replacements(
  redactions: readonly Redaction[],
  which: 'taken' | 'takenAlone',
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { search, hits } of redactions)
    for (const text of hits[which]) if (!texts.has(text)) texts.set(text, replacementOf(search));
  return texts;
}

/** Whether it is no part of a longer word or number. */
function isAlone(text: string, { start, end }: Edit): boolean {
  return (
    !/[\p{L}\p{N}_]$/u.test(text.slice(Math.max(0, start - 2), start)) &&
    !/^[\p{L}\p{N}_]/u.test(text.slice(end, end + 2))
  );
}

function elsewhere(occurrences: Occurrences, text: string, { kind }: Leaf): readonly Edit[] {
  return occurrences.find(text).filter(
    (edit) =>
      !isReplacement(text, edit, edit.text) &&
      // A few digits are part of many numbers.
      (kind !== 'number' || edit.end - edit.start >= Math.min(6, text.length)),
  );
}

/** Edits of a leaf, such that nothing is found in what becomes of it; where they do not suffice, of the whole leaf. */
function leafEdits(leaf: Leaf, editsOf: (text: string) => readonly Edit[]): readonly Edit[] {
  const { text, inner, kind } = leaf;
  const whole = (by: string): Edit[] => [{ start: 0, end: text.length, text: by }];
  const held = inner.length === 0 ? text : applied(text, inner);
  const edits = editsOf(held);
  const [first] = edits;
  if (first === undefined) return inner;
  if (kind === 'number') return whole(first.text);
  const changed = applied(held, edits);
  const [left] = editsOf(changed);
  if (left !== undefined) return whole(left.text);
  return inner.length === 0 ? edits : whole(changed);
}
