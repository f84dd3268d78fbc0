import { stripVTControlCharacters, styleText } from 'node:util';
import type { Io } from './io.ts';
import { printable, printableLine } from './printable.ts';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** What a command says: to people as text on stdout, with `--json` as one JSON value; progress always on stderr. */
export interface Printer {
  readonly json: boolean;
  /** A line for people, line ends in it folded; nothing with `--json`. */
  line(text?: string): void;
  /** As many lines as it has: manifests, what a tool answered; nothing with `--json`. */
  lines(text: string): void;
  /** Columns as wide as their widest cell; nothing with `--json`. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** What the command found out: printed with `--json` only. */
  value(value: unknown): void;
  /** One JSON value a line as it comes, with `--json` only: for what has no end. */
  item(value: unknown): void;
  /** What is being done, for what takes long: on stderr, so that a pipe stays clean. */
  progress(text: string): void;
  style(style: Style, text: string): string;
}

export function createPrinter(io: Pick<Io, 'stdout' | 'stderr' | 'env'>, json: boolean): Printer {
  const coloured = io.stdout.isTTY === true && (io.env.NO_COLOR ?? '') === '';
  const say = (text: string) => {
    if (!json) io.stdout.write(`${text}\n`);
  };
  const line = (text = '') => say(printableLine(text, coloured));
  return {
    json,
    line,
    lines: (text) => say(printable(text)),
    table: (head, rows) => {
      for (const row of tableLines([head, ...rows])) line(row);
    },
    value: (value) => {
      if (json) io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    item: (value) => {
      if (json) io.stdout.write(`${JSON.stringify(value)}\n`);
    },
    progress: (text) => void io.stderr.write(`${printableLine(text)}\n`),
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}

const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...rows.map((row) => widthOf(row[at] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}
