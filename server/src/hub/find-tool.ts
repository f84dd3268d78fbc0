import type { Catalog, ShownTool } from '#catalog';
import { type Refusal, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { HubAsking } from './contract.ts';
import type { Scopes } from './scopes.ts';
import { isLike, type ReadRef, readRef, type ToolRefs } from './tool-ref.ts';

export interface FindToolDeps {
  readonly catalog: Pick<Catalog, 'findTool' | 'shown'>;
  readonly scopes: Scopes;
  readonly refs: ToolRefs;
}

/** A tool that was not found; `hidden` is for the record only. */
export interface NotFound extends Refusal {
  readonly hidden?: Tool;
}

/**
 * The tool that a reference means, among those that whoever asks may use: scheme, version and the exact spelling may be missing, and
 * the name that a gateway shows does, too. One that may not be used is as unknown as one that is not there.
 */
export async function findTool(
  { catalog, scopes, refs }: FindToolDeps,
  asking: HubAsking,
  text: string,
): Promise<Result<ShownTool, NotFound>> {
  const ways = readRef(text);
  let hidden: Tool | undefined;
  for (const way of ways) {
    const found = named(way);
    if (found === null || !fits(found.tool, way)) continue;
    const [usable] = await scopes.among(asking, [found]);
    if (usable !== undefined) return heldBack(usable) ?? ok(usable);
    hidden ??= found.tool;
  }
  const { tools } = ways.length === 0 ? { tools: [] } : await scopes.of(asking);
  for (const way of ways) {
    const [like, ...others] = tools.filter(({ tool }) => isLike(tool.ruleName, way.name) && fits(tool, way));
    // Of several that it is like, it may mean any: one that deletes, too.
    if (like !== undefined && others.length === 0) return ok(like);
  }
  return err({ ...unknown(text), ...(hidden === undefined ? {} : { hidden }) });

  function named({ name, version }: ReadRef): ShownTool | null {
    if (asking.view !== null) return asking.view.find(name);
    const tool = catalog.findTool(asking.caller.principal.projectId, name, version ?? undefined);
    return tool === null ? null : catalog.shown(tool);
  }

  function fits(tool: Tool, { kind, version }: ReadRef): boolean {
    return (
      (kind === null || refs.kindOf(tool) === kind) && (version === null || tool.toolkit.version === version)
    );
  }
}

function heldBack({ tool }: ShownTool): Result<never, Refusal> | null {
  if (!tool.quarantined) return null;
  const held = `${tool.qualifiedName} is held back: its source changed it after it was approved`;
  return err(refusal('catalog.tool_quarantined', held, { field: 'tool' }));
}

function unknown(text: string): Refusal {
  const message = `there is no tool ${JSON.stringify(text.slice(0, 200))} here; search_tools finds those that there are`;
  return refusal('catalog.tool_unknown', message, { field: 'tool' });
}
