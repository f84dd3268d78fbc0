import type { JsonSchema, SourceOffer, ToolListing } from '#domain';

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

/** An offer of these tools and nothing else. */
export function offering(tools: readonly ToolListing[]): SourceOffer {
  return { tools, prompts: [], resources: [], templates: [], capabilities: {} };
}
