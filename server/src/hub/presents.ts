import type { ShownTool } from '#catalog';
import type { Gateway } from '#domain';

/** What a list may cost a model before the six stand in its place, where a gateway leaves it open. */
export const autoThreshold = { tools: 60, schemaTokens: 20_000 } as const;

/** JSON has about so many characters a token. */
const charactersPerToken = 4;

const known = new WeakMap<readonly ShownTool[], boolean>();

/** By what the caller would have to read, and nothing that the caller may not see. */
export function presentsHub({ presentation }: Gateway, visible: readonly ShownTool[]): boolean {
  if (presentation !== 'auto') return presentation === 'hub';
  let isLong = known.get(visible);
  if (isLong === undefined) {
    isLong = visible.length > autoThreshold.tools || tokensOf(visible) > autoThreshold.schemaTokens;
    known.set(visible, isLong);
  }
  return isLong;
}

function tokensOf(visible: readonly ShownTool[]): number {
  let characters = 0;
  for (const { wireName, description, inputSchema, tool } of visible) {
    characters += wireName.length + description.length + JSON.stringify(inputSchema).length;
    if (tool.outputSchema !== null) characters += JSON.stringify(tool.outputSchema).length;
  }
  return characters / charactersPerToken;
}
