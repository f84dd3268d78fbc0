import type { GatewayView, ShownTool } from '#catalog';
import type { Caller } from '#domain';
import { createRests } from '#foundation';
import type { Scopes } from './scopes.ts';

/** What a list may cost a model before the six stand in its place, where a gateway leaves it open. */
export interface AutoThreshold {
  readonly tools: number;
  /** Of their names, descriptions and schemas. */
  readonly tokens: number;
}

/** JSON has about so many characters a token. */
const charactersPerToken = 4;

const sizes = new WeakMap<ShownTool, number>();

/**
 * What a gateway lists that presents the hub, or leaves it open: then by what the caller would have to read, and nothing that the caller
 * may not see. `null`: the six.
 */
export async function listedTo(
  caller: Caller,
  view: GatewayView,
  { tools, tokens }: AutoThreshold,
  scopes: Scopes,
): Promise<readonly ShownTool[] | null> {
  if (view.gateway.presentation === 'hub') return null;
  const visible: ShownTool[] = [];
  for await (const part of scopes.visible(caller, view)) {
    if (visible.length + part.length > tools) return null;
    visible.push(...part);
  }
  const rests = createRests();
  let size = 0;
  for (const shown of visible) {
    size += sizes.get(shown) ?? sizeOf(shown);
    if (size > tokens * charactersPerToken) return null;
    await rests();
  }
  return visible;
}

function sizeOf(shown: ShownTool): number {
  const { wireName, description, inputSchema, tool } = shown;
  const schemas = [inputSchema, ...(tool.outputSchema === null ? [] : [tool.outputSchema])];
  const size = [wireName, description, ...schemas.map((schema) => JSON.stringify(schema))].join('').length;
  sizes.set(shown, size);
  return size;
}
