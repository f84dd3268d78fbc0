import type { Measurement } from './client.ts';

/** One line of the report. */
export interface Line extends Measurement {
  readonly name: string;
  readonly connections: number;
  /** Per answer, of everything that belongs to what is measured; null where it runs elsewhere. */
  readonly cpuUs: number | null;
}

/** Prints the lines as a table; the ratio is to the first line with as many connections, where that is nginx. */
export function printLines(title: string, lines: readonly Line[], unit: 'µs' | 'ms'): void {
  const head = [
    '',
    'connections',
    'per second',
    'p50 ms',
    'p99 ms',
    `CPU ${unit}/call`,
    'CPU to nginx',
    'wrong',
  ];
  const rows = lines.map((line) => {
    const plain = lines.find(
      (other) => other.name.startsWith('nginx') && other.connections === line.connections,
    );
    const ratio = line.cpuUs === null || !plain?.cpuUs ? '' : `${(line.cpuUs / plain.cpuUs).toFixed(2)}×`;
    const cpu =
      line.cpuUs === null
        ? ''
        : (unit === 'ms' ? line.cpuUs / 1000 : line.cpuUs).toFixed(unit === 'ms' ? 2 : 0);
    return [
      line.name,
      String(line.connections),
      line.perSecond.toFixed(0),
      line.p50Ms.toFixed(2),
      line.p99Ms.toFixed(2),
      cpu,
      ratio,
      String(line.wrong),
    ];
  });
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const print = (row: readonly string[]): void => {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    console.log(cells.join('  '));
  };
  console.log(`\n${title}`);
  print(head);
  for (const row of rows) print(row);
}

export function printNote(text: string): void {
  console.log(text);
}
