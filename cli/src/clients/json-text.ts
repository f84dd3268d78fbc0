import { createScanner, type Node } from 'jsonc-parser';
import { lineStart, placeIn } from '../files/places.ts';

/** JSON as text: what stands around a value, and how a new one is to look beside it. */

/** Kinds of tokens, as jsonc-parser numbers them; its names for them are gone at run time. */
const closeBrace = 2;
const comma = 5;
const lineComment = 12;
const blockComment = 13;
const lineBreak = 14;
const trivia = 15;

export interface Tail {
  /** Offset of the comma that follows. */
  readonly comma: number | null;
  /** Behind the last comment on the same line, or the comma, or the value itself. */
  readonly lineContentEnd: number;
  /** Nothing but blanks up to the brace that ends the object. */
  readonly closed: boolean;
}

/** What follows a value, up to the end of its line. */
export function tailOf(text: string, end: number): Tail {
  const scanner = createScanner(text, false);
  scanner.setPosition(end);
  let found: number | null = null;
  let lineContentEnd = end;
  let sameLine = true;
  let commented = false;
  for (;;) {
    const kind: number = scanner.scan();
    if (kind === lineBreak) sameLine = false;
    else if (kind === lineComment || kind === blockComment) {
      commented = true;
      if (sameLine) lineContentEnd = scanner.getPosition();
    } else if (kind === comma && found === null) {
      found = scanner.getTokenOffset();
      lineContentEnd = scanner.getPosition();
      sameLine = true;
    } else if (kind !== trivia) {
      return { comma: found, lineContentEnd, closed: kind === closeBrace && !commented };
    }
  }
}

export function print(value: unknown, text: string, indent: string, lines: boolean, eol: string): string {
  if (!lines) return printInline(value, true);
  return JSON.stringify(value, null, unitOf(text)).replaceAll('\n', `${eol}${indent}`);
}

export function printInline(value: unknown, spaced: boolean): string {
  if (!spaced || typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => printInline(each, true)).join(', ')}]`;
  const entries = Object.entries(value).map(
    ([key, each]) => `${JSON.stringify(key)}: ${printInline(each, true)}`,
  );
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** What one level is indented by: as the first indented line has it. */
export function unitOf(text: string): string {
  return /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
}

export function endOf(node: Node): number {
  return node.offset + node.length;
}

export function lineIndent(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? '';
}

export function beginsLine(text: string, node: Node): boolean {
  return lineStart(text, node.offset) > 0 && isBlank(text, lineStart(text, node.offset), node.offset);
}

/** Where the next line begins, where nothing but blanks is left of this one. */
export function lineEndAfter(text: string, offset: number): number | null {
  const end = text.indexOf('\n', offset);
  return end === -1 || !isBlank(text, offset, end) ? null : end + 1;
}

export function isBlank(text: string, start: number, end: number): boolean {
  return text.slice(start, end).trim() === '';
}

export function place(text: string, offset: number, file: string): string {
  const { line, column } = placeIn(text, offset);
  return `${file}:${line}:${column}`;
}
