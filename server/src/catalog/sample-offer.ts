import type { JsonSchema, SourceOffer, ToolListing } from '#domain';
import type { Db } from '#storage';
import type { Place } from './pin-store.ts';
import { toolId } from './tool-id.ts';

/** A listing for tests: the least a source says about a tool. */
export function sampleListing(
  toolkit: string,
  name: string,
  more: { inputSchema?: JsonSchema; version?: string } = {},
): ToolListing {
  return {
    toolkit: { name: toolkit, version: more.version ?? '1.0.0', description: null },
    name,
    description: `${name} of ${toolkit}`,
    inputSchema: more.inputSchema ?? { type: 'object', properties: {}, additionalProperties: false },
    outputSchema: null,
    parameters: [],
    output: { description: null, availableModes: ['value', 'error'], valueSchema: null },
    requirements: { authorization: null, secrets: null, metadata: null },
    metadata: null,
    mcp: {},
  };
}

/** An offer of these and nothing else. */
export function offering(
  tools: readonly ToolListing[],
  more: {
    readonly prompts?: readonly string[];
    readonly resources?: readonly string[];
    readonly templates?: readonly string[];
    readonly capabilities?: SourceOffer['capabilities'];
  } = {},
): SourceOffer {
  const { prompts = [], resources = [], templates = [], capabilities = {} } = more;
  return {
    tools,
    prompts: prompts.map((name) => ({ name, listed: { name } })),
    resources: resources.map((uri) => ({ uri, listed: { uri, name: uri } })),
    templates: templates.map((uriTemplate) => ({ uriTemplate, listed: { uriTemplate, name: uriTemplate } })),
    capabilities,
  };
}

/** A tool whose user interface is this resource. */
export function withInterface(tool: ToolListing, resourceUri: string): ToolListing {
  return { ...tool, mcp: { _meta: { ui: { resourceUri }, 'ui/resourceUri': resourceUri } } };
}

/** Keeps the tools of a source as older versions did; of what else it offers, nothing. */
export async function keepAsOlder(
  db: Db,
  { projectId, sourceId }: Place,
  tools: readonly ToolListing[],
  firstSeen: string,
): Promise<void> {
  for (const [position, listing] of tools.entries()) {
    const { toolkit, name } = listing;
    await db.query(
      `insert into tools (id, project_id, source_id, toolkit, name, version, position, available, listing, first_seen)
       values ($1, $2, $3, $4, $5, $6, $7, true, $8::json, $9)`,
      [
        ...[toolId(projectId, sourceId, toolkit.name, name), projectId, sourceId, toolkit.name, name],
        ...[toolkit.version ?? '', position, JSON.stringify(listing), firstSeen],
      ],
    );
  }
}

/** Empties what the catalog keeps. */
export async function clearCatalog(db: Db): Promise<void> {
  for (const table of [
    'tools',
    'tool_blocks',
    'offers',
    'offer_entries',
    'toolkit_owners',
    'gateways',
    'pins',
  ]) {
    await db.query(`delete from ${table}`);
  }
}
