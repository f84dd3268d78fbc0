import { isDeepStrictEqual } from 'node:util';
import { getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { CommandError } from '../command-error.ts';
import { applyEdits } from '../files/apply-edits.ts';
import { lineStart } from '../files/places.ts';
import type { TextEdit } from '../files/text-edit.ts';
import { isMapping } from '../files/values.ts';
import {
  beginsLine,
  endOf,
  isBlank,
  lineEndAfter,
  lineIndent,
  place,
  print,
  printInline,
  tailOf,
  unitOf,
} from './json-text.ts';

/**
 * Edits of JSON that people write, comments and trailing commas included: what is not said to change stays as it is, to the
 * byte. Each function gives the edits of one change; the next change is made to the text with these applied.
 */

/** Makes the value at this path what is given, and the objects on the way where there are none. */
function setJson(text: string, path: readonly string[], value: unknown, file: string): TextEdit[] {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  if (text.trim() === '') {
    const whole = JSON.stringify(nested(path, value), null, 2).replaceAll('\n', eol);
    return [{ start: 0, end: text.length, text: `${whole}${eol}` }];
  }
  let object = parseJson(text, file);
  for (const [at, key] of path.entries()) {
    const property = propertyOf(object, key, text, file, path.slice(0, at));
    if (property === undefined) return insertion(text, object, key, nested(path.slice(at + 1), value), eol);
    const found = property.children?.[1] as Node;
    if (at < path.length - 1) object = found;
    else if (isDeepStrictEqual(getNodeValue(found), value)) return [];
    else {
      const printed = print(value, text, lineIndent(text, property.offset), beginsLine(text, property), eol);
      return [{ start: found.offset, end: endOf(found), text: printed }];
    }
  }
  throw new Error('a path names at least one property');
}

/** Takes a property out; nothing where there is none. */
export function removeJson(text: string, path: readonly string[], file: string): TextEdit[] {
  if (text.trim() === '') return [];
  let object = parseJson(text, file);
  for (const [at, key] of path.entries()) {
    const property = propertyOf(object, key, text, file, path.slice(0, at));
    if (property === undefined) return [];
    if (at === path.length - 1) return removal(text, object, property);
    object = property.children?.[1] as Node;
  }
  return [];
}

/** The value at this path; undefined where there is none. */
export function readJson(text: string, path: readonly string[], file: string): unknown {
  if (text.trim() === '') return undefined;
  let object = parseJson(text, file);
  for (const [at, key] of path.entries()) {
    const property = propertyOf(object, key, text, file, path.slice(0, at));
    if (property === undefined) return undefined;
    object = property.children?.[1] as Node;
  }
  return getNodeValue(object);
}

/**
 * Makes the object at this path have these fields, and not those of `own` that it is not to have; it is made where it is
 * missing. What else it has stays.
 */
export function mergeJson(
  text: string,
  path: readonly string[],
  wanted: Readonly<Record<string, unknown>>,
  own: readonly string[],
  file: string,
): string {
  const found = readJson(text, path, file);
  if (!isMapping(found)) {
    return applyEdits(text, setJson(text, path, wanted, file));
  }
  let after = text;
  for (const [field, value] of Object.entries(wanted)) {
    after = applyEdits(after, setJson(after, [...path, field], value, file));
  }
  for (const field of own) {
    if (!Object.hasOwn(wanted, field)) after = applyEdits(after, removeJson(after, [...path, field], file));
  }
  return after;
}

function parseJson(text: string, file: string): Node {
  const errors: ParseError[] = [];
  // A byte order mark counts as one blank, so that offsets stay.
  const root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || root === undefined) {
    throw new CommandError(
      'file.invalid_json',
      `${place(text, first?.offset ?? 0, file)}: this is not valid JSON`,
      ['Correct the file, or move it away; nothing was written.'],
    );
  }
  return root;
}

/** Of two of one name the last counts, as for whoever reads the file. */
function propertyOf(
  object: Node,
  key: string,
  text: string,
  file: string,
  path: readonly string[],
): Node | undefined {
  if (object.type !== 'object') {
    const what = path.length === 0 ? 'the file' : `"${path.join('.')}"`;
    throw new CommandError(
      'file.unexpected_json',
      `${place(text, object.offset, file)}: ${what} must be a JSON object, and is not`,
      ['Correct the file; nothing was written.'],
    );
  }
  return object.children?.findLast((property) => property.children?.[0]?.value === key);
}

function insertion(text: string, object: Node, key: string, value: unknown, eol: string): TextEdit[] {
  const last = object.children?.at(-1);
  if (last === undefined) return intoEmpty(text, object, key, value, eol);
  if (!beginsLine(text, last)) {
    const spaced = text.slice(object.offset, endOf(object)).includes('": ');
    const property = `${JSON.stringify(key)}:${spaced ? ' ' : ''}${printInline(value, spaced)}`;
    return [{ start: endOf(last), end: endOf(last), text: `,${spaced ? ' ' : ''}${property}` }];
  }
  const indent = lineIndent(text, last.offset);
  const property = `${eol}${indent}${JSON.stringify(key)}: ${print(value, text, indent, true, eol)}`;
  const tail = tailOf(text, endOf(last));
  if (tail.comma !== null)
    return [{ start: tail.lineContentEnd, end: tail.lineContentEnd, text: `${property},` }];
  if (tail.lineContentEnd === endOf(last)) {
    return [{ start: endOf(last), end: endOf(last), text: `,${property}` }];
  }
  return [
    { start: endOf(last), end: endOf(last), text: ',' },
    { start: tail.lineContentEnd, end: tail.lineContentEnd, text: property },
  ];
}

function intoEmpty(text: string, object: Node, key: string, value: unknown, eol: string): TextEdit[] {
  const start = object.offset + 1;
  const end = endOf(object) - 1;
  const holder = object.parent;
  if (holder !== undefined && !beginsLine(text, holder)) {
    return [{ start, end, text: `${JSON.stringify(key)}:${printInline(value, false)}` }];
  }
  const outer = lineIndent(text, object.offset);
  const indent = `${outer}${unitOf(text)}`;
  const property = `${indent}${JSON.stringify(key)}: ${print(value, text, indent, true, eol)}`;
  const inside = text.slice(start, end).trimEnd();
  return [{ start: start + inside.length, end, text: `${eol}${property}${eol}${outer}` }];
}

function removal(text: string, object: Node, property: Node): TextEdit[] {
  const all = object.children ?? [];
  const at = all.indexOf(property);
  const before = all[at - 1];
  const tail = tailOf(text, endOf(property));
  const edits: TextEdit[] = [];
  const lineEnd = lineEndAfter(text, tail.lineContentEnd);
  if (all.length === 1 && isBlank(text, object.offset + 1, property.offset) && tail.closed) {
    return [{ start: object.offset + 1, end: endOf(object) - 1, text: '' }];
  }
  if (before !== undefined && at === all.length - 1 && tail.comma === null) {
    const { comma: separator } = tailOf(text, endOf(before));
    if (separator !== null && (!beginsLine(text, property) || lineEnd === null)) {
      return [{ start: separator, end: endOf(property), text: '' }];
    }
    if (separator !== null) edits.push({ start: separator, end: separator + 1, text: '' });
  }
  if (beginsLine(text, property) && lineEnd !== null) {
    edits.push({ start: lineStart(text, property.offset), end: lineEnd, text: '' });
  } else {
    const next = all[at + 1];
    edits.push({
      start: property.offset,
      end: next?.offset ?? (tail.comma === null ? endOf(property) : tail.comma + 1),
      text: '',
    });
  }
  return edits;
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
