import type { Answer, RestDeps, Route } from '../route.ts';
import { openApiDocument } from './open-api.ts';

interface OpenRoute {
  readonly path: string;
  run(requestUrl: string): Answer | Promise<Answer>;
}

/** What anybody may ask, without a key. */
export function aboutRoutes(
  { version, publicUrl, unready, issuer }: RestDeps,
  routes: readonly Route[],
): readonly OpenRoute[] {
  let document: Record<string, unknown> | null = null;
  return [
    {
      path: '/health',
      async run() {
        const missing = await unready();
        if (missing === null) return { status: 200, body: { healthy: true } };
        return { status: 503, body: { healthy: false, reason: `not ready: ${missing}` } };
      },
    },
    {
      path: '/config',
      run: () => ({
        status: 200,
        body: {
          issuer: issuer(),
          dashboard: { authority: issuer(), coordinatorUri: issuer() },
          oauth2: {
            callback_url_template: `${issuer()}/connect/callback/{project_id}/providers/{provider_id}`,
          },
          servers: { timeout_max_seconds: 3600 },
        },
      }),
    },
    {
      path: '/swagger',
      run(requestUrl) {
        document ??= openApiDocument(version, routes);
        return {
          status: 200,
          body: { ...document, servers: [{ url: publicUrl ?? new URL(requestUrl).origin }] },
        };
      },
    },
  ];
}
