import { printNote } from '../load/table.ts';
import type { Score } from './metrics.ts';

export interface Row {
  readonly name: string;
  readonly part: string;
  readonly score: Score;
}

export function printScores(title: string, rows: readonly Row[]): void {
  printTable(
    title,
    ['', 'queries', 'NDCG@10', 'R@1', 'R@5', 'R@10', 'hit@1'],
    [
      ...rows.map(({ name, part, score }) => [
        part === '' ? name : `${name}, ${part}`,
        String(score.queries),
        ...[score.ndcg10, score.recall1, score.recall5, score.recall10, score.hit1].map((one) =>
          one.toFixed(1),
        ),
      ]),
    ],
  );
}

export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  printNote(`\n${title}`);
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    printNote(cells.join('  '));
  }
}
