import type { HubToolResponse, ReviewItemResponse, ToolLifecycle } from '@sallyport/contracts';
import type { Tool } from '#domain';
import type { Curation, ReviewItem } from '#hub';
import type { GovernedTools } from './governed-tools.ts';

/** What people say of a tool, as the API shows it. */
export interface CurationResponse {
  readonly owner: string | null;
  readonly lifecycle: ToolLifecycle;
  readonly successor: string | null;
  readonly when_to_use: string | null;
  readonly synonyms: string[];
  readonly tags: string[];
  readonly example_queries: string[];
  readonly examples: Record<string, unknown>[];
}

/** `successorOf`: the reference of the tool with this id. */
export function curationResponse(
  curation: Curation,
  successorOf: (id: string) => string | null,
): CurationResponse {
  const { owner, lifecycle, successorId, whenToUse, synonyms, tags, exampleQueries, examples } = curation;
  return {
    owner,
    lifecycle,
    successor: successorId === null ? null : successorOf(successorId),
    when_to_use: whenToUse,
    synonyms: [...synonyms],
    tags: [...tags],
    example_queries: [...exampleQueries],
    examples: examples.map((example) => ({ ...example })),
  };
}

export function hubToolResponse(
  tool: Tool,
  curation: CurationResponse,
  advice: readonly string[],
  refs: GovernedTools,
): HubToolResponse {
  const { version } = tool.toolkit;
  return {
    tool: refs.refOf(tool),
    id: tool.id,
    name: tool.ruleName,
    namespace: refs.namespaceOf(tool),
    source: tool.sourceId,
    ...(version === null ? {} : { version }),
    description: tool.description,
    available: tool.available,
    ...curation,
    advice: [...advice],
  };
}

export function reviewItemResponse(
  { id, kind, tool, advice, query, help }: ReviewItem,
  refs: GovernedTools,
): ReviewItemResponse {
  return {
    id,
    kind,
    ...(tool === null ? {} : { tool: refs.refOf(tool) }),
    advice: [...advice],
    ...(query === null ? {} : { query }),
    help: Math.round(help * 100) / 100,
  };
}
