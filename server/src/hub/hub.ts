import type { Audit } from '#audit';
import type { Catalog } from '#catalog';
import type { Credentials } from '#credentials';
import { type Refusal, refusal } from '#domain';
import { type Clock, err, messageOf, ok, type Result } from '#foundation';
import type { Pipeline } from '#pipeline';
import type { Policy } from '#policy';
import type { Sources } from '#sources';
import type { Log } from '#telemetry';
import type { Hub, HubAsking } from './contract.ts';
import type { Executions } from './executions/contract.ts';
import { isFull } from './executions/refusals.ts';
import { findTool } from './find-tool.ts';
import { bearerOf } from './governance/bearer.ts';
import type { Governance } from './governance/contract.ts';
import { createIndexing } from './indexing.ts';
import type { Models } from './models/contract.ts';
import { namespacesIn } from './namespaces.ts';
import { type AutoThreshold, listedTo } from './presents.ts';
import { recordAsked } from './record-asked.ts';
import { createScopes } from './scopes.ts';
import type { SearchEngine } from './search/contract.ts';
import { searchTools } from './search-tools.ts';
import { getToolDetails } from './tool-details.ts';
import { createToolFinder } from './tool-finder.ts';
import { createToolRefs } from './tool-ref.ts';

export interface HubDeps {
  readonly catalog: Catalog;
  readonly pipeline: Pipeline;
  readonly policy: Policy;
  readonly credentials: Credentials;
  readonly sources: Sources;
  readonly audit: Audit;
  readonly governance: Governance;
  readonly executions: Executions;
  /** `null`: search does without. */
  readonly models: Models | null;
  /** From how much on a list is too long, where a gateway leaves it open. */
  readonly auto: () => AutoThreshold;
  readonly projectIds: () => Iterable<string>;
  /** Called once, when somebody searches for the first time, or there is much to search. */
  readonly openEngine: () => Promise<SearchEngine>;
  /** As in `IndexingDeps`. */
  readonly snapshotOf: (projectId: string) => string;
  readonly clock: Clock;
  readonly log: Log;
}

export function createHub(given: HubDeps): Hub {
  const { governance, executions, models, auto } = given;
  const refs = createToolRefs(given.sources);
  const below = { ...given, refs, finder: createToolFinder() };
  const scopes = createScopes(below);
  const indexing = createIndexing({ ...below, models: models?.documents ?? null });
  const deps = { ...given, refs, scopes, indexing };

  /** With its one record, also where it fails, and told as a result. */
  async function asked<T>(
    asking: HubAsking,
    what: string,
    work: () => Promise<T>,
  ): Promise<Result<T, Refusal>> {
    const answer = await work().catch(async (error) => {
      const reason = messageOf(error);
      await recordAsked(deps, asking, what, refusal('internal', 'something went wrong here', { reason }));
      throw error;
    });
    await recordAsked(deps, asking, what);
    return ok(answer);
  }

  /** The call has its record; what was refused before it came to one has another. */
  async function ran<T>(
    asking: HubAsking,
    what: string,
    work: () => Promise<Result<T, Refusal>>,
  ): Promise<Result<T, Refusal>> {
    const outcome = await work();
    if (!outcome.ok && (isFull(outcome.error) || /^(execution|request|server)\./.test(outcome.error.code)))
      await recordAsked(deps, asking, what, outcome.error);
    return outcome;
  }

  return {
    governance,
    searchTools: (asking, request) => asked(asking, 'search_tools', () => searchTools(deps, asking, request)),
    getToolDetails: (asking, request) =>
      asked(asking, 'get_tool_details', () => getToolDetails(deps, asking, request)),
    listNamespaces: (asking, { prefix = '' }) =>
      asked(asking, 'list_namespaces', async () => namespacesIn((await scopes.of(asking)).spaces, prefix)),
    async executeTool(asking, { tool, ...request }) {
      const found = await findTool(deps, asking, tool);
      if (!found.ok) {
        const { hidden: _, ...told } = found.error;
        await recordAsked(deps, asking, 'execute_tool', found.error);
        return err(told);
      }
      const wanted = {
        ...request,
        shown: found.value,
        ref: refs.refOf(found.value.tool),
        query: governance.queryFor(bearerOf(asking.caller), found.value.tool.id),
      };
      return await ran(asking, 'execute_tool', () => executions.execute(asking, wanted));
    },
    resumeExecution: (asking, { execution_id, response = null, wait_ms = null }) =>
      ran(asking, 'resume_execution', () => executions.resume(asking, execution_id, response, wait_ms)),
    followExecution: (asking, id, answers) =>
      ran(asking, 'resume_execution', () => executions.follow(asking, id, answers)),
    cancelExecution: (asking, { execution_id }) =>
      ran(asking, 'cancel_execution', () => executions.cancel(asking, execution_id)),
    lookAt: (asking, id) => executions.look(asking, id),
    listExecutions: (asking, page) => executions.list(asking, page),
    reportMissing: (asking, { need }) =>
      asked(asking, 'report_missing', () =>
        governance.missing(bearerOf(asking.caller), asking.caller.principal.projectId, need),
      ),
    async listed(caller, view) {
      const tools = await listedTo(caller, view, auto(), scopes);
      // Whoever sees the six will search.
      if (tools === null) indexing.warm(view.gateway.projectId);
      return tools;
    },
    begin() {
      indexing.begin(given.projectIds());
      return executions.begin();
    },
    indexed: () => indexing.settled(),
    drain: (graceMs) => executions.close(graceMs),
    async close() {
      await indexing.close();
      await models?.close();
      await governance.close();
    },
  };
}
