/** A piece of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What stands in the place of a piece of a text. */
export interface Edit extends Span {
  readonly text: string;
}

export const noEdits: readonly Edit[] = [];

/** Pieces in any order as pieces that are in order and do not touch each other. */
export function joined(spans: readonly Span[]): readonly Span[] {
  return spans.length < 2 ? spans : merged(spans.map(({ start, end }) => ({ start, end, text: '' })));
}

/** Edits in any order as edits that do not touch each other: of those that overlap, the first tells what stands there. */
export function merged(edits: readonly Edit[]): readonly Edit[] {
  if (edits.length < 2) return edits;
  const sorted = edits.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const apart: Edit[] = [];
  for (const edit of sorted) {
    const last = apart.at(-1);
    if (last === undefined || edit.start >= last.end) apart.push(edit);
    else if (edit.end > last.end) apart[apart.length - 1] = { ...last, end: edit.end };
  }
  return apart;
}

/** The text with edits that are in order and apart. */
export function applied(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

/** Edits of what a JSON string says as edits of the string, quotes and all: what they do not touch stays as it was written. */
export function inString(written: string, start: number, edits: readonly Edit[]): Edit[] {
  const offsetOf = written.includes('\\') ? escapedOffsets(written) : (offset: number) => offset + 1;
  return edits.map((edit) => ({
    start: start + offsetOf(edit.start),
    end: start + offsetOf(edit.end),
    text: JSON.stringify(edit.text).slice(1, -1),
  }));
}

/** Where a character of the decoded string is written; asked for in order. */
function escapedOffsets(written: string): (offset: number) => number {
  let decoded = 0;
  let at = 1;
  return (offset) => {
    for (; decoded < offset; decoded++) {
      at += written[at] !== '\\' ? 1 : written[at + 1] === 'u' ? 6 : 2;
    }
    return at;
  };
}
