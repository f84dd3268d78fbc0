import type { GatewayView, ShownTool } from '#catalog';
import type { JsonSchema, Refusal, Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import { paramsInvalid } from './rpc.ts';

/** Tools on one page of `tools/list`. Many clients never ask for a second page, so the first one is generous. */
const pageSize = 1000;

/** What the root of an output schema may be: any schema since 2026-07-28, only that of an object before. */
export type OutputRoot = 'any' | 'object';

interface Texts {
  readonly tools: WeakMap<ShownTool, string>;
  readonly fullPages: WeakMap<GatewayView, string>;
}
const textsOf: Readonly<Record<OutputRoot, Texts>> = {
  any: { tools: new WeakMap(), fullPages: new WeakMap() },
  object: { tools: new WeakMap(), fullPages: new WeakMap() },
};

/**
 * The members of a `tools/list` result, as JSON text without its braces: `"tools":[…]` and `"nextCursor"` where there is
 * more. Everything a source said about a tool is kept; only name, description and input schema are the gateway's.
 */
export function listMembers(
  view: GatewayView,
  visible: readonly ShownTool[],
  cursor: unknown,
  outputRoot: OutputRoot,
): Result<string, Refusal> {
  const start = cursor === undefined ? 0 : startOf(cursor, visible.length);
  if (start === null) return err(paramsInvalid('params.cursor', 'is not a cursor that this list gave out'));
  const isWhole = visible.length === view.tools.length && visible.length <= pageSize;
  if (!isWhole) return ok(pageText(visible, start, outputRoot));
  const { fullPages } = textsOf[outputRoot];
  let text = fullPages.get(view);
  if (text === undefined) {
    text = pageText(visible, 0, outputRoot);
    fullPages.set(view, text);
  }
  return ok(text);
}

function pageText(visible: readonly ShownTool[], start: number, outputRoot: OutputRoot): string {
  const page = visible
    .slice(start, start + pageSize)
    .map((shown) => toolText(shown, outputRoot))
    .join(',');
  const end = start + pageSize;
  return `"tools":[${page}]${end < visible.length ? `,"nextCursor":"${cursorAt(end)}"` : ''}`;
}

function toolText(shown: ShownTool, outputRoot: OutputRoot): string {
  const { tools: toolTexts } = textsOf[outputRoot];
  let text = toolTexts.get(shown);
  if (text === undefined) {
    const { tool, wireName, description, inputSchema } = shown;
    text = JSON.stringify({
      ...tool.mcp,
      ...(tool.available ? {} : { _meta: { ...(tool.mcp._meta as object), 'sallyport/available': false } }),
      name: wireName,
      description,
      inputSchema,
      ...outputOf(tool, outputRoot),
    });
    toolTexts.set(shown, text);
  }
  return text;
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

function cursorAt(offset: number): string {
  return Buffer.from(`tools:${offset}`).toString('base64url');
}

function startOf(cursor: unknown, total: number): number | null {
  if (typeof cursor !== 'string') return null;
  const found = /^tools:(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  const offset = Number(found?.[1] ?? Number.NaN);
  return offset > 0 && offset < total + pageSize && cursorAt(offset) === cursor ? offset : null;
}
