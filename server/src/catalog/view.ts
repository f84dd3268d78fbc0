import { isDeepStrictEqual } from 'node:util';
import { compileGlobs, type Gateway, type GlobSet, type Tool, type ToolCuration } from '#domain';
import { checkArguments, shownSchema } from './arguments.ts';
import type { GatewayView, ShownTool } from './contract.ts';
import type { StoredTool } from './store.ts';
import { nameTools } from './wire-names.ts';

/** A tool under its name, with its face changed as the gateway wants. */
export function showTool(tool: Tool, wireName: string, curation: ToolCuration | null): ShownTool {
  const argumentCuration = curation?.arguments ?? null;
  return {
    tool,
    wireName,
    description: curation?.description ?? tool.description,
    inputSchema: shownSchema(tool.inputSchema, argumentCuration),
    arguments: (given) => checkArguments(tool.inputSchema, argumentCuration, given),
  };
}

/**
 * Compiles what a gateway shows. `stored` holds the latest version of each tool in stable order; where two sources offer
 * the same `Toolkit.Tool`, an exact name means the one known longest, a glob means both.
 */
export function compileView(gateway: Gateway, stored: readonly StoredTool[], revision: number): GatewayView {
  const owners = longestKnown(stored);
  const allowed = gateway.allowedTools === null ? null : splitGlobs(gateway.allowedTools);
  const chosen = stored.filter(({ tool }) => {
    if (allowed === null) return true;
    const name = tool.qualifiedName.toLowerCase();
    return (allowed.exact.has(name) && owners.get(name)?.tool === tool) || allowed.wild.matches(name);
  });

  const curations = new Map(gateway.curation.map((curation) => [curation.tool.toLowerCase(), curation]));
  const curationOf = (tool: Tool): ToolCuration | null => {
    const name = tool.qualifiedName.toLowerCase();
    return owners.get(name)?.tool === tool ? (curations.get(name) ?? null) : null;
  };

  const oneSource = new Set(chosen.map(({ tool }) => tool.sourceId)).size <= 1;
  const ownNames = gateway.naming === 'source' && oneSource;
  const names = ownNames
    ? new Map(chosen.map(({ tool }) => [tool, curationOf(tool)?.name ?? tool.name]))
    : nameTools(
        chosen.map(({ tool, firstSeenMs }) => ({
          tool,
          firstSeenMs,
          chosen: curationOf(tool)?.name ?? null,
        })),
      );

  const tools = chosen.map(({ tool }) => showTool(tool, names.get(tool) as string, curationOf(tool)));
  const byWireName = new Map(tools.map((shown) => [shown.wireName, shown]));
  const byQualifiedName = new Map<string, ShownTool>();
  for (const shown of tools) {
    const name = shown.tool.qualifiedName.toLowerCase();
    if (!byQualifiedName.has(name) || owners.get(name)?.tool === shown.tool) byQualifiedName.set(name, shown);
  }
  return {
    gateway,
    revision,
    tools,
    find: (name) => byWireName.get(name) ?? byQualifiedName.get(name.toLowerCase()) ?? null,
    prompts: [],
    resources: [],
    templates: [],
    findPrompt: () => null,
    findTemplate: () => null,
    findResource: () => null,
    shownUri: (_sourceId, own) => own,
    renamesUris: () => false,
    sourceIds: [],
    capabilitiesOf: () => ({}),
  };
}

/** Whether clients would see no difference: not every change of a project's tools changes what each gateway shows. */
export function showsTheSame(one: GatewayView, other: GatewayView | null): boolean {
  return other !== null && isDeepStrictEqual(one.tools.map(faceOf), other.tools.map(faceOf));
}

function faceOf({ tool, wireName, description, inputSchema }: ShownTool): object {
  const { available, outputSchema, mcp } = tool;
  return { wireName, description, inputSchema, available, outputSchema, mcp };
}

/** For each qualified name in lower case, the tool that had it first. */
export function longestKnown(stored: readonly StoredTool[]): Map<string, StoredTool> {
  const owners = new Map<string, StoredTool>();
  for (const candidate of stored) {
    const name = candidate.tool.qualifiedName.toLowerCase();
    const owner = owners.get(name);
    const isEarlier =
      owner === undefined ||
      candidate.firstSeenMs < owner.firstSeenMs ||
      (candidate.firstSeenMs === owner.firstSeenMs && candidate.tool.id < owner.tool.id);
    if (isEarlier) owners.set(name, candidate);
  }
  return owners;
}

function splitGlobs(patterns: readonly string[]): { exact: Set<string>; wild: GlobSet } {
  const isWild = (pattern: string) => /[*?]/.test(pattern);
  return {
    exact: new Set(patterns.filter((pattern) => !isWild(pattern)).map((pattern) => pattern.toLowerCase())),
    wild: compileGlobs(patterns.filter(isWild)),
  };
}
