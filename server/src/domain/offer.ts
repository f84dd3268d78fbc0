import type { ToolListing } from './tool.ts';

type Members = { readonly [member: string]: unknown };

/** A prompt, a resource or a resource template as its MCP server lists it; `listed` is the whole entry, as it came. */
export interface PromptListing {
  readonly name: string;
  readonly listed: Members;
}
export interface ResourceListing {
  readonly uri: string;
  readonly listed: Members;
}
export interface TemplateListing {
  readonly uriTemplate: string;
  readonly listed: Members;
}

/** How a source wrote its tools, so that a list that is as it was is known again. Nobody but its kind of source reads it. */
export interface SeenTools {
  /** Marks of lists that were read in another way say nothing. */
  readonly about: string;
  /** One for each tool, in their order. */
  readonly marks: Uint8Array;
}

/** Everything that a source offers. Workers offer tools only. */
export interface SourceOffer {
  readonly tools: readonly ToolListing[];
  readonly seen?: SeenTools;
  readonly prompts: readonly PromptListing[];
  readonly resources: readonly ResourceListing[];
  readonly templates: readonly TemplateListing[];
  /** What an MCP server declared in `initialize` or `server/discover`, as it came; `{}` for a worker. */
  readonly capabilities: Members;
  /** What an MCP server says to a model about itself. */
  readonly instructions?: string;
}

/** What rules speak about: a tool, a prompt, a resource. */
export interface RuleTarget {
  /** Stable; what audit and pins refer to. */
  readonly id: string;
  readonly projectId: string;
  readonly sourceId: string;
  /** The name that globs of gateways and keys are matched against; no source can take another's. */
  readonly ruleName: string;
  /** What a tool says of itself; nothing for prompts and resources, which only read. */
  readonly traits?: ToolTraits;
}

/** What policy may go by, beside the name; in the words of tool metadata, with MCP's defaults where a tool is silent. */
export interface ToolTraits {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
  readonly operations: readonly string[];
  readonly serviceDomains: readonly string[];
}
