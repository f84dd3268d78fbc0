import type { FoundTool, SearchToolsRequest, SearchToolsResponse } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import type { Tool } from '#domain';
import type { HubAsking } from './contract.ts';
import { bearerOf } from './governance/bearer.ts';
import type { Governance } from './governance/contract.ts';
import type { Indexing } from './indexing.ts';
import type { Models } from './models/contract.ts';
import { oneLine } from './one-line.ts';
import { consentsMissing, type RequirementsDeps } from './requirements.ts';
import type { Only, Scope, Scopes } from './scopes.ts';
import type { Hit, SearchIndex } from './search/contract.ts';
import { adviceOnFound, adviceOnNothing } from './search-advice.ts';
import type { ToolRefs } from './tool-ref.ts';

export interface SearchToolsDeps extends RequirementsDeps {
  readonly governance: Pick<Governance, 'searched' | 'curationOf'>;
  readonly indexing: Indexing;
  /** `null`: none are configured. */
  readonly models: Models | null;
  readonly scopes: Scopes;
  readonly refs: ToolRefs;
}

/** Finds by meaning, among what may be used; nothing else has any part in what is told. */
export async function searchTools(
  deps: SearchToolsDeps,
  asking: HubAsking,
  request: SearchToolsRequest,
): Promise<SearchToolsResponse> {
  const { namespace, kinds, limit } = request;
  const only = { namespace, kinds };
  const { projectId } = asking.caller.principal;
  const index = await deps.indexing.of(projectId);
  const scope = await deps.scopes.of(asking);
  const within = { index, scope, only, limit };
  await scope.ready(index, only);
  const { count, missing } = scope.permit(index, only);
  const intents = count === 0 ? [] : await intentsOf(deps, asking, request);
  const lists = await searchAll(deps, asking, { ...within, intents });
  const hits = interleaved(lists, limit);
  const isTold = new Set(hits.map(({ id }) => id));
  // What somebody typed is learned from; what a model made of it is not.
  const typed = request.queries ?? [request.query as string];
  const found = request.query === undefined ? lists : [hits];
  deps.governance.searched(
    bearerOf(asking.caller),
    projectId,
    typed.map((query, at) => ({ query, hits: (found[at] ?? []).filter(({ id }) => isTold.has(id)) })),
  );
  const usable = await usableOf(deps, asking, hits);
  const tools = await told(deps, asking, hits, usable);
  const isWhole = missing === 0;
  if (tools.length === 0) {
    const elsewhere = () => namespacesOf(deps, asking, { ...within, only: {}, intents: typed });
    return { tools, advice: await adviceOnNothing({ scope, isWhole, only, elsewhere }) };
  }
  const each = typed.map((text, at) => {
    const [best] = lists[at] ?? [];
    return { text, isMissed: best === undefined, best: usable.get(best?.id ?? '') ?? null };
  });
  // A model finds by more than the words that are there.
  const advice = adviceOnFound(each, deps.models === null, isWhole);
  return { tools, ...(advice === undefined ? {} : { advice }) };
}

/** Where something is found that was asked for. */
async function namespacesOf(
  deps: SearchToolsDeps,
  asking: HubAsking,
  searching: Searching,
): Promise<readonly string[]> {
  await searching.scope.ready(searching.index, searching.only);
  const hits = interleaved(await searchAll(deps, asking, searching), searching.limit);
  const usable = await usableOf(deps, asking, hits);
  return hits.flatMap(({ id }) => usable.get(id)?.tool ?? []).map(deps.refs.namespaceOf);
}

/** What was asked for; one question that is several is searched as these, beside itself. */
async function intentsOf(
  { models }: SearchToolsDeps,
  { caller, signal }: HubAsking,
  { query, queries }: SearchToolsRequest,
): Promise<readonly string[]> {
  if (query === undefined) return queries ?? [];
  const parts = (await models?.rewrite(query, { scope: bearerOf(caller), signal })) ?? [];
  return [query, ...parts];
}

interface Searching {
  readonly index: SearchIndex;
  readonly scope: Scope;
  readonly only: Only;
  readonly intents: readonly string[];
  readonly limit: number;
}

/** Of each intent, what was found, the best first. */
async function searchAll(
  deps: SearchToolsDeps,
  asking: HubAsking,
  { index, scope, only, intents, limit }: Searching,
): Promise<readonly (readonly Hit[])[]> {
  const { models } = deps;
  // Bits are named at the moment of the search: later they may mean others.
  const permit = () => scope.permit(index, only);
  const { projectId } = asking.caller.principal;
  if (models === null) {
    const permitted = permit();
    return await Promise.all(intents.map((text) => index.search({ text, permitted, limit })));
  }
  const by = { scope: bearerOf(asking.caller), signal: asking.signal };
  const vectors = await models.embedQueries(projectId, intents, by);
  const weight = models.documents.space(projectId)?.weight;
  const candidates = models.candidates();
  const permitted = permit();
  const lists = await Promise.all(
    intents.map((text, at) => {
      const vector = vectors?.[at];
      return index.search({
        text,
        permitted,
        limit: Math.max(limit, candidates ?? 0),
        ...(vector === undefined ? {} : { vector, weight }),
      });
    }),
  );
  if (candidates === null) return lists;
  return await Promise.all(lists.map((hits, at) => reranked(deps, asking, intents[at] as string, hits)));
}

/** In the order of the model that is configured for it; as it was where that does not answer. */
async function reranked(
  { models, scopes }: SearchToolsDeps,
  asking: HubAsking,
  query: string,
  hits: readonly Hit[],
): Promise<readonly Hit[]> {
  const usable = await scopes.withIds(
    asking,
    hits.map(({ id }) => id),
  );
  const known = hits.filter(({ id }) => usable.has(id));
  const texts = known.map(({ id }) => textOf(usable.get(id) as ShownTool));
  const scores = await models?.rerank(query, texts, {
    scope: bearerOf(asking.caller),
    signal: asking.signal,
  });
  if (scores == null) return hits;
  return known
    .map((hit, at) => ({ ...hit, score: scores[at] ?? 0 }))
    .sort((one, other) => other.score - one.score);
}

const textOf = ({ tool, description }: ShownTool) => `${tool.name}\n${description}`.slice(0, 2000);

/** The best of each intent, then the second best of each; none twice. */
function interleaved(lists: readonly (readonly Hit[])[], limit: number): readonly Hit[] {
  const hits = new Map<string, Hit>();
  for (let rank = 0; rank < limit; rank++) {
    for (const list of lists) {
      const hit = list[rank];
      if (hit !== undefined && hits.size < limit && !hits.has(hit.id)) hits.set(hit.id, hit);
    }
  }
  return [...hits.values()];
}

/** Other places of the same tool that are worth naming. */
const maxAlike = 5;

type Usable = ReadonlyMap<string, ShownTool>;

/** Of all that is named with what was found, what may be used: a moment ago it may have been more. */
function usableOf(
  { scopes, governance }: SearchToolsDeps,
  asking: HubAsking,
  hits: readonly Hit[],
): Promise<Usable> {
  const { projectId } = asking.caller.principal;
  const successorOf = (id: string) => governance.curationOf(projectId, id).successorId ?? [];
  const named = hits.flatMap(({ id, alike }) => [id, ...alike.slice(0, maxAlike), successorOf(id)].flat());
  return scopes.withIds(asking, named);
}

async function told(
  deps: SearchToolsDeps,
  asking: HubAsking,
  hits: readonly Hit[],
  usable: Usable,
): Promise<FoundTool[]> {
  const { governance, refs } = deps;
  const { projectId } = asking.caller.principal;
  const found = hits.flatMap(({ id }) => usable.get(id) ?? []);
  const consents = await consentsMissing(deps, asking.caller, found);
  const { caller, gateway } = asking;
  const mayWait = (target: Tool) => deps.policy.foreseen({ caller, gateway, target }).mayWaitForApproval;

  return hits.flatMap((hit): FoundTool[] => {
    const shown = usable.get(hit.id);
    if (shown === undefined) return [];
    const { tool } = shown;
    const { lifecycle, successorId } = governance.curationOf(projectId, tool.id);
    const successor = usable.get(successorId ?? '')?.tool;
    const also = hit.alike.flatMap((id) => usable.get(id)?.tool ?? []).map(refs.refOf);
    return [
      {
        tool: refs.refOf(tool),
        namespace: refs.namespaceOf(tool),
        summary: summaryOf(shown),
        score: Math.round(hit.score * 1000) / 1000,
        ...(also.length === 0 ? {} : { also }),
        ...requiresOf(consents.has(tool), mayWait(tool)),
        ...(tool.traits.readOnly ? { read_only: true } : {}),
        ...(lifecycle === 'deprecated'
          ? { deprecated: successor === undefined ? {} : { successor: refs.refOf(successor) } }
          : {}),
      },
    ];
  });
}

function requiresOf(consent: boolean, approval: boolean): Pick<FoundTool, 'requires'> {
  if (!consent && !approval) return {};
  return { requires: [...(consent ? ['consent' as const] : []), ...(approval ? ['approval' as const] : [])] };
}

/** A tool that says nothing of itself has its name. */
export function summaryOf({ tool, description }: { tool: Tool; description: string }): string {
  const title = tool.mcp.title;
  return oneLine(description) || oneLine(typeof title === 'string' ? title : '') || oneLine(tool.name);
}
