import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  type ParsedNode,
  visit,
} from 'yaml';
import { lineStart } from './places.ts';
import type { TextEdit } from './text-edit.ts';
import type { YamlDocument, YamlPath } from './yaml-file.ts';
import {
  blockIndent,
  indentLines,
  renderBlock,
  renderFlowContent,
  renderInline,
  styleBefore,
  styleOf,
  type YamlStyle,
} from './yaml-style.ts';

/**
 * Edits that leave every other byte as it is. `null` where that cannot be done: behind an alias, in what an alias repeats,
 * below a tag, where a comment would get lost. Several made of the same document can be applied together where they do not
 * meet (`editsMeet`).
 */
export type Edits = readonly TextEdit[] | null;

export type Position = 'first' | 'last' | { readonly after: string };

/** Sets a key of a mapping or an item of a sequence; mappings that are missing on the way are made. */
export function setValue(
  document: YamlDocument,
  path: YamlPath,
  value: unknown,
  position: Position = 'last',
): Edits {
  const key = path.at(-1);
  if (key === undefined) return null;
  const parentPath = path.slice(0, -1);
  const parent = ownNode(document, parentPath);
  if (parent === null || parent === undefined || isEmptyFlow(parent)) {
    if (typeof key === 'number' && key !== 0) return null;
    const content = typeof key === 'number' ? [value] : { [key]: value };
    return fillEmpty(document, parentPath, parent, content, position);
  }
  if (isShared(document, parentPath)) return null;
  const style = styleOf(document);
  if (isMap<ParsedNode, ParsedNode | null>(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    if (pair === undefined) return insertPair(document, parent, String(key), value, position, style);
    return replaceInPair(document, pair, String(key), value, style);
  }
  if (!isSeq(parent) || typeof key !== 'number') return null;
  const item = parent.items[key] as ParsedNode | undefined;
  if (item === undefined) return insertItem(document, parentPath, key, value);
  return replaceItem(document, item, value, style);
}

/** Puts an item into a sequence that is there; `index` may be its length. */
export function insertItem(document: YamlDocument, path: YamlPath, index: number, value: unknown): Edits {
  const sequence = ownNode(document, path);
  if (sequence === null || isEmptyFlow(sequence)) return fillEmpty(document, path, sequence, [value]);
  if (!isSeq(sequence) || isShared(document, path) || index > sequence.items.length) return null;
  const style = styleOf(document);
  const indent = blockIndent(sequence as ParsedNode);
  const items = sequence.items as (ParsedNode | null)[];
  if (indent === null) return insertInFlow(document, items[index - 1], items[0], [value], style);
  if (index > 0) return insertAfter(document, items[index - 1] ?? null, [value], indent, style);
  const first = dashOf(sequence as ParsedNode, 0);
  return first === null ? null : insertBefore(first, [value], indent, style);
}

/** Where there is nothing yet, `{}` or `[]`: in block style where that can be, else between the brackets. */
function fillEmpty(
  document: YamlDocument,
  path: YamlPath,
  node: ParsedNode | null | undefined,
  content: unknown,
  position?: Position,
): Edits {
  const filled = path.length === 0 ? null : setValue(document, path, content, position);
  if (filled !== null || node === null || node === undefined || isShared(document, path)) return filled;
  if (isSeq(node) !== Array.isArray(content) || isDecorated(node)) return null;
  const inside = node.range[0] + 1;
  return [edit(inside, inside, renderFlowContent(content, styleOf(document)))];
}

function insertPair(
  document: YamlDocument,
  map: ParsedNode,
  key: string,
  value: unknown,
  position: Position,
  style: YamlStyle,
): Edits {
  if (!isMap<ParsedNode, ParsedNode | null>(map)) return null;
  const after = typeof position === 'object' ? position.after : undefined;
  const sibling =
    map.items.find((pair) => isScalar(pair.key) && pair.key.value === after) ?? map.items.at(-1);
  const first = map.items[0];
  if (sibling === undefined || first === undefined) return null;
  const indent = blockIndent(map);
  if (indent === null) {
    return insertInFlow(document, sibling.value ?? sibling.key, first.key, { [key]: value }, style);
  }
  if (position === 'first') {
    const begin = first.srcToken?.start.length ? null : first.key.range[0];
    return begin === null ? null : insertBefore(begin, { [key]: value }, indent, style);
  }
  return insertAfter(document, sibling.value ?? sibling.key, { [key]: value }, indent, style);
}

function insertInFlow(
  document: YamlDocument,
  after: ParsedNode | null | undefined,
  first: ParsedNode | null | undefined,
  content: unknown,
  style: YamlStyle,
): Edits {
  const { text } = document.file;
  const rendered = renderFlowContent(content, style);
  if (after === null || after === undefined) {
    return first === null || first === undefined
      ? null
      : [edit(first.range[0], first.range[0], `${rendered}, `)];
  }
  const begin = lineStart(text, after.range[0]);
  const margin = text.slice(begin, after.range[0]);
  const own = first !== after && margin.trim() === '' && begin > 0;
  return [edit(after.range[1], after.range[1], own ? `,${style.eol}${margin}${rendered}` : `, ${rendered}`)];
}

function insertBefore(offset: number, member: unknown, indent: number, style: YamlStyle): Edits {
  const lines = indentLines(renderBlock(member, style), indent, style).trimStart();
  return [edit(offset, offset, `${lines}${style.eol}${' '.repeat(indent)}`)];
}

function insertAfter(
  document: YamlDocument,
  node: ParsedNode | null,
  member: unknown,
  indent: number,
  style: YamlStyle,
): Edits {
  if (node === null) return null;
  const { text } = document.file;
  const offset = endOfLines(text, node);
  const lines = indentLines(renderBlock(member, styleBefore(style, text, offset)), indent, style);
  if (offset > 0 && text[offset - 1] === '\n') return [edit(offset, offset, `${lines}${style.eol}`)];
  return [edit(offset, offset, `${style.eol}${lines}`)];
}

function replaceInPair(
  document: YamlDocument,
  pair: Pair<ParsedNode, ParsedNode | null>,
  key: string,
  value: unknown,
  style: YamlStyle,
): Edits {
  const old = pair.value;
  const colon = colonEnd(pair);
  if (old === null || colon === null || isDecorated(old) || isAlias(old)) return null;
  const { text } = document.file;
  const inFlow = isInFlow(document, old);
  const inline = inFlow ? renderFlowContent([value], style) : renderInline(value, style);
  const isBlock = blockIndent(old) !== null;
  if (inline !== null && !isBlock) return replaceInline(document, old, inline);
  if (text.slice(colon, old.range[0]).includes('#') && !isBlock) return null;
  const rendered = renderBlock({ [key]: value }, styleBefore(style, text, endOfLines(text, old)));
  const header = inline === null ? headerOf(rendered, key, style) : ` ${inline}`;
  const indent = pairIndent(text, pair);
  const rest = inline === null ? rendered.split('\n').slice(1).join('\n') : '';
  const lines = rest === '' ? '' : `${indentLines(rest, indent, style)}${style.eol}`;
  if (isBlock) return replaceBlock(text, old, colon, header, lines);
  if (isScalar(old) && (old.type === 'BLOCK_LITERAL' || old.type === 'BLOCK_FOLDED')) {
    return [edit(colon, endOfLines(text, old), `${header}${style.eol}${lines}`)];
  }
  const end = endOfLines(text, old);
  const closed = text[end - 1] === '\n' ? lines : `${style.eol}${lines.slice(0, -style.eol.length)}`;
  return [edit(colon, old.range[1], header), edit(end, end, closed)];
}

function replaceBlock(text: string, old: ParsedNode, colon: number, header: string, lines: string): Edits {
  const begin = lineStart(text, old.range[0]);
  const below = text.indexOf('\n', colon) + 1;
  const holdsComment = text.slice(below, begin).includes('#');
  if (text.slice(begin, old.range[0]).trim() !== '' || (lines !== '' && holdsComment)) return null;
  // Blank lines below the key would become part of a text.
  const start = /^ [|>]/.test(header) ? below : begin;
  return [edit(colon, colon, header), edit(start, endOfLines(text, old), lines)];
}

function replaceItem(document: YamlDocument, old: ParsedNode, value: unknown, style: YamlStyle): Edits {
  if (isDecorated(old) || isAlias(old) || blockIndent(old) !== null) return null;
  const inline = isInFlow(document, old) ? renderFlowContent([value], style) : renderInline(value, style);
  return inline === null ? null : replaceInline(document, old, inline);
}

/** An old block scalar ends with the line break that its last line has. */
function replaceInline(document: YamlDocument, old: ParsedNode, inline: string): Edits {
  const { text } = document.file;
  const [start, end] = old.range;
  if (start === end) return [edit(start, start, ` ${inline}`)];
  const ownsBreak = isScalar(old) && /^BLOCK/.test(old.type ?? '') && text[end - 1] === '\n';
  const eol = ownsBreak ? (text[end - 2] === '\r' ? '\r\n' : '\n') : '';
  return [edit(start, end, inline + eol)];
}

/** What stands behind the colon on the line of the key: nothing, or the beginning of a block scalar. */
function headerOf(rendered: string, key: string, style: YamlStyle): string {
  const name = renderBlock({ [key]: null }, style).replace(/ null$/, '');
  const [head = ''] = rendered.split('\n');
  return head.slice(name.length);
}

/** The node at a path, unless an alias stands in the way. */
export function ownNode(document: YamlDocument, path: YamlPath): ParsedNode | null | undefined {
  let node: ParsedNode | null | undefined = document.root;
  for (const step of path) {
    if (isMap<ParsedNode, ParsedNode | null>(node)) {
      const pair: Pair<ParsedNode, ParsedNode | null> | undefined = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) return undefined;
      node = pair.value;
    } else if (isSeq<ParsedNode>(node)) node = node.items[Number(step)];
    else return undefined;
  }
  if (isScalar(node) && node.value === null && node.range[0] === node.range[1]) return null;
  return node;
}

/** Whether an alias repeats what is at the path, or anything around it: a change here would be one there, too. */
export function isShared(document: YamlDocument, path: YamlPath): boolean {
  for (let length = 0; length <= path.length; length++) {
    const node = ownNode(document, path.slice(0, length));
    if (isAlias(node)) return true;
    if (isNode(node) && 'anchor' in node && node.anchor) return true;
  }
  return false;
}

/** Whether it, or anything in it, has an anchor or a tag. */
export function isDecorated(node: ParsedNode): boolean {
  let decorated = false;
  visit(node, {
    Node: (_, inner) => {
      if (('anchor' in inner && inner.anchor) || inner.tag?.startsWith('!')) decorated = true;
    },
  });
  return decorated;
}

function isEmptyFlow(node: ParsedNode | null | undefined): boolean {
  return isCollection(node) && node.items.length === 0;
}

/** Whether it stands inside of `{ }` or `[ ]`. */
function isInFlow(document: YamlDocument, node: ParsedNode): boolean {
  let inside = false;
  visit(document.root, (_, visited, ancestors) => {
    if (visited !== node) return undefined;
    inside = ancestors.some((one) => isCollection(one) && one.flow === true);
    return visit.BREAK;
  });
  return inside;
}

/** Offset of the dash of an item. */
export function dashOf(sequence: ParsedNode, index: number): number | null {
  const token = sequence.srcToken;
  if (token?.type !== 'block-seq') return null;
  return token.items[index]?.start.find(({ type }) => type === 'seq-item-ind')?.offset ?? null;
}

/** Offset behind the colon of a pair. */
export function colonEnd(pair: Pair<ParsedNode, ParsedNode | null>): number | null {
  const colon = pair.srcToken?.sep?.find(({ type }) => type === 'map-value-ind');
  return colon === undefined ? null : colon.offset + 1;
}

function pairIndent(text: string, pair: Pair<ParsedNode, ParsedNode | null>): number {
  return pair.key.range[0] - lineStart(text, pair.key.range[0]);
}

/** Where the last line of a node ends, its line break included; the end of the text, where it has none. */
export function endOfLines(text: string, node: ParsedNode): number {
  const last = lastOf(node);
  const end = last.range[1];
  if (end > last.range[0] && text[end - 1] === '\n') return end;
  const line = text.indexOf('\n', end);
  return line === -1 ? text.length : line + 1;
}

/** What a node ends with. */
export function lastOf(node: ParsedNode): ParsedNode {
  if (blockIndent(node) === null) return node;
  const last = isCollection(node) ? node.items.at(-1) : undefined;
  if (last === undefined || last === null) return node;
  if (isNode(last)) return lastOf(last as ParsedNode);
  const pair = last as Pair<ParsedNode, ParsedNode | null>;
  return lastOf(pair.value ?? pair.key);
}

const edit = (start: number, end: number, text: string): TextEdit => ({ start, end, text });
