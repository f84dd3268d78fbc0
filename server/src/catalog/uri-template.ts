import { RE2JS } from 're2js';

/** A template of URIs (RFC 6570, all four levels), read backwards. */
export interface UriTemplate {
  /** What every URI of it begins with: its scheme at least. */
  readonly start: string;
  /** Whether an expansion of the template can be this URI. Linear in its length. */
  makes(uri: string): boolean;
}

const maxTemplateLength = 2048;
/** In all expressions together: what it costs to try a template grows faster than they do. */
const maxVariables = 32;
/** Longer URIs are never taken for an expansion, so that none can hold up everybody else. */
const maxUriLength = 2048;

const known = new WeakMap<object, UriTemplate | null>();

/**
 * `null` for what is no template, or one whose scheme is a variable: that could be anybody's URI. Remembered as long as
 * the entry that holds it, as views come and go.
 */
export function uriTemplateOf(entry: object, text: string): UriTemplate | null {
  let template = known.get(entry);
  if (template === undefined) {
    template = compileUriTemplate(text);
    known.set(entry, template);
  }
  return template;
}

export function compileUriTemplate(text: string): UriTemplate | null {
  const parts = text.length > maxTemplateLength ? null : partsOf(text);
  const start = /^[\x21-\x7a]*/.exec(text)?.[0] ?? '';
  if (parts === null || !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(start)) return null;
  let compiled: RE2JS | null = null;
  return {
    start,
    makes(uri) {
      if (uri.length > maxUriLength || !uri.startsWith(start)) return false;
      compiled ??= RE2JS.compile(parts.join(''), RE2JS.DOTALL);
      return compiled.matches(uri);
    },
  };
}

/** The regular expressions of the template's parts; `null` where one is not to be understood. */
function partsOf(text: string): string[] | null {
  const pieces = text.split(/(\{[^{}]*\})/);
  if (pieces.length > 2 * maxVariables + 1) return null;
  const parts: string[] = [];
  let left = maxVariables;
  for (const [at, piece] of pieces.entries()) {
    if (at % 2 === 1) left -= piece.split(',').length;
    const part = at % 2 === 0 ? literalPart(piece) : expressionPart(piece.slice(1, -1));
    if (part === null || left < 0) return null;
    parts.push(part);
  }
  return parts;
}

function literalPart(literal: string): string | null {
  if (/[{}]/.test(literal) || !literal.isWellFormed()) return null;
  // An expansion writes what no URI may hold as %XX; many servers leave it as it is.
  const written = literal.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  return written === literal ? RE2JS.quote(literal) : `(?:${RE2JS.quote(literal)}|${RE2JS.quote(written)})`;
}

interface Variable {
  readonly name: string;
  readonly explode: boolean;
}

function expressionPart(expression: string): string | null {
  const [, operator = '', list = ''] = /^([+#./;?&]?)(.*)$/s.exec(expression) ?? [];
  const variables: Variable[] = [];
  for (const spec of list.split(',')) {
    const found =
      /^((?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*)(\*|:[1-9]\d{0,3})?$/.exec(
        spec,
      );
    if (found === null) return null;
    variables.push({ name: found[1] as string, explode: found[2] === '*' });
  }
  return expansions[operator]?.(variables) ?? null;
}

/**
 * What an expression can become; nothing, where its variables are undefined. Values are taken as clients write them, which
 * is not always as the RFC encodes them: all that matters is where a value must end.
 */
const expansions: Readonly<Record<string, (variables: readonly Variable[]) => string>> = {
  '': () => '[^/?#]*',
  '+': () => '.*',
  '#': () => '(?:#.*)?',
  '.': () => '(?:\\.[^/?#]*)?',
  '/': (variables) =>
    variables.some(({ explode }) => explode) ? '(?:/[^?#]*)?' : `(?:/[^/?#]*){0,${variables.length}}`,
  ';': () => '(?:;[^/?#]*)?',
  '?': (variables) => `(?:\\?${pair(variables)}(?:&${pair(variables)})*)?`,
  '&': (variables) => `(?:&${pair(variables)})*`,
};

/** One pair of a query. */
function pair(variables: readonly Variable[]): string {
  if (variables.some(({ explode }) => explode)) return '[^&#]*';
  return `(?:${variables.map(({ name }) => RE2JS.quote(name)).join('|')})(?:=[^&#]*)?`;
}
