import {
  type ApproveChangesRequest,
  type ApproveChangesResponse,
  approveChangesRequest,
  pageQuery,
  type ToolChangeResponse,
} from '@sallyport/contracts';
import type { ToolChange } from '#catalog';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { veilOf } from '#sources';
import { pageOf } from '../paging.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { namedWorker } from './named-worker.ts';

/** Tools whose definitions are not the approved ones, and their approval. */
export function changeRoutes(deps: RestDeps): readonly Route[] {
  const { catalog } = deps;
  return [
    route({
      operation: 'workers.changes',
      summary: 'The tools of one worker that changed after they were approved',
      method: 'GET',
      path: '/workers/{id}/changes',
      needs: 'inspect',
      query: pageQuery,
      success: 200,
      async run({ projectId, params, query }) {
        const found = namedWorker(deps, { projectId, params });
        if (!found.ok) return found;
        const veil = veilOf(found.value);
        const changes = await catalog.toolChanges(projectId, found.value.id);
        return ok({ status: 200, body: pageOf(changes, query, (change) => veil(changeResponse(change))) });
      },
    }),
    route({
      operation: 'workers.approve_changes',
      summary: 'Approve changed tools; those in quarantine can be called again',
      method: 'POST',
      path: '/workers/{id}/changes/approve',
      needs: 'configure',
      mutates: true,
      body: approveChangesRequest,
      success: 200,
      async run({ projectId, params, body }) {
        const found = namedWorker(deps, { projectId, params });
        if (!found.ok) return found;
        const { id } = found.value;
        const wanted = wantedOf(body, await catalog.toolChanges(projectId, id));
        if (!wanted.ok) return wanted;
        const approved = await catalog.approveChanges(projectId, id, wanted.value);
        const veil = veilOf(found.value);
        const answer: ApproveChangesResponse = {
          approved: approved.map((change) => veil(changeResponse(change))),
        };
        const names = approved.map(({ qualifiedName, digest }) => `${qualifiedName} ${digest}`);
        return ok({ status: 200, body: answer, changed: { approved: names } });
      },
    }),
  ];
}

/** What is named must wait for approval, so that a misspelt name is not taken for an approved tool. */
function wantedOf(
  { tools, digests }: ApproveChangesRequest,
  pending: readonly ToolChange[],
): Result<(change: ToolChange) => boolean, Refusal> {
  const keyOf = (change: ToolChange) =>
    digests === undefined ? change.qualifiedName.toLowerCase() : change.digest;
  const wanted = digests ?? tools?.map((name) => name.toLowerCase());
  if (wanted === undefined) return ok(() => true);
  const waiting = new Set(pending.map(keyOf));
  const missing = wanted.find((key) => !waiting.has(key));
  if (missing !== undefined) {
    const field = digests === undefined ? 'tools' : 'digests';
    return err(
      refusal('resource.unknown', `${field}: no change of ${missing} waits for approval`, { field }),
    );
  }
  const chosen = new Set(wanted);
  return ok((change) => chosen.has(keyOf(change)));
}

function changeResponse(change: ToolChange): ToolChangeResponse {
  return {
    tool: change.qualifiedName,
    tool_id: change.toolId,
    state: change.quarantined ? 'quarantined' : 'flagged',
    seen_at: change.seenAt,
    digest: change.digest,
    changes: [...change.differences],
    left_out: change.leftOut,
    definition: change.definition,
  };
}
