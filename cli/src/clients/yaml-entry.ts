import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml';
import { CommandError } from '../command-error.ts';

/**
 * One entry of a map of a YAML file is added, updated or removed as text, so that all else stays to the byte. What came out is
 * read again: where anything else would mean something else, nothing is written.
 */
export function editYamlEntry(
  text: string,
  at: { readonly under: string; readonly name: string; readonly file: string },
  wanted: Readonly<Record<string, unknown>> | null,
  own: readonly string[],
): string {
  const { under, name, file } = at;
  const before = parsedYaml(text, file);
  const entries = before[under] ?? {};
  if (typeof entries !== 'object' || Array.isArray(entries)) {
    throw new CommandError('file.unexpected_yaml', `${file}: "${under}" must be a map, and is not`);
  }
  const found = (entries as Table)[name];
  const kept = Object.fromEntries(
    Object.entries((found ?? {}) as Table).filter(([field]) => !own.includes(field)),
  );
  const whole = wanted === null ? undefined : { ...kept, ...wanted };
  if (isDeepStrictEqual(found, whole)) return text;
  const after = spliced(text, under, name, whole);
  const { [name]: _, ...others } = entries as Table;
  const rest = { ...before, [under]: whole === undefined ? others : { ...others, [name]: whole } };
  if (meansTheSame(after, rest, under)) return after;
  throw new CommandError(
    'connect.file_unclear',
    `${file}: "${under}.${name}" is written in a way that cannot be changed without touching the rest`,
    ['Change it by hand; nothing was written.'],
  );
}

type Table = Record<string, unknown>;

function meansTheSame(text: string, expected: Table, under: string): boolean {
  const document = documentOf(text);
  if (document.errors.length > 0) return false;
  try {
    const read = document.toJS() as Table;
    return isDeepStrictEqual({ ...read, [under]: read[under] ?? {} }, expected);
  } catch {
    // An alias whose anchor went with what was replaced.
    return false;
  }
}

function documentOf(text: string) {
  return parseDocument(text, { keepSourceTokens: true });
}

function parsedYaml(text: string, file: string): Table {
  const document = documentOf(text);
  const [error] = document.errors;
  if (error !== undefined) {
    const [{ line, col }] = error.linePos ?? [{ line: 1, col: 1 }];
    throw new CommandError('file.invalid_yaml', `${file}:${line}:${col}: this is not valid YAML`, [
      error.message.split('\n')[0] ?? '',
      'Correct the file, or move it away; nothing was written.',
    ]);
  }
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Table;
  throw new CommandError('file.unexpected_yaml', `${file}: the file must be a map, and is not`);
}

function spliced(text: string, under: string, name: string, whole: Table | undefined): string {
  const { contents } = documentOf(text);
  const pair = isMap(contents) ? pairOf(contents, under) : undefined;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const print = (value: unknown, indent: string) =>
    stringify(value, { lineWidth: 0 })
      .trimEnd()
      .split('\n')
      .map((line) => indent + line)
      .join(eol) + eol;
  const ended = text === '' || text.endsWith('\n') ? text : text + eol;
  if (pair === undefined)
    return whole === undefined ? text : ended + print({ [under]: { [name]: whole } }, '');
  const map = isMap(pair.value) && pair.value.flow !== true ? pair.value : undefined;
  const [first] = map?.items ?? [];
  if (map === undefined || first === undefined) return replaced(text, pair, print, under, name, whole);
  const indent = ' '.repeat(columnOf(text, startOf(first)));
  const entry = pairOf(map, name);
  if (entry === undefined) {
    const end = lineEnd(text, endOf(map.items.at(-1) as Pair));
    const gap = text.slice(0, end).endsWith('\n') ? '' : eol;
    return text.slice(0, end) + gap + print({ [name]: whole }, indent) + text.slice(end);
  }
  const start = startOf(entry) - indent.length;
  const end = lineEnd(text, endOf(entry));
  const only = map.items.length === 1 && whole === undefined;
  if (only) return `${text.slice(0, start).trimEnd()} {}${eol}${text.slice(end)}`;
  return (
    text.slice(0, start) + (whole === undefined ? '' : print({ [name]: whole }, indent)) + text.slice(end)
  );
}

/** A map without entries, or one in braces: its value is written anew. */
function replaced(
  text: string,
  pair: Pair,
  print: (value: unknown, indent: string) => string,
  under: string,
  name: string,
  whole: Table | undefined,
): string {
  const { value } = pair;
  const entries = isMap(value) ? (value.toJSON() as Table) : {};
  if (whole === undefined) delete entries[name];
  else entries[name] = whole;
  const start = startOf(pair);
  const last = isMap(value) || isScalar(value) ? endOf(pair) : start + under.length + 1;
  const end = lineEnd(text, last);
  // Comments between the braces have no place in what is written anew.
  if (text.slice(start, last).includes('#')) return text;
  const [head = '', ...lines] = print({ [under]: entries }, '').split('\n');
  const written = [head.replace(/\r?$/, (eol) => text.slice(last, end).trimEnd() + eol), ...lines].join('\n');
  return text.slice(0, start) + written + text.slice(end);
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((item) => isScalar(item.key) && item.key.value === key);
}

const startOf = ({ key }: Pair): number => (isScalar(key) ? (key.range?.[0] ?? 0) : 0);

/** Where the value ends, without the blank lines and comments that follow. */
function endOf({ key, value }: Pair): number {
  const range = (value as { range?: [number, number, number] | null } | null)?.range;
  return range?.[1] ?? (isScalar(key) ? (key.range?.[1] ?? 0) : 0);
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** Behind the line that holds the last character before `offset`. */
function lineEnd(text: string, offset: number): number {
  const last = text[offset - 1] === '\n' ? offset - 1 : offset;
  const end = text.indexOf('\n', last);
  return end === -1 ? text.length : end + 1;
}
