import { JSONPathEnvironment, type JSONPathQuery } from 'json-p3';
import { err, ok, type Result } from '#foundation';

/** Reads something out of an answer; `undefined`: it is not there. */
export type Reader = (document: unknown) => unknown;

const environment = new JSONPathEnvironment();
environment.functionRegister.clear();

/**
 * `$.data.id`, `join('$.scopes', ' ')`, `jwt_decode('$.id_token', '$.sub')`; the first argument of the two may be one of them again.
 * The error says what is wrong with the text.
 */
export function readerOf(text: string): Result<Reader, string> {
  const parser = { text, at: 0, depth: 0 };
  try {
    const reader = parseExpression(parser);
    skipSpace(parser);
    if (parser.at < text.length) throw new Unreadable(`goes on after its end, at character ${parser.at + 1}`);
    return ok(reader);
  } catch (thrown) {
    if (thrown instanceof Unreadable) return err(thrown.message);
    throw thrown;
  }
}

/** What is wrong with an expression; `null`: nothing. */
export function checkExpression(text: string): string | null {
  const reader = readerOf(text);
  return reader.ok ? null : reader.error;
}

class Unreadable extends Error {}

interface Parser {
  readonly text: string;
  at: number;
  depth: number;
}

const maxDepth = 4;
const functions: Readonly<Record<string, (of: Reader, argument: string) => Reader>> = {
  join: (of, separator) => (document) => joined(of(document), separator),
  jwt_decode: (of, argument) => {
    const claim = pathReader(argument);
    return (document) => {
      const claims = claimsOf(of(document));
      return claims === null ? undefined : claim(claims);
    };
  },
};

function parseExpression(parser: Parser): Reader {
  skipSpace(parser);
  const rest = parser.text.slice(parser.at);
  if (rest.startsWith('$')) {
    if (parser.depth > 0) throw new Unreadable('needs quotes around a path that is an argument');
    parser.at = parser.text.length;
    return pathReader(rest.trim());
  }
  const name = /^[a-z_]+(?=\()/.exec(rest)?.[0] ?? '';
  const make = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (make === undefined) {
    throw new Unreadable("must be a JSONPath that begins with $, join('…', '…') or jwt_decode('…', '…')");
  }
  if (parser.depth === maxDepth) throw new Unreadable('is nested too deep');
  parser.at += name.length + 1;
  parser.depth++;
  const of = parseArgument(parser);
  expect(parser, ',');
  const argument = parseString(parser);
  expect(parser, ')');
  parser.depth--;
  return make(of, argument);
}

function parseArgument(parser: Parser): Reader {
  skipSpace(parser);
  const isText = /['"]/.test(parser.text[parser.at] ?? '');
  return isText ? pathReader(parseString(parser)) : parseExpression(parser);
}

function parseString(parser: Parser): string {
  skipSpace(parser);
  const quoted = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/.exec(parser.text.slice(parser.at));
  if (quoted === null) throw new Unreadable(`needs a text in quotes at character ${parser.at + 1}`);
  parser.at += quoted[0].length;
  return (quoted[1] ?? quoted[2] ?? '').replace(/\\(['"\\])/g, '$1');
}

function expect(parser: Parser, character: string): void {
  skipSpace(parser);
  if (parser.text[parser.at] !== character) {
    throw new Unreadable(`needs ${character} at character ${parser.at + 1}`);
  }
  parser.at++;
}

function skipSpace(parser: Parser): void {
  while (parser.text[parser.at] === ' ') parser.at++;
}

/** What takes more than one walk through an answer is not taken: whoever registers a provider must not be able to stop the server. */
function pathReader(path: string): Reader {
  const bare = path.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''");
  if (!bare.startsWith('$')) throw new Unreadable('needs a JSONPath that begins with $');
  if (bare.includes(',')) throw new Unreadable('takes no lists of selectors in a JSONPath');
  if (bare.includes('..')) throw new Unreadable('takes no ".." in a JSONPath');
  if ((bare.match(/[?$]/g) ?? []).length > 2) {
    throw new Unreadable('takes one filter in a JSONPath, and "$" only at its beginning');
  }
  const query = compiled(path);
  return (document) => valueAt(query, document);
}

function compiled(path: string): JSONPathQuery {
  try {
    return environment.compile(path);
  } catch {
    throw new Unreadable('is not a JSONPath (RFC 9535)');
  }
}

function valueAt(query: JSONPathQuery, document: unknown): unknown {
  try {
    const values = query.query(document as never).values();
    return values.length <= 1 ? values[0] : values;
  } catch {
    return undefined;
  }
}

function joined(value: unknown, separator: string): unknown {
  if (!Array.isArray(value)) return value;
  return value.filter((one) => typeof one === 'string' || typeof one === 'number').join(separator);
}

/** What a token says of itself, taken from who gave it over TLS: its signature is not looked at. */
export function claimsOf(token: unknown): object | null {
  if (typeof token !== 'string') return null;
  const payload = token.split('.')[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' ? claims : null;
  } catch {
    return null;
  }
}
