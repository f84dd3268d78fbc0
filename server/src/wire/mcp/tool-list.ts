import type { ShownTool } from '#catalog';
import type { JsonSchema, Tool } from '#domain';
import { createPager, type Pager } from './list-pages.ts';

/** What the root of an output schema may be: any schema since 2026-07-28, only that of an object before. */
export type OutputRoot = 'any' | 'object';

/** Pages of `tools/list`. */
export const toolPages: Readonly<Record<OutputRoot, Pager<ShownTool>>> = {
  any: pagesWith('any'),
  object: pagesWith('object'),
};

function pagesWith(outputRoot: OutputRoot): Pager<ShownTool> {
  return createPager({
    member: 'tools',
    all: (view) => view.tools,
    textOf: (shown) => toolText(shown, outputRoot),
  });
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
