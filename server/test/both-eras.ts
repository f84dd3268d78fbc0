import { type Era, type EraServer, startEraServer } from './era-server.ts';
import { startApp, type TestApp } from './start-app.ts';

export const eras = ['legacy', 'modern'] as const;

export interface BothEras {
  readonly app: TestApp;
  readonly servers: Readonly<Record<Era, EraServer>>;
  close(): Promise<void>;
}

/** A gateway before a server of either era, each under its own names at the slug of its era; their lists are known. */
export async function startBothEras(): Promise<BothEras> {
  const servers = { legacy: await startEraServer('legacy'), modern: await startEraServer('modern') };
  const app = await startApp(`
workers:
  - { id: legacy, mcp: { uri: "${servers.legacy.uri}" } }
  - { id: modern, mcp: { uri: "${servers.modern.uri}" } }
gateways:
  - { name: Legacy, slug: legacy, naming: source, tool_filter: { allowed_tools: ["legacy.*"] } }
  - { name: Modern, slug: modern, naming: source, tool_filter: { allowed_tools: ["modern.*"] } }
`);
  for (const era of eras) await app.app.rooms.sources.refresh('default', era);
  return {
    app,
    servers,
    async close() {
      await app.close();
      for (const era of eras) await servers[era].close();
    },
  };
}
