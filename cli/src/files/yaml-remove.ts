import { isMap, isScalar, isSeq, type Pair, type ParsedNode } from 'yaml';
import { lineStart } from './places.ts';
import type { TextEdit } from './text-edit.ts';
import {
  colonEnd,
  dashOf,
  type Edits,
  endOfLines,
  isDecorated,
  isShared,
  lastOf,
  ownNode,
} from './yaml-edit.ts';
import type { YamlDocument, YamlPath } from './yaml-file.ts';
import { blockIndent, styleOf } from './yaml-style.ts';

interface Member {
  /** Offset of the key or the dash. */
  readonly start: number;
  readonly node: ParsedNode;
}

/**
 * Takes a key out of a mapping, or an item out of a sequence, with the comment on its own line; comments above it stay. The
 * last one leaves an empty collection.
 */
export function removeValue(document: YamlDocument, path: YamlPath): Edits {
  const parentPath = path.slice(0, -1);
  const parent = ownNode(document, parentPath);
  const key = path.at(-1);
  if (key === undefined || isShared(document, parentPath)) return null;
  if (parent === null || parent === undefined) return null;
  const members = membersOf(parent);
  const index = isMap<ParsedNode>(parent)
    ? parent.items.findIndex((pair) => String((pair.key as { value?: unknown }).value) === String(key))
    : Number(key);
  const member = members?.[index];
  if (members === null || member === undefined || isDecorated(member.node)) return null;
  if (blockIndent(parent) === null) return removeFromFlow(members, index);
  if (members.length === 1) return empty(document, parentPath, member, isMap(parent) ? '{}' : '[]');
  return removeFromBlock(document.file.text, members, index);
}

function membersOf(parent: ParsedNode): readonly Member[] | null {
  const members: (Member | null)[] = [];
  if (isMap<ParsedNode, ParsedNode | null>(parent)) {
    for (const pair of parent.items) members.push(memberOfPair(pair));
  } else if (isSeq<ParsedNode>(parent)) {
    for (const [index, node] of parent.items.entries()) {
      const start = blockIndent(parent) === null ? node.range[0] : dashOf(parent, index);
      members.push(start === null ? null : { start, node });
    }
  }
  return members.every((member) => member !== null) ? members : null;
}

function memberOfPair(pair: Pair<ParsedNode, ParsedNode | null>): Member | null {
  const explicit = pair.srcToken?.start.some(({ type }) => type === 'explicit-key-ind');
  if (explicit || isDecorated(pair.key)) return null;
  return { start: pair.key.range[0], node: pair.value ?? pair.key };
}

function removeFromFlow(members: readonly Member[], index: number): Edits {
  const [member, next, previous] = [members[index], members[index + 1], members[index - 1]];
  if (member === undefined) return null;
  const edit = (start: number, end: number): TextEdit[] => [{ start, end, text: '' }];
  if (next !== undefined) return edit(member.start, next.start);
  return edit(previous?.node.range[1] ?? member.start, member.node.range[1]);
}

function removeFromBlock(text: string, members: readonly Member[], index: number): Edits {
  const [previous, member, next] = [members[index - 1], members[index], members[index + 1]];
  if (member === undefined) return null;
  const begin = lineStart(text, member.start);
  const end = endOfLines(text, member.node);
  if (previous !== undefined && swallows(text, previous.node, end)) return null;
  if (text.slice(begin, member.start).trim() === '') return [{ start: begin, end, text: '' }];
  if (next === undefined) return null;
  const between = text.slice(end, next.start);
  if (between.trim() === '') return [{ start: member.start, end: next.start, text: '' }];
  return [{ start: member.start, end, text: text.slice(0, end).endsWith('\r\n') ? '\r\n' : '\n' }];
}

/** Whether what stands behind `offset` would be part of the text in lines that the node ends with, if it came right behind it. */
function swallows(text: string, node: ParsedNode, offset: number): boolean {
  const last = lastOf(node);
  if (!isScalar(last) || !/^BLOCK/.test(last.type ?? '')) return false;
  const keepsBlankLines = /^[|>]\d?\+/.test(text.slice(last.range[0], last.range[0] + 3));
  const rest = text.slice(offset);
  return /^([ \t]*\r?\n)*[ \t]+#/.test(rest) || (keepsBlankLines && /^[ \t]*\r?\n/.test(rest));
}

function empty(document: YamlDocument, path: YamlPath, member: Member, text: string): Edits {
  const source = document.file.text;
  const begin = lineStart(source, member.start);
  const end = endOfLines(source, member.node);
  const isAlone = source.slice(begin, member.start).trim() === '';
  if (!isAlone || path.length === 0) {
    const { eol } = styleOf(document);
    return [{ start: member.start, end, text: source.slice(0, end).endsWith('\n') ? text + eol : text }];
  }
  const pair = document.pair(path);
  const colon = pair === undefined ? null : colonEnd(pair);
  if (colon === null) return null;
  return [
    { start: colon, end: colon, text: ` ${text}` },
    { start: begin, end, text: '' },
  ];
}
