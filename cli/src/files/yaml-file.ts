import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  parseAllDocuments,
  visit,
} from 'yaml';
import { CommandError } from '../command-error.ts';

/** Keys of mappings and indexes of sequences, from the root of a document. */
export type YamlPath = readonly (string | number)[];

/** Both from 1; columns in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem extends Place {
  readonly message: string;
}

/** One file as it is, byte for byte, and what it says. */
export interface YamlFile {
  readonly path: string;
  readonly text: string;
  /** Empty documents, as a `---` at the end makes them, are among them: their `object` is null. */
  readonly documents: readonly YamlDocument[];
  /** Of an offset in the text. */
  readonly place: (offset: number) => Place;
}

export interface YamlDocument {
  readonly file: YamlFile;
  /** From 0. */
  readonly index: number;
  /** What it says, aliases and merge keys resolved. */
  readonly object: unknown;
  readonly root: ParsedNode | null;
  /** Offsets of the document in the text. */
  readonly start: number;
  readonly end: number;
  /** The node at a path, behind aliases and merge keys. */
  readonly node: (path: YamlPath) => ParsedNode | null | undefined;
  /** The key and value at a path that ends with a key. */
  readonly pair: (path: YamlPath) => Pair<ParsedNode, ParsedNode | null> | undefined;
  /** Of the value at the path; of the key or the mapping that comes nearest to it, where there is none. */
  readonly at: (path: YamlPath) => Place;
  /** Of the key that the path ends with; as `at`, where there is none. */
  readonly atKey: (path: YamlPath) => Place;
}

/** Anchors that name more than this are an attack on memory rather than a manifest. */
const maxAliasCount = 100;

/** Reads what can be read, and says with line and column what is wrong with the rest. */
export function parseYaml(
  path: string,
  text: string,
): { readonly file: YamlFile; readonly problems: readonly YamlProblem[] } {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents: YamlDocument[] = [];
  const problems: YamlProblem[] = [];
  const file: YamlFile = { path, text, documents, place };
  try {
    const parsed = parseAllDocuments<ParsedNode>(text, {
      lineCounter: lines,
      keepSourceTokens: true,
      merge: true,
      prettyErrors: false,
      stringKeys: true,
      // Compares every key with every other, which takes minutes for a large mapping: done below.
      uniqueKeys: false,
    });
    for (const [index, document] of (Array.isArray(parsed) ? parsed : []).entries()) {
      for (const { pos, message } of document.errors) problems.push({ ...place(pos[0]), message });
      for (const { offset, message } of wrongKeys(document.contents)) {
        problems.push({ ...place(offset), message });
      }
      documents.push(readDocument(file, document, index, problems));
    }
  } catch (error) {
    problems.push({ line: 1, column: 1, message: whyUnreadable(error) });
  }
  return { file, problems };
}

/** As `parseYaml`; throws where anything is wrong. */
export function readYamlFile(path: string, text: string): YamlFile {
  const { file, problems } = parseYaml(path, text);
  if (problems.length === 0) return file;
  throw new CommandError(
    'yaml.invalid',
    `${path} is not valid YAML.`,
    problems.slice(0, 10).map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`),
  );
}

/** Keys that their mapping has already, and the one that objects of JavaScript cannot have: it would be lost unseen. */
export function wrongKeys(root: Node | null): readonly { offset: number; message: string }[] {
  const wrong: { offset: number; message: string }[] = [];
  visit(root, {
    Map: (_, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key) || key.source === '<<') continue;
        const name = String(key.value);
        const offset = key.range?.[0] ?? 0;
        if (seen.has(name)) wrong.push({ offset, message: 'Map keys must be unique' });
        if (name === '__proto__') wrong.push({ offset, message: '__proto__ cannot be a key' });
        seen.add(name);
      }
    },
  });
  return wrong;
}

export function whyUnreadable(error: unknown): string {
  return error instanceof RangeError
    ? 'The document is nested too deeply to be read.'
    : error instanceof Error
      ? error.message
      : String(error);
}

function readDocument(
  file: YamlFile,
  document: Document.Parsed<ParsedNode>,
  index: number,
  problems: YamlProblem[],
): YamlDocument {
  const root = document.contents;
  let object: unknown = null;
  if (document.errors.length === 0) {
    try {
      const read = document.toJS({ maxAliasCount }) as unknown;
      if (hasLoop(read)) throw new Error('An alias stands inside of what it names.');
      object = read;
    } catch (error) {
      problems.push({ ...file.place(root?.range[0] ?? document.range[0]), message: whyUnreadable(error) });
    }
  }
  const node = (path: YamlPath) => nodeAt(document, path);
  const pair = (path: YamlPath) => pairAt(document, path);
  return {
    file,
    index,
    object,
    root,
    start: document.range[0],
    end: document.range[2],
    node,
    pair,
    at: (path) => file.place(offsetOf(document, path, true)),
    atKey: (path) => file.place(offsetOf(document, path, false)),
  };
}

function hasLoop(value: unknown, around = new Set<unknown>()): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (around.has(value)) return true;
  around.add(value);
  const found = Object.values(value).some((inner) => hasLoop(inner, around));
  around.delete(value);
  return found;
}

function nodeAt(document: Document.Parsed<ParsedNode>, path: YamlPath): ParsedNode | null | undefined {
  let node: ParsedNode | null | undefined = behindAlias(document, document.contents);
  for (const step of path) {
    node = behindAlias(document, childOf(document, node, step));
    if (node === undefined) return undefined;
  }
  return node;
}

function pairAt(
  document: Document.Parsed<ParsedNode>,
  path: YamlPath,
): Pair<ParsedNode, ParsedNode | null> | undefined {
  const key = path.at(-1);
  return typeof key === 'string' ? pairOf(document, nodeAt(document, path.slice(0, -1)), key) : undefined;
}

function offsetOf(document: Document.Parsed<ParsedNode>, path: YamlPath, ofValue: boolean): number {
  for (let length = path.length; length > 0; length--) {
    const reached = path.slice(0, length);
    const found = nodeAt(document, reached);
    if (found === undefined) continue;
    const key = pairAt(document, reached)?.key.range[0];
    const empty = found === null || found.range[0] === found.range[1];
    const wantsValue = ofValue && length === path.length && !empty;
    return wantsValue || key === undefined ? (found?.range[0] ?? document.range[0]) : key;
  }
  return document.contents?.range[0] ?? document.range[0];
}

function behindAlias(
  document: Document.Parsed<ParsedNode>,
  node: ParsedNode | null | undefined,
): ParsedNode | null | undefined {
  return isAlias(node) ? (node.resolve(document) as ParsedNode | undefined) : node;
}

function childOf(
  document: Document.Parsed<ParsedNode>,
  node: ParsedNode | null | undefined,
  step: string | number,
): ParsedNode | null | undefined {
  if (isSeq(node)) return node.items[Number(step)] as ParsedNode | undefined;
  const pair = pairOf(document, node, String(step));
  return pair === undefined ? undefined : pair.value;
}

function pairOf(
  document: Document.Parsed<ParsedNode>,
  node: Node | null | undefined,
  key: string,
): Pair<ParsedNode, ParsedNode | null> | undefined {
  if (!isMap<ParsedNode, ParsedNode | null>(node)) return undefined;
  const own = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own !== undefined) return own;
  for (const merged of node.items.filter((pair) => isScalar(pair.key) && pair.key.source === '<<')) {
    const value = behindAlias(document, merged.value);
    const sources = isSeq<ParsedNode>(value) ? value.items : [value];
    for (const source of sources) {
      const found = pairOf(document, behindAlias(document, source), key);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
