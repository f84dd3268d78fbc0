import { Fault } from '#foundation';
import type { Document } from '../contract.ts';
import { maxEmbedded } from '../prefilter.ts';
import { applied, type Edit, inString, noEdits } from './edits.ts';
import { asBase64, base64Text, isJsonText } from './embedded-text.ts';
import { arrayLengths, scanJson } from './json-scanner.ts';
import type { PathSet, PathStates } from './path-states.ts';
import { isProtocolName, isProtocolValue } from './protocol-words.ts';

/** The way to a place in a document: names, indexes, and where a string is itself a text to look into. */
export type Trail = readonly (string | number | typeof embedded)[];
export const embedded = Symbol('embedded');

/** A name, a string or a number, wherever it stands. */
export interface Leaf {
  readonly kind: 'key' | 'string' | 'number';
  /** What it says; a number as it is written. */
  readonly text: string;
  /** Of the member whose value it is. */
  readonly name: string;
  readonly states: PathStates;
  readonly trail: () => Trail;
  /** What was changed in what it holds, where it is a text to look into. */
  readonly inner: readonly Edit[];
  /** What the visitor's `mark` gave before it looked there. */
  readonly mark: readonly number[] | null;
}

/** Sees everything in a document, what lies in strings first, and says what is to be changed. */
export interface Visitor {
  /** A value that a path selects: what stands in its place, or `null`. */
  selected(states: PathStates, trail: () => Trail): string | null;
  /** Edits of what the leaf says, in order and apart; for a number, one of the whole. */
  leaf(leaf: Leaf): readonly Edit[];
  mark(): readonly number[];
}

/** A text, and where it was found. */
interface Around {
  readonly depth: number;
  /** Names on the way to each; `null` for a text that is no document: paths begin at the whole. */
  readonly roots: readonly (readonly string[])[] | null;
  readonly states: PathStates;
  readonly trail: () => Trail;
}

/** A container that the walk is in. */
interface Frame {
  readonly isArray: boolean;
  readonly length: number;
  readonly states: PathStates;
  /** Whether what is in it belongs to the protocol. */
  readonly ofProtocol: boolean;
  /** Something else stands in its place, from `start` on. */
  readonly replacement: string | null;
  readonly start: number;
  index: number;
  name: string;
}

/** The walk through one text. */
interface Level {
  readonly json: string;
  readonly around: Around;
  readonly paths: PathSet;
  readonly visitor: Visitor;
  readonly frames: Frame[];
  readonly edits: Edit[];
  readonly trail: () => Trail;
  /** How long each array is, where a path asks, and how many have begun. */
  readonly lengths: readonly number[];
  arrays: number;
  /** Containers around that are replaced as a whole: within them there is nothing more to change. */
  replaced: number;
}

/** Walks a document; throws where it is nested too deeply. Every character that no edit touches stays as it was written. */
export function walk({ json, roots }: Document, paths: PathSet, visitor: Visitor): readonly Edit[] {
  const states = roots === null ? paths.begin(paths.nowhere) : paths.nowhere;
  const ways = roots?.map((root) => root.split('.')) ?? null;
  return walkJson(json, { depth: 0, roots: ways, states, trail: () => [] }, paths, visitor);
}

function walkJson(json: string, around: Around, paths: PathSet, visitor: Visitor): readonly Edit[] {
  const frames: Frame[] = [];
  const level: Level = {
    json,
    around,
    paths,
    visitor,
    frames,
    edits: [],
    trail: () => [...around.trail(), ...frames.map(({ isArray, index, name }) => (isArray ? index : name))],
    lengths: paths.countsBack ? arrayLengths(json) : [],
    arrays: 0,
    replaced: 0,
  };
  scanJson(json, {
    key: (start, end) => key(level, start, end),
    scalar: (start, end) => scalar(level, start, end),
    open: (start, isArray) => open(level, start, isArray),
    close: (end) => close(level, end),
  });
  return level.edits;
}

function key(level: Level, start: number, end: number): void {
  const { frames, visitor, trail, edits } = level;
  const frame = frames.at(-1) as Frame;
  const written = level.json.slice(start, end);
  const text = decoded(written);
  frame.name = text;
  if (level.replaced > 0 || (frame.ofProtocol && isProtocolName(text))) return;
  const { states } = frame;
  const changes = visitor.leaf({ kind: 'key', text, name: '', states, trail, inner: noEdits, mark: null });
  if (changes.length > 0) addEdits(edits, inString(written, start, changes));
}

/** They may be more than a function takes arguments. */
function addEdits(edits: Edit[], more: readonly Edit[]): void {
  for (const edit of more) edits.push(edit);
}

function scalar(level: Level, start: number, end: number): void {
  const { frames, visitor, trail, edits, paths } = level;
  const frame = frames.at(-1);
  const states = statesOfNext(level, frame);
  if (level.replaced > 0) return;
  const replacement = states === paths.nowhere ? null : visitor.selected(states, trail);
  if (replacement !== null) {
    edits.push({ start, end, text: JSON.stringify(replacement) });
    return;
  }
  const written = level.json.slice(start, end);
  const name = frame === undefined || frame.isArray ? '' : frame.name;
  if (written[0] === '"') {
    const text = decoded(written);
    if (frame?.ofProtocol && isProtocolValue(name, text)) return;
    const at = { depth: level.around.depth, roots: null, states, trail };
    const changes = walkString(text, name, at, paths, visitor);
    if (changes.length > 0) addEdits(edits, inString(written, start, changes));
  } else if (!/^[tfn]/.test(written)) {
    const leaf = { kind: 'number', text: written, name, states, trail, inner: noEdits, mark: null } as const;
    const [edit] = visitor.leaf(leaf);
    if (edit !== undefined) edits.push({ start, end, text: JSON.stringify(edit.text) });
  }
}

function open(level: Level, start: number, isArray: boolean): void {
  const { frames, visitor, trail, paths } = level;
  const frame = frames.at(-1);
  const states = statesOfNext(level, frame);
  const isNothing = level.replaced > 0 || states === paths.nowhere;
  const replacement = isNothing ? null : visitor.selected(states, trail);
  if (replacement !== null) level.replaced++;
  const length = isArray ? (level.lengths[level.arrays++] ?? 0) : 0;
  const ofProtocol = isOfProtocol(level, frame);
  frames.push({ isArray, length, states, ofProtocol, replacement, start, index: -1, name: '' });
}

function close(level: Level, end: number): void {
  const { replacement, start } = level.frames.pop() as Frame;
  if (replacement === null) return;
  level.replaced--;
  level.edits.push({ start, end, text: JSON.stringify(replacement) });
}

function statesOfNext(level: Level, frame: Frame | undefined): PathStates {
  const { paths, around } = level;
  if (frame === undefined) return around.states;
  if (frame.isArray) return paths.step(frame.states, ++frame.index, frame.length);
  return isRoot(level, frame) ? paths.begin(paths.nowhere) : paths.step(frame.states, frame.name, 0);
}

function isOfProtocol(level: Level, frame: Frame | undefined): boolean {
  return frame === undefined ? level.around.roots !== null : frame.ofProtocol && !isRoot(level, frame);
}

const deepestRoot = 2;

/** Whether paths begin at the frame's member. */
function isRoot({ frames, around: { roots } }: Level, { isArray }: Frame): boolean {
  if (roots === null || isArray || frames.length > deepestRoot) return false;
  return roots.some(
    (way) =>
      way.length === frames.length && way.every((name, at) => name === '*' || name === frames[at]?.name),
  );
}

function decoded(written: string): string {
  return written.includes('\\') ? JSON.parse(written) : written.slice(1, -1);
}

/** A string: what lies in it first, then itself. */
function walkString(
  text: string,
  name: string,
  around: Around,
  paths: PathSet,
  visitor: Visitor,
): readonly Edit[] {
  const { states, trail, depth } = around;
  const leaf = { kind: 'string', text, name, states, trail } as const;
  const isJson = isJsonText(text);
  const content = isJson ? null : base64Text(name, text);
  if (!isJson && content === null) return visitor.leaf({ ...leaf, inner: noEdits, mark: null });
  if (depth >= maxEmbedded) throw new Fault(`texts lie in texts deeper than ${maxEmbedded} levels`);
  const mark = visitor.mark();
  const within: Around = { ...around, depth: depth + 1 };
  let inner: readonly Edit[];
  if (content === null) {
    const inJson: Around = { ...within, states: paths.begin(states), trail: () => [...trail(), embedded] };
    inner = walkJson(text, inJson, paths, visitor);
  } else {
    const changes = walkString(content, '', within, paths, visitor);
    const changed = changes.length === 0 ? null : asBase64(applied(content, changes), text);
    inner = changed === null ? noEdits : [{ start: 0, end: text.length, text: changed }];
  }
  return visitor.leaf({ ...leaf, inner, mark });
}
