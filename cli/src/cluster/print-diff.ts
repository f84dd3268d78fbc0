import type { Printer } from '../output/printer.ts';
import { type Difference, differenceLines } from './difference.ts';
import type { FileDiff } from './git-diff.ts';
import type { ObjectDiff } from './live-diff.ts';
import { ownerTitle } from './owners.ts';

const signs = { new: '+', changed: '~', same: '=', gone: '-', refused: '!' } as const;
const styles = { new: 'green', changed: 'yellow', same: 'dim', gone: 'red', refused: 'red' } as const;

function printHead(printer: Printer, change: keyof typeof signs, title: string): void {
  printer.line(printer.style(styles[change], `${signs[change]} ${title}`));
}

function printDifferences(printer: Printer, found: readonly Difference[]): void {
  for (const line of found.flatMap(differenceLines)) {
    printer.line(`    ${printer.style(line.startsWith('+') ? 'green' : 'red', line)}`);
  }
}

export function printFileDiff(printer: Printer, { file, objects, isText }: FileDiff): void {
  printer.line(printer.style('bold', file));
  for (const { title, change, differences } of objects) {
    printHead(printer, change, title);
    printDifferences(printer, differences);
  }
  if (isText) printer.line('~ its text');
}

/** Objects that stay as they are take no line. */
export function printObjectDiff(printer: Printer, diff: ObjectDiff): void {
  const { change, title, conflicts, owner, refusal } = diff;
  if (change === 'same' && conflicts.length === 0) return;
  printHead(printer, change, owner === null ? title : `${title}, kept by ${ownerTitle(owner)}`);
  printDifferences(printer, diff.differences);
  for (const { field, owner: other } of conflicts) {
    printer.line(`    ${printer.style('red', `! ${field} was applied by ${other}`)}`);
  }
  if (refusal !== null) printer.line(`    ${printer.style('red', `! ${refusal}`)}`);
}

/** For `--json`. */
export const objectDiffValue = ({
  title,
  change,
  differences,
  conflicts,
  owner,
  refusal,
  selectorChange,
}: ObjectDiff) => ({
  object: title,
  change,
  differences,
  conflicts,
  owner: owner === null ? null : ownerTitle(owner),
  refusal,
  outage: selectorChange,
});
