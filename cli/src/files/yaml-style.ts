import { isMap, isSeq, type ParsedNode, stringify, visit } from 'yaml';
import type { YamlDocument } from './yaml-file.ts';

/** How a document is written, so that what is added looks like its neighbours. */
export interface YamlStyle {
  readonly eol: '\n' | '\r\n';
  readonly indent: number;
  /** Whether items of a list stand further right than the key of the list. */
  readonly indentSeq: boolean;
  readonly singleQuote: boolean;
  /** Whether texts of many lines may be blocks (`|`). */
  readonly blockText: boolean;
}

/** For what is written in front of the offset: a block of text would swallow comments and blank lines that follow it. */
export function styleBefore(style: YamlStyle, text: string, offset: number): YamlStyle {
  const swallows = /^[ \t]*(#|\r?\n)/.test(text.slice(offset, offset + 200));
  const isOpen = offset === text.length && !text.endsWith('\n');
  return swallows || isOpen ? { ...style, blockText: false } : style;
}

export function styleOf({ file, root, start, end }: YamlDocument): YamlStyle {
  const steps: number[] = [];
  let indentSeq: boolean | undefined;
  visit(root, {
    Pair: (_, { value }) => {
      const child = value as ParsedNode | null;
      const inner = blockIndent(child);
      if (inner === null || child?.range === undefined) return;
      const line = file.text.lastIndexOf('\n', child.range[0] - 1) + 1;
      const outer = indentOfParent(file.text, line);
      if (isMap(child) && inner > outer) steps.push(inner - outer);
      if (isSeq(child)) indentSeq ??= inner > outer;
    },
  });
  const text = file.text.slice(start, end);
  const newline = file.text.indexOf('\n');
  return {
    eol: newline > 0 && file.text[newline - 1] === '\r' ? '\r\n' : '\n',
    indent: steps.length === 0 ? 2 : Math.min(...steps),
    indentSeq: indentSeq ?? true,
    singleQuote: (text.match(/[:-] '/g)?.length ?? 0) > (text.match(/[:-] "/g)?.length ?? 0),
    blockText: true,
  };
}

/** Column, from 0, of the keys or dashes of a block collection; `null` for any other node. */
export function blockIndent(node: ParsedNode | null | undefined): number | null {
  const token = node?.srcToken;
  return token?.type === 'block-map' || token?.type === 'block-seq' ? token.indent : null;
}

/** Column where the content of the line before begins, dashes passed over: that of the key that a block hangs on. */
function indentOfParent(text: string, line: number): number {
  let end = line - 1;
  while (end > 0) {
    const begin = text.lastIndexOf('\n', end - 1) + 1;
    const content = text.slice(begin, end);
    if (!/^\s*(#|$)/.test(content)) return /^[ -]*/.exec(content)?.[0].length ?? 0;
    end = begin - 1;
  }
  return 0;
}

/** `key: value` or `- value` as lines of block style, without indentation of their own and without a last line break. */
export function renderBlock(value: unknown, style: YamlStyle): string {
  return render(value, style, 'block').replace(/\n$/, '');
}

/** The inside of `{ }` or `[ ]` that holds the value, on one line. */
export function renderFlowContent(collection: unknown, style: YamlStyle): string {
  return render(collection, style, 'flow').trim().slice(1, -1).trim();
}

/** A value on one line; `null` for what needs more: collections that are not empty, texts of many lines. */
export function renderInline(value: unknown, style: YamlStyle): string | null {
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) return null;
  const rendered = renderBlock([value], { ...style, indent: 2 });
  return rendered.includes('\n') ? null : rendered.slice('- '.length);
}

/** Readers of YAML 1.1, as kubectl is one, must read the same: `yes` and `0o7` are quoted. */
function render(value: unknown, style: YamlStyle, collectionStyle: 'block' | 'flow'): string {
  const isFlow = collectionStyle === 'flow';
  const json = JSON.stringify(value) ?? '';
  if (isFlow && /\\[nr]/.test(json)) return json;
  return stringify(value, {
    aliasDuplicateObjects: false,
    collectionStyle: isFlow ? 'flow' : 'any',
    compat: 'yaml-1.1',
    indent: style.indent,
    indentSeq: style.indentSeq,
    lineWidth: 0,
    blockQuote: style.blockText && !/"\s[^"]*\\n|\\n\\n"/.test(json),
    singleQuote: /\\[nr]/.test(json) ? false : style.singleQuote || null,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
}

/** Lines moved to the right, and with the line ends of the document. */
export function indentLines(text: string, indent: number, style: YamlStyle): string {
  const margin = ' '.repeat(indent);
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : margin + line))
    .join(style.eol);
}
