import type { Gateway, Tool, ToolCuration } from '#domain';
import { checkArguments, shownSchema } from './arguments.ts';
import type { ShownTool } from './contract.ts';
import type { StoredTool } from './stored-offer.ts';
import { withUiUris } from './ui-resources.ts';
import { nameAll, plainName } from './wire-names.ts';

/** A tool under its name, with its face changed as the gateway wants. */
export function showTool(
  tool: Tool,
  wireName: string,
  curation: ToolCuration | null,
  mcp: Tool['mcp'] = tool.mcp,
): ShownTool {
  const argumentCuration = curation?.arguments ?? null;
  return {
    tool,
    wireName,
    description: curation?.description ?? tool.description,
    inputSchema: shownSchema(tool.inputSchema, argumentCuration),
    mcp,
    arguments: (given) => checkArguments(tool.inputSchema, argumentCuration, given),
    takes: (args) => checkArguments(tool.inputSchema, null, args),
  };
}

/** Tools as a gateway shows them; `ownNames`: as their only source calls them, where the gateway does not say otherwise. */
export function showTools(
  chosen: readonly StoredTool[],
  { curation }: Gateway,
  ownNames: boolean,
  {
    shownUri,
    renamesUris,
  }: { shownUri(sourceId: string, own: string): string; renamesUris(id: string): boolean },
): readonly ShownTool[] {
  const curations = new Map(curation.map((one) => [one.tool.toLowerCase(), one]));
  const curationOf = ({ ruleName }: Tool) => curations.get(ruleName.toLowerCase()) ?? null;
  const names = nameAll(
    chosen.map(({ tool, firstSeenMs }) => ({
      id: tool.id,
      chosen: curationOf(tool)?.name ?? null,
      plain: ownNames ? tool.name : plainName(tool.toolkit.name, tool.name),
      isOwner: ownNames || tool.ruleName === tool.qualifiedName,
      firstSeenMs,
    })),
    ownNames ? Number.POSITIVE_INFINITY : undefined,
  );
  return chosen.map(({ tool }) => {
    const { sourceId } = tool;
    const mcp = renamesUris(sourceId) ? withUiUris(tool, (own) => shownUri(sourceId, own)) : tool.mcp;
    return showTool(tool, names.get(tool.id) as string, curationOf(tool), mcp);
  });
}
