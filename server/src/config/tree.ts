import type { Document, ErrorCode, Node, Pair, YAMLError, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { ConfigMistake, Path } from './mistakes.ts';
import { formatPath } from './mistakes.ts';

interface At {
  readonly line: number;
  readonly column: number;
}

/** A value of the config file that knows where it stands. Aliases are already followed. */
export type Tree =
  | { readonly kind: 'scalar'; readonly at: At; readonly value: unknown }
  | { readonly kind: 'list'; readonly at: At; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly at: At; readonly entries: ReadonlyMap<string, Entry> };

interface Entry {
  readonly keyAt: At;
  readonly tree: Tree;
}

const maxDepth = 64;
const maxNodes = 100_000;

/**
 * Parses YAML 1.2. Where the text is broken as YAML, `tree` is null: guesses at its meaning would only bury the
 * mistake that matters.
 */
export function parseTree(
  text: string,
  file: string,
): { readonly tree: Tree | null; readonly mistakes: readonly ConfigMistake[] } {
  const lines = new LineCounter();
  const whole = { file, line: 1, column: 1, path: '' };
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  } catch {
    return {
      tree: null,
      mistakes: [{ ...whole, message: 'is not YAML that can be read (nested too deep?)' }],
    };
  }
  const problems = [...document.errors, ...document.warnings];
  const mistakes: ConfigMistake[] = problems.map((problem) => ({
    file,
    ...placeOf(lines, problem.pos[0]),
    path: '',
    message: syntaxMessage(problem),
  }));
  if (problems.some(({ code }) => code !== 'DUPLICATE_KEY')) return { tree: null, mistakes };
  const builder = createBuilder(document, lines, (at, path, message) =>
    mistakes.push({ file, ...at, path: formatPath(path), message }),
  );
  return { tree: builder(document.contents, { line: 1, column: 1 }, [], 0), mistakes };
}

/** The place of `path`, or of the nearest thing around it that exists. */
export function locate(tree: Tree, path: Path): At {
  let here = tree;
  for (const key of path) {
    const next: Tree | undefined =
      here.kind === 'list'
        ? here.items[key as number]
        : here.kind === 'map'
          ? here.entries.get(String(key))?.tree
          : undefined;
    if (next === undefined) return keyPlace(here, key) ?? here.at;
    here = next;
  }
  return here.at;
}

/** The place of the key itself, for messages about the key. */
export function locateKey(tree: Tree, path: Path): At {
  const parent = path.slice(0, -1);
  let here: Tree | undefined = tree;
  for (const key of parent) {
    if (here?.kind === 'list') here = here.items[key as number];
    else if (here?.kind === 'map') here = here.entries.get(String(key))?.tree;
  }
  return (here === undefined ? null : keyPlace(here, path.at(-1) ?? '')) ?? locate(tree, path);
}

function keyPlace(tree: Tree, key: PropertyKey): At | null {
  return tree.kind === 'map' ? (tree.entries.get(String(key))?.keyAt ?? null) : null;
}

function placeOf(lines: LineCounter, offset: number): At {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

type Build = (node: Node | null | undefined, fallback: At, path: Path, depth: number) => Tree;

function createBuilder(
  document: Document.Parsed,
  lines: LineCounter,
  report: (at: At, path: Path, message: string) => void,
): Build {
  let nodes = 0;
  // Once true nothing more is built: the config is refused in any case.
  let tooMuch = false;
  const atOf = (node: Node | null | undefined, fallback: At) =>
    node?.range ? placeOf(lines, node.range[0]) : fallback;

  const keyOf = (pair: Pair<unknown, unknown>, fallback: At, path: Path) => {
    const node = pair.key as Node | null;
    const at = atOf(node, fallback);
    const key = isScalar(node) && node.value !== null ? (node.source ?? String(node.value)) : null;
    // Assigning it to an object would change the object's prototype.
    if (key === null || key === '__proto__') {
      report(at, path, 'expected a key that is plain text');
      return null;
    }
    return { at, key };
  };

  const buildMap = (node: YAMLMap, at: At, path: Path, depth: number): Tree => {
    const entries = new Map<string, Entry>();
    for (const pair of node.items) {
      const named = tooMuch ? null : keyOf(pair, at, path);
      if (named === null) continue;
      const tree = build(pair.value as Node | null, named.at, [...path, named.key], depth + 1);
      entries.set(named.key, { keyAt: named.at, tree });
    }
    return { kind: 'map', at, entries };
  };

  const buildList = (node: YAMLSeq<Node>, at: At, path: Path, depth: number): Tree => {
    const items: Tree[] = [];
    for (const [index, item] of node.items.entries()) {
      if (!tooMuch) items.push(build(item, at, [...path, index], depth + 1));
    }
    return { kind: 'list', at, items };
  };

  const build: Build = (node, fallback, path, depth) => {
    const at = atOf(node, fallback);
    if (!tooMuch && (++nodes > maxNodes || depth > maxDepth)) {
      tooMuch = true;
      report(at, path, `expected at most ${maxDepth} levels and ${maxNodes} values, aliases counted`);
    }
    if (tooMuch) return { kind: 'scalar', at, value: null };
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) report(at, path, syntaxMessages.BAD_ALIAS as string);
      return build(target, at, path, depth + 1);
    }
    if (isMap(node)) return buildMap(node, at, path, depth);
    if (isSeq<Node>(node)) return buildList(node, at, path, depth);
    return { kind: 'scalar', at, value: isScalar(node) ? node.value : null };
  };
  return build;
}

/** Our own words: the parser's messages may quote the text, and the text may be a secret. */
function syntaxMessage({ code }: YAMLError): string {
  return syntaxMessages[code] ?? 'is not valid YAML here';
}

const syntaxMessages: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'unknown alias; a text that begins with * must be in quotes',
  BAD_COLLECTION_TYPE: 'unknown tag; a text that begins with ! must be in quotes',
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; use single quotes or double the backslash',
  BAD_INDENT: 'wrong indentation, or a bracket before here is not closed',
  BAD_SCALAR_START: 'a text cannot begin with this character unless it is in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested block cannot begin here; a text with ": " must be in quotes',
  DUPLICATE_KEY: 'this key is already there in the same block',
  KEY_OVER_1024_CHARS: 'the key is too long, or a colon is missing',
  MISSING_CHAR: 'a character is missing here: a closing quote or bracket, a comma, or a colon',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; a colon is missing or the indentation is wrong',
  MULTIPLE_DOCS: 'expected one document; remove "---" and what follows',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'unknown tag; a text that begins with ! must be in quotes',
  UNEXPECTED_TOKEN: 'unexpected text; check indentation, quotes and brackets',
};
