import type { CurateToolRequest, ToolLifecycle } from '@sallyport/contracts';
import type { Caller, Principal, Refusal, Tool } from '#domain';
import type { Result } from '#foundation';

/** What people say of a tool: never the source. */
export interface Curation {
  readonly owner: string | null;
  readonly lifecycle: ToolLifecycle;
  /** Id of the tool to use instead. */
  readonly successorId: string | null;
  readonly whenToUse: string | null;
  readonly synonyms: readonly string[];
  readonly tags: readonly string[];
  readonly exampleQueries: readonly string[];
  /** As they were given; `Governance.examplesOf` has those that still fit. */
  readonly examples: readonly Example[];
}

export type Example = { readonly [name: string]: unknown };

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

/** One intent of a search, and what its caller was told was found for it, the best first. */
export interface Searched {
  readonly query: string;
  /** `alike`: tools that it stands for. */
  readonly hits: readonly { readonly id: string; readonly alike: readonly string[] }[];
}

/**
 * Who answers for a tool, how far it is in its life, and what was learned from use; by the tool's stable id. A bearer is what
 * `bearerOf` says of a caller.
 */
export interface Governance {
  /** Immediate: memory answers. */
  curationOf(projectId: string, toolId: string): Curation;
  /** Examples that the tool's schema takes as it is now. */
  examplesOf(tool: Tool): readonly Example[];
  learnedOf(projectId: string, toolId: string): readonly Learned[];
  /**
   * Ids of tools that the hub neither finds, nor tells of, nor calls for whoever this is, though policy permits them: all that
   * are hidden, and drafts for who does not govern. The same object while nothing of it changed. The six hold every tool to
   * it; gateways that present tools, and the rest of the API, do not.
   */
  closedTo(principal: Principal): ReadonlySet<string>;
  /** The same, for one tool. */
  standing(caller: Caller, tool: Pick<Tool, 'id'>): 'open' | 'closed';
  /** What somebody found in one search; remembered for a while, so that what they do next can be learned from. */
  searched(bearer: string, projectId: string, searches: readonly Searched[]): void;
  /** The query of this bearer that led to the tool; `null`: none did. */
  queryFor(bearer: string, toolId: string): string | null;
  /** A tool was run through the hub, for a query or without one. */
  executed(bearer: string, projectId: string, toolId: string, succeeded: boolean): void;
  /** Somebody found no tool for this. */
  missing(bearer: string, projectId: string, need: string): Promise<void>;
  /**
   * Whether searches are learned from, as they are at first. Where not, none is remembered, and what was learned before has no
   * weight: it stays until it is forgotten.
   */
  learn(isOn: boolean): void;
  /** Called when what is said of these tools has changed, here or on another replica; `null`: of all. */
  onChange(listener: (projectId: string, toolIds: readonly string[] | null) => void): void;
  readonly administration: GovernanceAdministration;
  /** What was about to be learned is kept. */
  close(): Promise<void>;
}

/** For who governs the catalogue. */
export interface GovernanceAdministration {
  /** Every curation of the project, also of tools that are not there now. */
  curated(projectId: string): ReadonlyMap<string, Curation>;
  /** `successorId` left out leaves it as it is. */
  curate(
    projectId: string,
    tool: Tool,
    change: CurateToolRequest,
    successorId?: string | null,
  ): Promise<Result<{ readonly before: Curation; readonly after: Curation }, Refusal>>;
  /** What was said of it; `null`: nothing. */
  forgetCuration(projectId: string, toolId: string): Promise<Curation | null>;

  /** The most useful first. */
  learned(projectId: string, toolId?: string): readonly LearnedQuery[];
  /** Of a tool, of one wording, of both together, or all; how many there were. */
  forgetLearned(
    projectId: string,
    which: { readonly toolId?: string; readonly query?: string },
  ): Promise<number>;

  /** The one asked for by the most callers first. */
  needs(projectId: string): Promise<readonly MissingNeed[]>;
  forgetNeed(projectId: string, id: string): Promise<boolean>;

  /** Made for all of the project's tools. */
  adviser(tools: readonly Tool[]): Adviser;
  /** What would help most first. */
  review(
    projectId: string,
    page: { readonly kind?: ReviewItem['kind'] | undefined; readonly limit: number; readonly offset: number },
  ): Promise<ReviewPage>;
  /** It comes back only where something else is wrong with it. `null`: there is none of this id. */
  dismiss(projectId: string, itemId: string): Promise<ReviewItem | null>;

  /** Of the last `days`, by tool; of what the audit has. */
  usage(projectId: string, days: number): Promise<ReadonlyMap<string, ToolUse>>;
}

/** What people asked who then used the tool. */
export interface LearnedQuery extends Learned {
  readonly toolId: string;
  /** Different ones. */
  readonly callers: number;
  /** Each caller once a day. */
  readonly uses: number;
  readonly lastUsed: string;
}

export interface MissingNeed {
  readonly id: string;
  readonly need: string;
  readonly callers: number;
  readonly reports: number;
  readonly lastReported: string;
}

export interface Adviser {
  /** What to mend of a tool, in words. */
  advice(tool: Tool): readonly string[];
  /** Whether there is any; cheap where it was asked before. */
  hasAdvice(tool: Tool): boolean;
}

export interface ReviewPage {
  readonly items: readonly ReviewItem[];
  /** Also of those that are too many to be listed. */
  readonly total: number;
}

export interface ReviewItem {
  readonly id: string;
  readonly kind: 'documentation' | 'missed_query' | 'missing_tool';
  /** `null`: there is no tool. */
  readonly tool: Tool | null;
  /** What to mend, in words. */
  readonly advice: readonly string[];
  /** What failed to find it, or what nothing was found for. */
  readonly query: string | null;
  /** How much it would help: grows with how many it concerns. */
  readonly help: number;
}

export interface ToolUse {
  readonly calls: number;
  readonly failures: number;
  readonly refusals: number;
  readonly typicalMs: number | null;
  readonly lastUsed: string;
}
