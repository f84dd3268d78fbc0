import { type Refusal, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import { createToolRefs, type Governance, readRef, type ToolRefs } from '#hub';
import type { RestDeps } from '../route.ts';

/** What those need who govern the catalogue. */
export interface CatalogueDeps extends Pick<RestDeps, 'catalog'> {
  readonly governance: Governance;
  readonly refs: GovernedTools;
}

/** The tools of a project as those name them who govern the catalogue: all of it is theirs to see. */
export interface GovernedTools extends ToolRefs {
  /** By its reference, or by its id. */
  find(projectId: string, text: string, field?: string): Result<Tool, Refusal>;
  /** Also of one that is not there now, by its id. */
  findId(projectId: string, text: string): Result<string, Refusal>;
  /** `null` for one that is not there now. */
  byId(projectId: string): ReadonlyMap<string, Tool>;
}

const toolId = /^tool_[0-9a-f]{24}$/;

export function createGovernedTools({
  catalog,
  sources,
}: Pick<RestDeps, 'catalog' | 'sources'>): GovernedTools {
  const refs = createToolRefs(sources);

  function find(projectId: string, text: string, field = 'tool'): Result<Tool, Refusal> {
    if (toolId.test(text)) {
      const tool = catalog.tools(projectId).find(({ id }) => id === text);
      return tool === undefined ? unknown(text, field) : ok(tool);
    }
    for (const { kind, name, version } of readRef(text)) {
      const tool = catalog.findTool(projectId, name, version ?? undefined);
      if (tool !== null && (kind === null || refs.kindOf(tool) === kind)) return ok(tool);
    }
    return unknown(text, field);
  }

  return {
    ...refs,
    find,
    findId(projectId, text) {
      if (toolId.test(text)) return ok(text);
      const tool = find(projectId, text);
      return tool.ok ? ok(tool.value.id) : tool;
    },
    byId: (projectId) => new Map(catalog.tools(projectId).map((tool) => [tool.id, tool])),
  };
}

function unknown(text: string, field: string): Result<never, Refusal> {
  const message = `there is no tool ${JSON.stringify(text.slice(0, 200))}`;
  return err(refusal('resource.unknown', message, { field }));
}
