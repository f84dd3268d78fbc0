import { type AuditEventsResponse, auditEventsQuery, maxPageLimit } from '@sallyport/contracts';
import { ok } from '#foundation';
import { type RestDeps, type Route, route } from '../route.ts';

export function auditRoutes({ audit }: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'audit_events.list',
      summary: 'What happened, newest first',
      method: 'GET',
      path: '/audit_events',
      needs: 'admin',
      query: auditEventsQuery,
      success: 200,
      async run({ projectId, query }) {
        const { user_id, limit: asked, ...filters } = query;
        const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
        const limit = Math.min(asked, maxPageLimit);
        const found = await audit.query({
          projectId,
          limit,
          ...(user_id === undefined ? {} : { userId: user_id }),
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
  ];
}
