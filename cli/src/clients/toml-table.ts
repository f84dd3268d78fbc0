import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import { CommandError } from '../command-error.ts';

/**
 * One table of a TOML file, `[<under>.<name>]`, is added, updated or removed as text, so that all else stays to the byte.
 * What came out is read again: where anything else would mean something else, nothing is written.
 */
export function editTomlTable(
  text: string,
  at: { readonly under: string; readonly name: string; readonly file: string },
  wanted: Readonly<Record<string, unknown>> | null,
  own: readonly string[],
): string {
  const { under, name, file } = at;
  const before = parsedToml(text, file);
  const found = tableIn(before, under)?.[name];
  const kept = Object.fromEntries(
    Object.entries(isTable(found) ? found : {}).filter(([field]) => !own.includes(field)),
  );
  const whole = wanted === null ? undefined : { ...kept, ...wanted };
  if (isDeepStrictEqual(found, whole)) return text;
  const after = spliced(text, under, name, wanted, own);
  const { [name]: _, ...others } = tableIn(before, under) ?? {};
  const expected = { ...before, [under]: whole === undefined ? others : { ...others, [name]: whole } };
  if (meansTheSame(after, expected, under)) return after;
  throw new CommandError(
    'connect.file_unclear',
    `${file}: the table [${under}.${name}] is written in a way that cannot be changed without touching the rest`,
    ['Change it by hand, or write it as a table of its own; nothing was written.'],
  );
}

type Table = Record<string, unknown>;

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function tableIn(whole: Table, under: string): Table | undefined {
  const found = whole[under];
  return isTable(found) ? found : undefined;
}

function meansTheSame(text: string, expected: Table, under: string): boolean {
  try {
    const read = tomlOf(text);
    return isDeepStrictEqual({ ...read, [under]: read[under] ?? {} }, expected);
  } catch {
    return false;
  }
}

/** As plain objects, dates as texts. */
function tomlOf(text: string): Table {
  return JSON.parse(JSON.stringify(parse(text.replace(/^\uFEFF/, '')))) as Table;
}

function parsedToml(text: string, file: string): Table {
  try {
    return tomlOf(text);
  } catch (error) {
    const { line, column, message } = error as { line?: number; column?: number; message: string };
    throw new CommandError(
      'file.invalid_toml',
      `${file}:${line ?? 1}:${column ?? 1}: this is not valid TOML`,
      [message.split('\n')[0] ?? '', 'Correct the file, or move it away; nothing was written.'],
    );
  }
}

/** A header and the lines up to the next one; what stands before the first has no parts. */
interface Section {
  readonly parts: readonly string[];
  readonly lines: readonly string[];
}

function spliced(
  text: string,
  under: string,
  name: string,
  wanted: Readonly<Record<string, unknown>> | null,
  own: readonly string[],
): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const sections = sectionsOf(text);
  const isOurs = ({ parts }: Section) => parts[0] === under && parts[1] === name;
  const fields = wanted === null ? [] : fieldLines(wanted, eol);
  if (!sections.some((section) => isOurs(section) && section.parts.length === 2)) {
    const key = /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
    const gap = text === '' || /\n\r?\n$/.test(text) ? '' : text.endsWith('\n') ? eol : eol + eol;
    return wanted === null ? text : [text, gap, `[${under}.${key}]`, eol, ...fields].join('');
  }
  const kept = sections.flatMap((section) => {
    const { parts, lines } = section;
    if (!isOurs(section)) return lines;
    if (parts.length > 2) return wanted === null || own.includes(parts[2] ?? '') ? tailOf(lines) : lines;
    if (wanted === null) return tailOf(lines);
    const [header = '', ...rest] = lines;
    return [
      header.endsWith('\n') ? header : header + eol,
      ...fields,
      ...rest.filter((line) => !own.includes(keyOf(line) ?? '')),
    ];
  });
  const joined = kept.join('');
  return wanted === null ? joined.replace(/(\r?\n){2,}$/, eol) : joined;
}

function sectionsOf(text: string): Section[] {
  const sections: { parts: string[]; lines: string[] }[] = [{ parts: [], lines: [] }];
  for (const line of text === '' ? [] : text.split(/(?<=\n)/)) {
    const [, header] = /^\s*\[+([^[\]]+)\]+\s*(?:#.*)?$/.exec(line.trimEnd()) ?? [];
    if (header !== undefined) sections.push({ parts: partsOf(header), lines: [] });
    sections.at(-1)?.lines.push(line);
  }
  return sections;
}

function partsOf(header: string): string[] {
  const parts = header.matchAll(/\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|$)/g);
  return [...parts].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}

function keyOf(line: string): string | undefined {
  return /^\s*["']?([A-Za-z0-9_-]+)["']?\s*=/.exec(line)?.[1];
}

/** Comments before the next header are about what follows. */
function tailOf(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => !/^\s*(#.*)?$/.test(line.trimEnd()));
  const tail = lines.slice(last + 1);
  return tail.some((line) => line.trim() !== '') ? tail : [];
}

/** Tables inside are written on the line of their field, so that ours ends where the next one begins. */
function fieldLines(wanted: Readonly<Record<string, unknown>>, eol: string): string[] {
  return Object.entries(wanted).map(([field, value]) => `${field} = ${printed(value)}${eol}`);
}

function printed(value: unknown): string {
  if (!isTable(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([field, inner]) => `${JSON.stringify(field)} = ${printed(inner)}`,
  );
  return `{ ${fields.join(', ')} }`;
}
