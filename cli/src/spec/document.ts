import {
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  Scalar,
} from 'yaml';
import type { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { whyUnreadable, wrongKeys } from '../files/yaml-file.ts';
import { type Mistake, mistakesOf } from './mistake.ts';
import { unlikeJson } from './unlike-json.ts';

/** Who sees fifty mends those first. */
const mostTold = 50;

/** A YAML file with one value of a schema, and where each part of it stands. */
export interface SpecDocument<T> {
  readonly value: T;
  /** Refuses the document: every mistake with its place. */
  refuse(mistakes: readonly Mistake[]): never;
}

/**
 * Reads a file that people write. All its mistakes are told at once, each as `file:line:column: path: what`.
 * `further` adds what the schema cannot say; it sees the fields that are right by themselves. An empty file is one of the
 * mistakes, unless `mayBeEmpty`.
 */
export function readDocument<S extends z.ZodObject>(
  schema: S,
  file: string,
  text: string,
  further: (value: Partial<z.output<S>>) => readonly Mistake[],
  { mayBeEmpty = false } = {},
): SpecDocument<z.output<S>> {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const refuse = (details: readonly string[]): never => {
    const count = details.length === 1 ? 'a mistake' : `${details.length} mistakes`;
    throw new CommandError('spec.invalid', `${file} has ${count}`, details.slice(0, mostTold));
  };
  // Keys are compared below: the parser compares every key with every other.
  const documents = [
    ...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false }),
  ];
  const errors = documents.flatMap(({ errors: found, contents }) => [
    ...found.map(({ pos, message }) => ({
      offset: pos[0],
      message: /call stack/.test(message) ? 'is nested too deeply to be read' : message,
    })),
    ...wrongKeys(contents),
  ]);
  if (errors.length > 0) refuse(errors.map(({ offset, message }) => `${at(offset)}: ${message}`));
  const [document, second] = documents;
  const isEmpty = document === undefined || document.contents === null;
  if (isEmpty && !mayBeEmpty) refuse([`${at(0)}: is empty`]);
  if (second !== undefined) refuse([`${at(second.range[0])}: there must be one document, not several`]);
  const contents = document?.contents ?? new Scalar(null);
  const tell = (mistakes: readonly Mistake[]): never => {
    const placed = mistakes.map((mistake) => ({ mistake, offset: offsetOf(contents, mistake) }));
    placed.sort((a, b) => a.offset - b.offset);
    const told = placed.map(({ mistake: { path, message }, offset }) => {
      const subject = pathText(path);
      return `${at(offset)}: ${subject === '' ? '' : `${subject} `}${message}`;
    });
    return refuse([...new Set(told)]);
  };
  const raw = isEmpty ? {} : plainValue(document, () => at(0), refuse);
  const unlike = unlikeJson(raw);
  const others = [...mistakesOf(schema, raw), ...further(rightFields(schema, raw))];
  const known = new Set(unlike.map(({ path }) => pathText(path)));
  const mistakes = [...unlike, ...others.filter(({ path }) => !known.has(pathText(path)))];
  if (mistakes.length > 0) tell(mistakes);
  return { value: schema.parse(raw), refuse: tell };
}

function plainValue(
  document: { toJS: (options: { maxAliasCount: number }) => unknown },
  at: () => string,
  refuse: (details: readonly string[]) => never,
): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return refuse([`${at()}: ${whyUnreadable(error)}`]);
  }
}

function rightFields<S extends z.ZodObject>(schema: S, raw: unknown): Partial<z.output<S>> {
  if (typeof raw !== 'object' || raw === null) return {};
  const right: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    const read = (field as z.ZodType).safeParse((raw as Record<string, unknown>)[name]);
    if (read.success) right[name] = read.data;
  }
  return right as Partial<z.output<S>>;
}

/** Of the value, or of the nearest that is there around it. */
function offsetOf(contents: Node, { path, ofKey }: Mistake): number {
  let node: Node = contents;
  let offset = contents.range?.[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    const found = stepInto(node, step);
    if (found === undefined) return offset;
    if (found.value === undefined) return found.keyOffset;
    node = found.value;
    offset = last && ofKey === true ? found.keyOffset : (node.range?.[0] ?? found.keyOffset);
    if (!last && !isNode(node)) return offset;
    if (!last && isMap(node)) offset = found.keyOffset;
  }
  return offset;
}

function stepInto(node: Node, step: PropertyKey): { keyOffset: number; value: Node | undefined } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return isNode(item) ? { keyOffset: item.range?.[0] ?? 0, value: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (!isPair(pair) || !isNode(pair.key)) return undefined;
  return { keyOffset: pair.key.range?.[0] ?? 0, value: isNode(pair.value) ? pair.value : undefined };
}

/** `secrets[0].env.API_KEY` */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[A-Za-z0-9_-]+$/.test(String(step))) return `[${JSON.stringify(String(step))}]`;
      return at === 0 ? String(step) : `.${String(step)}`;
    })
    .join('');
}
