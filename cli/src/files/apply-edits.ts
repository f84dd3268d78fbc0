import type { TextEdit } from './text-edit.ts';

/** The text with these edits made. Edits at the same place are made in the order given; overlapping ones are a fault. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: replacement } of inOrder(edits)) {
    if (start < at || end < start || end > text.length) throw new Error('edits overlap, or leave the text');
    parts.push(text.slice(at, start), replacement);
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/**
 * Whether both can be made in one go: no character belongs to both, and nothing is inserted at the edge of what the other
 * replaces.
 */
export function editsMeet(left: readonly TextEdit[], right: readonly TextEdit[]): boolean {
  return left.some((one) => right.some((other) => one.start <= other.end && other.start <= one.end));
}

/** Sorting is stable, and an insertion comes before a replacement that begins where it is made. */
function inOrder(edits: readonly TextEdit[]): readonly TextEdit[] {
  return [...edits].sort((one, other) => one.start - other.start || one.end - other.end);
}
