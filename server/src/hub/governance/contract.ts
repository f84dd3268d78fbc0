import type { CurateToolRequest, ToolLifecycle } from '@sallyport/contracts';
import type { Refusal, Tool } from '#domain';
import type { Result } from '#foundation';

/** What people, and use, say of a tool: never the source. */
export interface Curation {
  readonly owner: string | null;
  readonly lifecycle: ToolLifecycle;
  /** Id of the tool to use instead. */
  readonly successorId: string | null;
  readonly whenToUse: string | null;
  readonly synonyms: readonly string[];
  readonly tags: readonly string[];
  readonly exampleQueries: readonly string[];
  readonly examples: readonly { readonly [name: string]: unknown }[];
}

export const noCuration: Curation = {
  owner: null,
  lifecycle: 'active',
  successorId: null,
  whenToUse: null,
  synonyms: [],
  tags: [],
  exampleQueries: [],
  examples: [],
};

export interface Learned {
  readonly query: string;
  /** Above 0, at most 1. */
  readonly weight: number;
}

/** Who answers for a tool, how far it is in its life, and what was learned from use; by the tool's stable id. */
export interface Governance {
  /** Immediate: memory answers. */
  curationOf(projectId: string, toolId: string): Curation;
  learnedOf(projectId: string, toolId: string): readonly Learned[];
  curate(
    projectId: string,
    tool: Tool,
    change: CurateToolRequest,
    successorId: string | null | undefined,
  ): Promise<Result<Curation, Refusal>>;
  /** What somebody found; remembered for a while, so that what they do next can be learned from. */
  searched(bearer: string, projectId: string, query: string, toolIds: readonly string[]): void;
  /** The query of this bearer that led to the tool; `null`: none did. */
  queryFor(bearer: string, toolId: string): string | null;
  /** A tool was run for a query, or without one. */
  executed(bearer: string, projectId: string, toolId: string, succeeded: boolean): void;
  missing(projectId: string, need: string, userId: string | null): Promise<void>;
  /** Called when what is said of these tools has changed, here or on another replica; `null`: of all. */
  onChange(listener: (projectId: string, toolIds: readonly string[] | null) => void): void;
  close(): Promise<void>;
}
