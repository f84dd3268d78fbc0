import { isAbsolute, relative, sep } from 'node:path';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { printable } from '../output/printable.ts';
import type { Printer } from '../output/printer.ts';
import type { FileChange } from './file-change.ts';

/** As many changed lines as a person would read; more are counted instead. */
const greatestDifference = 4000;

/** What `git diff` would show of the change, paths seen from `from`; what lies outside has its whole path. */
export function unifiedDiff({ path, before, after }: FileChange, from: string): string {
  const [left, right] = namesOf(path, from);
  const patch = createTwoFilesPatch(
    before === null ? '/dev/null' : left,
    after === null ? '/dev/null' : right,
    before ?? '',
    after ?? '',
    undefined,
    undefined,
    { context: 3, maxEditLength: greatestDifference, headerOptions: FILE_HEADERS_ONLY },
  );
  if (patch !== undefined) return patch;
  const lines = (text: string | null) => (text ?? '').split('\n').length;
  return `--- ${left}\n+++ ${right}\n@@ ${lines(before)} lines become ${lines(after)}: too many differences to show @@\n`;
}

/** Of the file before and after. */
function namesOf(path: string, from: string): readonly [string, string] {
  const name = relative(from, path);
  if (isAbsolute(name) || name.split(sep)[0] === '..') return [path, path];
  const shown = name.split(sep).join('/');
  return [`a/${shown}`, `b/${shown}`];
}

/** Prints it for people, in colour where the terminal has it. */
export function printDiff(printer: Printer, diff: string): void {
  for (const line of diff.replace(/\n$/, '').split('\n')) {
    const text = printable(line.replace(/\r$/, ''));
    if (/^(---|\+\+\+) /.test(text)) printer.line(printer.style('bold', text));
    else if (text.startsWith('+')) printer.line(printer.style('green', text));
    else if (text.startsWith('-')) printer.line(printer.style('red', text));
    else if (text.startsWith('@@')) printer.line(printer.style('cyan', text));
    else printer.line(text);
  }
}
