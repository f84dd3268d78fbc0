import type { ShownTool } from '#catalog';
import { type Caller, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { RestDeps } from '../route.ts';

/** The tool of this name, if the caller may call it. */
export async function visibleTool(
  { catalog, pipeline }: RestDeps,
  caller: Caller,
  name: string,
  version?: string,
): Promise<Result<ShownTool, Refusal>> {
  const tool = catalog.findTool(caller.principal.projectId, name, version);
  const [visible] = tool === null ? [] : await pipeline.visible(caller, null, [catalog.shown(tool)]);
  if (visible?.tool.quarantined === true) {
    const held = `${visible.tool.qualifiedName} is held back: its source changed it after it was approved`;
    return err(refusal('catalog.tool_quarantined', held, { field: 'name' }));
  }
  if (visible !== undefined) return ok(visible);
  const message = `there is no tool named ${JSON.stringify(name.slice(0, 200))} here`;
  return err(refusal('catalog.tool_unknown', message, { field: 'name' }));
}
