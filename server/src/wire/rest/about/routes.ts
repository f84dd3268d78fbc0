import type { RestDeps, Route } from '../route.ts';
import { openApiDocument } from './open-api.ts';

interface OpenRoute {
  readonly path: string;
  run(requestUrl: string): unknown;
}

/** What anybody may ask, without a key. */
export function aboutRoutes(
  { version, publicUrl }: RestDeps,
  routes: readonly Route[],
): readonly OpenRoute[] {
  let document: Record<string, unknown> | null = null;
  return [
    { path: '/health', run: () => ({ healthy: true }) },
    { path: '/config', run: () => ({ dashboard: {}, oauth2: {}, servers: { timeout_max_seconds: 3600 } }) },
    {
      path: '/swagger',
      run(requestUrl) {
        document ??= openApiDocument(version, routes);
        return { ...document, servers: [{ url: publicUrl ?? new URL(requestUrl).origin }] };
      },
    },
  ];
}
