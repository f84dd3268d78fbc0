import type { Span } from '../json/edits.ts';

/**
 * Pieces that look right and are right. `looks` is global, and what it matches is bounded in length, so that trying again
 * one character later stays linear.
 */
export function candidates(
  text: string,
  looks: RegExp,
  check: (match: RegExpExecArray) => Span | null,
): readonly Span[] {
  const found: Span[] = [];
  looks.lastIndex = 0;
  for (let match = looks.exec(text); match !== null; match = looks.exec(text)) {
    const span = check(match);
    if (span !== null) found.push(span);
    looks.lastIndex = span === null ? match.index + 1 : Math.max(span.end, match.index + 1);
  }
  return found;
}

/** They may be more than a function takes arguments. */
export function addAll(found: Span[], more: readonly Span[]): void {
  for (const span of more) found.push(span);
}

/** What a whole match is about. */
export function spanOf(match: RegExpExecArray): Span {
  return { start: match.index, end: match.index + match[0].length };
}

/** What the last group of a match is about. */
export function spanOfGroup(match: RegExpExecArray, group: string): Span {
  const start = match.index + match[0].lastIndexOf(group);
  return { start, end: start + group.length };
}

/** Whether the piece is no part of a longer word or number, `12-34` and `1.5` being numbers, too. */
export function standsAlone(text: string, { start, end }: Span): boolean {
  const before = text.slice(Math.max(0, start - 2), start);
  return (
    !/[\p{L}\p{N}_]$|\p{N}[-.]$/u.test(before) && !/^[\p{L}\p{N}_]|^[-.]\p{N}/u.test(text.slice(end, end + 2))
  );
}

export function digitsOf(text: string): string {
  return text.replace(/[^0-9]/g, '');
}
