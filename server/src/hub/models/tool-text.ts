import { hash } from 'node:crypto';
import type { Tool } from '#domain';

const maxDescriptionLength = 1500;
const maxParameters = 40;
/** 132 bits. */
const hashLength = 22;

/** The beginning of a text, of characters that are whole. */
export function cut(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed();
}

export interface ToolWords {
  readonly toolkit: string;
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly parameters: readonly string[];
}

/** All that a model is ever told of a tool: names and descriptions, no values. */
export function wordsOf(tool: Tool): ToolWords {
  const { title } = tool.mcp;
  return {
    toolkit: cut(tool.toolkit.name, 200),
    name: cut(tool.name, 200),
    ...(typeof title === 'string' && title !== '' ? { title: cut(title, 200) } : {}),
    description: cut(tool.description, maxDescriptionLength),
    parameters: tool.parameters.slice(0, maxParameters).map(({ name }) => cut(name, 100)),
  };
}

/** As one text, for models that take no other form. */
export function textOf(tool: Tool): string {
  const { toolkit, name, title, description, parameters } = wordsOf(tool);
  const lines = [`${toolkit} ${name}`, title, description, parameters.join(', ')];
  return lines.filter((line) => line !== undefined && line !== '').join('\n');
}

/** The same for tools of which models are told the same. */
export function hashOf(words: ToolWords): string {
  return hash('sha256', JSON.stringify(words), 'base64url').slice(0, hashLength);
}
