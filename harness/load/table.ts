import type { Measurement } from './client.ts';

/** One line of the report. */
export interface Line extends Measurement {
  readonly name: string;
  readonly connections: number;
  /** Per answer, of everything that belongs to what is measured; null where it runs elsewhere. */
  readonly cpuUs: number | null;
  /** Of this, what the embedded database takes in its own thread. */
  readonly databaseUs: number | null;
}

/** Prints the lines as a table; each `yardsticks` is a line's name, to which the others with as many connections are compared. */
export function printLines(
  title: string,
  lines: readonly Line[],
  unit: 'µs' | 'ms',
  yardsticks: Readonly<Record<string, string>> = {},
): void {
  const head = ['', 'connections', 'per second', 'p50 ms', 'p99 ms', `CPU ${unit}/call`, 'of it database'];
  const ratios = Object.keys(yardsticks).map((short) => `CPU to ${short}`);
  const rows = lines.map((line) => [
    line.name,
    String(line.connections),
    line.perSecond.toFixed(0),
    line.p50Ms.toFixed(2),
    line.p99Ms.toFixed(2),
    inUnit(line.cpuUs, unit),
    line.databaseUs === 0 ? '' : inUnit(line.databaseUs, unit),
    ...Object.values(yardsticks).map((name) => {
      const ratio = cpuRatio(lines, line.name, name, line.connections);
      return ratio === null ? '' : `${ratio.toFixed(2)}×`;
    }),
    String(line.wrong),
  ]);
  head.push(...ratios, 'wrong');
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

function inUnit(us: number | null, unit: 'µs' | 'ms'): string {
  if (us === null) return '';
  return unit === 'ms' ? (us / 1000).toFixed(2) : us.toFixed(0);
}

/** CPU per call of one line to that of another with as many connections; null where either is not there. */
export function cpuRatio(
  lines: readonly Line[],
  name: string,
  yardstick: string,
  connections: number,
): number | null {
  const cpuOf = (wanted: string) =>
    lines.find((line) => line.name === wanted && line.connections === connections)?.cpuUs ?? null;
  const [own, other] = [cpuOf(name), cpuOf(yardstick)];
  return own === null || other === null || other === 0 ? null : own / other;
}

export function printNote(text: string): void {
  console.log(text);
}
