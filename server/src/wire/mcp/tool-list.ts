import type { ShownTool } from '#catalog';
import type { Gateway, JsonSchema, Tool } from '#domain';
import type { Redactions } from '#policy';
import { createPager, type Pager } from './list-pages.ts';

/** What the root of an output schema may be: any schema since 2026-07-28, only that of an object before. */
export type OutputRoot = 'any' | 'object';

/** Pages of `tools/list`. */
export const toolPages: Readonly<Record<OutputRoot, Pager<ShownTool>>> = {
  any: pagesWith('any'),
  object: pagesWith('object'),
};

function pagesWith(outputRoot: OutputRoot): Pager<ShownTool> {
  return createPager({ member: 'tools', textOf: (shown) => toolText(shown, outputRoot) });
}

/** Each as it is under these redactions. */
interface Kept<Value> {
  readonly redactions: Redactions;
  readonly value: Value;
}
const keptLists = new WeakMap<readonly ShownTool[], Kept<readonly ShownTool[]>>();
/** Gateways that show a tool in the same way share it. */
const keptTools = new WeakMap<Gateway, WeakMap<ShownTool, Kept<ShownTool>>>();

/**
 * Tools of a gateway, without the schemas of outputs that rules redact: what is redacted becomes a text, and clients refuse an
 * answer that is not what its schema says. The same lists and tools as long as the redactions are the same.
 */
export function withoutRedacted(
  tools: readonly ShownTool[],
  gateway: Gateway,
  redactions: Redactions | null,
): readonly ShownTool[] {
  if (redactions === null) return tools;
  const kept = keptLists.get(tools);
  if (kept?.redactions === redactions) return kept.value;
  const value = tools.map((shown) => underRedactions(shown, gateway, redactions));
  keptLists.set(tools, { redactions, value });
  return value;
}

function underRedactions(shown: ShownTool, gateway: Gateway, redactions: Redactions): ShownTool {
  const { tool } = shown;
  if (tool.outputSchema === null) return shown;
  const ofGateway = keptTools.get(gateway) ?? new WeakMap<ShownTool, Kept<ShownTool>>();
  keptTools.set(gateway, ofGateway);
  const kept = ofGateway.get(shown);
  if (kept?.redactions === redactions) return kept.value;
  const value = redactions.concern(gateway, tool) ? withoutOutputSchema(shown) : shown;
  ofGateway.set(shown, { redactions, value });
  return value;
}

/** In all else it is the tool that it was; both read what they say when they are asked. */
function withoutOutputSchema(shown: ShownTool): ShownTool {
  const tool = Object.create(shown.tool, { outputSchema: { value: null } }) as Tool;
  return Object.create(shown, { tool: { value: tool } }) as ShownTool;
}

/**
 * Everything a source said about a tool is kept, in whatever revision knows it; only name, description and input schema are
 * the gateway's.
 */
function toolText(
  { tool, wireName, description, inputSchema, mcp }: ShownTool,
  outputRoot: OutputRoot,
): string {
  // How 2025-11-25 says that a tool may run as a task.
  const { execution, ...known } = mcp;
  return JSON.stringify({
    ...known,
    ...(outputRoot === 'any' || execution === undefined ? {} : { execution }),
    ...(tool.available ? {} : { _meta: { ...(mcp._meta as object), 'sallyport/available': false } }),
    name: wireName,
    ...(description === '' ? {} : { description }),
    inputSchema,
    ...outputOf(tool, outputRoot),
  });
}

/**
 * Clients of before 2026-07-28 refuse a whole list for one output that is no object. Such a value reaches them as
 * `{result}`, so that is the schema they get; none, where it refers to its own root and would mean something else.
 */
function outputOf({ outputSchema }: Tool, outputRoot: OutputRoot): { outputSchema?: JsonSchema } {
  if (outputSchema === null) return {};
  if (outputRoot === 'any' || outputSchema.type === 'object') return { outputSchema };
  if (typeof outputSchema.type !== 'string' || /"\$(ref|dynamicRef)"/.test(JSON.stringify(outputSchema)))
    return {};
  return { outputSchema: { type: 'object', properties: { result: outputSchema }, required: ['result'] } };
}
