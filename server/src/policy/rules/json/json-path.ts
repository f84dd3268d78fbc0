import { err, ok, type Result } from '#foundation';

/** A name, an index (from the end where it is negative), or everything. */
export type PathSelector = string | number | typeof everything;
export const everything = Symbol('everything');

export interface PathSegment {
  /** Whether it selects at any depth (`..`). */
  readonly descendant: boolean;
  readonly selectors: readonly PathSelector[];
}

/** A JSONPath of RFC 9535 without filters and slices. */
export interface JsonPath {
  readonly segments: readonly PathSegment[];
}

/** What is wrong with what an administrator wrote, and from which character on. */
export interface SyntaxProblem {
  readonly at: number;
  readonly message: string;
}

export const maxSegments = 28;

export function parseJsonPath(text: string): Result<JsonPath, SyntaxProblem> {
  const source: Source = { text, at: 0 };
  try {
    if (text[0] !== '$')
      refuse(source, 'a path begins with $: $.name at the top, $..name wherever it stands');
    source.at = 1;
    const segments: PathSegment[] = [];
    while (source.at < text.length) {
      if (segments.length === maxSegments) refuse(source, `a path has at most ${maxSegments} segments`);
      segments.push(segment(source));
    }
    return ok({ segments });
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    return err(problem as SyntaxProblem);
  }
}

interface Source {
  readonly text: string;
  at: number;
}

function refuse({ at }: Source, message: string): never {
  throw { at, message } satisfies SyntaxProblem;
}

function segment(source: Source): PathSegment {
  const { text, at } = source;
  if (text[at] === '[') return { descendant: false, selectors: bracketed(source) };
  if (text[at] !== '.') refuse(source, 'expected . or [');
  const descendant = text[at + 1] === '.';
  source.at += descendant ? 2 : 1;
  if (text[source.at] === '[') {
    if (!descendant) refuse(source, 'expected a name or *; brackets need no dot before them');
    return { descendant, selectors: bracketed(source) };
  }
  if (text[source.at] === '*') {
    source.at++;
    return { descendant, selectors: [everything] };
  }
  const name = /^[A-Za-z_\u0080-\uffff][0-9A-Za-z_\u0080-\uffff]*/.exec(text.slice(source.at))?.[0];
  if (name === undefined)
    refuse(source, "expected a name or *; a name of other characters is written ['so-so']");
  source.at += name.length;
  return { descendant, selectors: [name] };
}

function bracketed(source: Source): PathSelector[] {
  const selectors: PathSelector[] = [];
  do {
    source.at++;
    skipSpace(source);
    selectors.push(selector(source));
    skipSpace(source);
  } while (source.text[source.at] === ',');
  const { text, at } = source;
  if (text[at] === ':') refuse(source, 'slices are not supported');
  if (text[at] !== ']') refuse(source, at < text.length ? 'expected , or ]' : 'the bracket is not closed');
  source.at++;
  return selectors;
}

function selector(source: Source): PathSelector {
  const { text, at } = source;
  const first = text[at];
  if (first === '*') {
    source.at++;
    return everything;
  }
  if (first === "'" || first === '"') return quoted(source, first);
  if (first === '?') refuse(source, 'filters are not supported; use a condition');
  if (first === ':') refuse(source, 'slices are not supported');
  const index = /^(?:0|-?[1-9][0-9]{0,14})(?![0-9])/.exec(text.slice(at, at + 20))?.[0];
  if (index === undefined) refuse(source, 'expected a name in quotes, an index or *');
  source.at += index.length;
  return Number(index);
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '/': '/',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function quoted(source: Source, quote: string): string {
  const { text } = source;
  let name = '';
  source.at++;
  while (text[source.at] !== quote) {
    const char = text[source.at];
    if (char === undefined) refuse(source, `the name is not closed with ${quote}`);
    if (char < ' ') refuse(source, 'a name in quotes has no control characters; escape them');
    if (char === '\\') name += escaped(source);
    else {
      name += char;
      source.at++;
    }
  }
  source.at++;
  return name;
}

function escaped(source: Source): string {
  const { text, at } = source;
  const code = /^u([0-9A-Fa-f]{4})/.exec(text.slice(at + 1, at + 6))?.[1];
  if (code !== undefined) {
    source.at += 6;
    return String.fromCharCode(Number.parseInt(code, 16));
  }
  const meant = escapes[text[at + 1] ?? ''];
  if (meant === undefined) refuse(source, 'this is no escape that a name in quotes knows');
  source.at += 2;
  return meant;
}

function skipSpace(source: Source): void {
  while (/[ \t\r\n]/.test(source.text[source.at] ?? '')) source.at++;
}
