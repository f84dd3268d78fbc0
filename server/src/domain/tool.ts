import type { ToolMetadata, ToolParameter, ToolRequirements, ValueSchema } from '@sallyport/contracts';
import type { RuleTarget, ToolTraits } from './offer.ts';

/** A JSON Schema object, as carried on the wire. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What a source says about one of its tools, in the words of the platform. */
export interface ToolListing {
  /** The group of tools; for a worker its toolkit, for an MCP server the source's id. */
  readonly toolkit: {
    readonly name: string;
    readonly version: string | null;
    readonly description: string | null;
  };
  /** The name inside the toolkit, exactly as the source spells it: it is sent back verbatim. */
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema | null;
  /** Parameters in the worker protocol's form, for the REST API. */
  readonly parameters: readonly ToolParameter[];
  readonly output: {
    readonly description: string | null;
    readonly availableModes: readonly string[];
    readonly valueSchema: ValueSchema | null;
  };
  readonly requirements: ToolRequirements;
  readonly metadata: ToolMetadata | null;
  /** Members of the MCP tool that we do not model (title, annotations, icons, execution, _meta, …), kept as they came. */
  readonly mcp: { readonly [member: string]: unknown };
}

/** A tool in the catalog. */
export interface Tool extends ToolListing, RuleTarget {
  /**
   * Stable across refreshes, restarts, renames on a gateway and versions: it is derived from project, source, toolkit
   * and name. Policy and audit refer to it.
   */
  readonly id: string;
  /** `Toolkit.Tool` where the toolkit's name is the source's own; `source/Toolkit.Tool` where another source had it first. */
  readonly ruleName: string;
  readonly traits: ToolTraits;
  /** `Toolkit.Tool`. */
  readonly qualifiedName: string;
  /** False while the source does not answer or no longer lists it. */
  readonly available: boolean;
  /** Its definition is not the approved one, and its source is pinned: it is neither shown nor called. */
  readonly quarantined: boolean;
}
