import type { GatewayView, ShownTool } from '#catalog';
import type { Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { paramsInvalid } from './rpc.ts';

/** Tools on one page of `tools/list`. Many clients never ask for a second page, so the first one is generous. */
const pageSize = 1000;

const toolTexts = new WeakMap<ShownTool, string>();
const fullPages = new WeakMap<GatewayView, string>();

/**
 * The members of a `tools/list` result, as JSON text without its braces: `"tools":[…]` and `"nextCursor"` where there is
 * more. Everything a source said about a tool is kept; only name, description and input schema are the gateway's.
 */
export function listMembers(
  view: GatewayView,
  visible: readonly ShownTool[],
  cursor: unknown,
): Result<string, Refusal> {
  const start = cursor === undefined ? 0 : startOf(cursor, visible.length);
  if (start === null) return err(paramsInvalid('params.cursor', 'is not a cursor that this list gave out'));
  const isWhole = visible.length === view.tools.length && visible.length <= pageSize;
  if (!isWhole) return ok(pageText(visible, start));
  let text = fullPages.get(view);
  if (text === undefined) {
    text = pageText(visible, 0);
    fullPages.set(view, text);
  }
  return ok(text);
}

function pageText(visible: readonly ShownTool[], start: number): string {
  const page = visible
    .slice(start, start + pageSize)
    .map(toolText)
    .join(',');
  const end = start + pageSize;
  return `"tools":[${page}]${end < visible.length ? `,"nextCursor":"${cursorAt(end)}"` : ''}`;
}

function toolText(shown: ShownTool): string {
  let text = toolTexts.get(shown);
  if (text === undefined) {
    const { tool, wireName, description, inputSchema } = shown;
    text = JSON.stringify({
      ...tool.mcp,
      name: wireName,
      description,
      inputSchema,
      ...(tool.outputSchema === null ? {} : { outputSchema: tool.outputSchema }),
    });
    toolTexts.set(shown, text);
  }
  return text;
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
