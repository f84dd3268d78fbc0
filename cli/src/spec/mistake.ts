import type { z } from 'zod';
import { valueAt } from '../files/values.ts';
import { nearest } from './nearest.ts';
import { keysOf, schemaAt } from './schema-at.ts';

/** What is wrong at a path of a document. */
export interface Mistake {
  readonly path: readonly PropertyKey[];
  /** Without its subject, which is the path: `must be 1 to 65535`. */
  readonly message: string;
  /** Of the name before the colon rather than of the value behind it. */
  readonly ofKey?: boolean;
}

/** What a schema has against a value, in words for who wrote it. */
export function mistakesOf(schema: z.ZodType, value: unknown): readonly Mistake[] {
  const read = schema.safeParse(value);
  return read.success ? [] : read.error.issues.flatMap((issue) => mistakesOfIssue(issue, schema, value, []));
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

function mistakesOfIssue(issue: Issue, schema: z.ZodType, value: unknown, base: Path): readonly Mistake[] {
  const path = [...base, ...issue.path];
  const found = valueAt(value, path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemaAt(schema, path));
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known), ofKey: true }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0 && found !== undefined) {
    return ofUnion(issue.errors, schema, value, path);
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: issue.issues.map(({ message }) => message).join('; '), ofKey: true }];
  }
  return [{ path, message: found === undefined ? 'is missing' : inWords(issue, found) }];
}

/** Of a value with several forms: what is wrong with the form that was meant, where that can be told. */
function ofUnion(forms: readonly (readonly Issue[])[], schema: z.ZodType, value: unknown, path: Path) {
  const meant = forms.filter(
    (issues) => !issues.some(({ code, path: at }) => at.length === 0 && code.startsWith('invalid_')),
  );
  const chosen = meant.length > 0 ? meant.slice(0, 1) : forms;
  const mistakes = chosen.flatMap((issues) =>
    issues.flatMap((issue) => mistakesOfIssue(issue, schema, value, path)),
  );
  if (meant.length > 0) return mistakes;
  return [{ path, message: [...new Set(mistakes.map(({ message }) => message))].join(', or ') }];
}

type Words = { [C in Issue['code']]?: (issue: Extract<Issue, { code: C }>, found: unknown) => string };

const words: Words = {
  invalid_type: ({ expected }, found) => {
    const unquoted = expected === 'string' && ['number', 'boolean'].includes(typeof found);
    const advice = unquoted ? `: write "${found}" in quotes` : '';
    return `must be ${typeNames[expected] ?? expected}, not ${typeOf(found)}${advice}`;
  },
  invalid_value: ({ values }, found) => {
    const known = values.map((value) => String(value));
    const near = typeof found === 'string' ? nearest(found, known) : undefined;
    const advice = near === undefined ? '' : `: did you mean ${near}?`;
    return `must be ${known.length > 1 ? 'one of ' : ''}${known.join(', ')}${advice}`;
  },
  too_small: ({ origin, minimum, message }) => bound(origin, `at least ${minimum}`, message),
  too_big: ({ origin, maximum, message }) => bound(origin, `at most ${maximum}`, message),
  invalid_format: ({ format, pattern, message }) => {
    if (format === 'url') return 'must be a URL';
    return message.startsWith('Invalid ') ? `must match ${pattern ?? format}` : message;
  },
};

/** Our own messages say more than zod's of the same bound. */
function bound(origin: string, much: string, message: string): string {
  if (origin === 'string') return `must have ${much} characters`;
  if (origin === 'array') return `must have ${much} entries`;
  return message.startsWith('Too ') ? `must be ${much}` : message;
}

function inWords(issue: Issue, found: unknown): string {
  const say = words[issue.code] as ((issue: Issue, found: unknown) => string) | undefined;
  return say?.(issue, found) ?? issue.message;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function typeOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return (
    { string: 'a string', number: 'a number', boolean: 'true or false' }[typeof value as string] ??
    typeof value
  );
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `is not known: did you mean ${near}?`;
  return known.length === 0 ? 'is not known' : `is not known: there are ${known.join(', ')}`;
}
