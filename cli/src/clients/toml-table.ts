import { parse } from 'smol-toml';
import { CommandError } from '../command-error.ts';
import { isMapping, type Mapping } from '../files/values.ts';
import type { EntryChange, Syntax } from './edit-entry.ts';

/** Of a TOML file, the table `[<under>.<name>]`. */
export const toml: Syntax = { read: parsedToml, splice: spliced };

/** As plain objects, dates as texts. */
function parsedToml(text: string, file: string): Mapping {
  try {
    return JSON.parse(JSON.stringify(parse(text.replace(/^\uFEFF/, ''))));
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

function spliced(text: string, { under, name, wanted, own }: EntryChange): string {
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
function fieldLines(wanted: Mapping, eol: string): string[] {
  return Object.entries(wanted).map(([field, value]) => `${field} = ${printed(value)}${eol}`);
}

function printed(value: unknown): string {
  if (!isMapping(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([field, inner]) => `${JSON.stringify(field)} = ${printed(inner)}`,
  );
  return `{ ${fields.join(', ')} }`;
}
