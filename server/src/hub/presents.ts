import type { ShownTool } from '#catalog';
import type { Gateway } from '#domain';

/** What a list may cost a model before the six stand in its place, where a gateway leaves it open. */
export interface AutoThreshold {
  readonly tools: number;
  /** Of their names, descriptions and schemas. */
  readonly tokens: number;
}

/** JSON has about so many characters a token. */
const charactersPerToken = 4;

const sizes = new WeakMap<readonly ShownTool[], number>();

/** By what the caller would have to read, and nothing that the caller may not see. */
export function presentsHub(
  { presentation }: Gateway,
  visible: readonly ShownTool[],
  { tools, tokens }: AutoThreshold,
): boolean {
  if (presentation !== 'auto') return presentation === 'hub';
  if (visible.length > tools) return true;
  let size = sizes.get(visible);
  if (size === undefined) {
    size = tokensOf(visible);
    sizes.set(visible, size);
  }
  return size > tokens;
}

function tokensOf(visible: readonly ShownTool[]): number {
  let characters = 0;
  for (const { wireName, description, inputSchema, tool } of visible) {
    characters += wireName.length + description.length + JSON.stringify(inputSchema).length;
    if (tool.outputSchema !== null) characters += JSON.stringify(tool.outputSchema).length;
  }
  return characters / charactersPerToken;
}
