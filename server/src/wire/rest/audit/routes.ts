import {
  type AuditEventsResponse,
  auditEventsQuery,
  auditVerifyQuery,
  maxPageLimit,
} from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, ok } from '#foundation';
import { firstOrganizationId, type RestDeps, type Route, route } from '../route.ts';

/** Each process writes one log for all organisations. */
const ofAll = refusal(
  'identity.scope_missing',
  "the log is the whole installation's: only the first organization, which runs it, verifies it",
);

export function auditRoutes({ audit }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'audit_events.list',
      summary: 'What happened, newest first',
      method: 'GET',
      path: '/audit_events',
      needs: 'audit',
      query: auditEventsQuery,
      success: 200,
      async run({ projectId, query }) {
        const { user_id, client_id, execution_id, limit: asked, ...filters } = query;
        const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
        const limit = Math.min(asked, maxPageLimit);
        const found = await audit.query({
          projectId,
          limit,
          ...(user_id === undefined ? {} : { userId: user_id }),
          ...(client_id === undefined ? {} : { clientId: client_id }),
          ...(execution_id === undefined ? {} : { executionId: execution_id }),
          ...given,
        });
        if (!found.ok) return found;
        const page = found.value;
        const body: AuditEventsResponse = {
          items: [...page.items],
          limit,
          offset: 0,
          page_count: page.items.length,
          total_count: page.totalCount,
          next_cursor: page.nextCursor,
        };
        return ok({ status: 200, body });
      },
    }),
    // Before `{id}`, which it would be taken for.
    route({
      operation: 'audit_events.verify',
      summary: 'Whether any record was altered, taken out or put in since it was written',
      method: 'GET',
      path: '/audit_events/verify',
      needs: 'audit',
      query: auditVerifyQuery,
      success: 200,
      async run({ organizationId, query: { since, anchor } }) {
        if (organizationId !== firstOrganizationId) return err(ofAll);
        return ok({
          status: 200,
          body: await audit.verify({
            ...(since === undefined ? {} : { since }),
            ...(anchor === undefined ? {} : { anchor }),
          }),
        });
      },
    }),
    route({
      operation: 'audit_events.get',
      summary: 'One record, with everything that policy said',
      method: 'GET',
      path: '/audit_events/{id}',
      needs: 'audit',
      success: 200,
      async run({ projectId, params: { id = '' } }) {
        const event = await audit.get(projectId, id);
        return event === null
          ? err(refusal('resource.unknown', `there is no audit event ${id}`, { field: 'id' }))
          : ok({ status: 200, body: event });
      },
    }),
  ];
}
