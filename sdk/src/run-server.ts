import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { ServerInfo } from './define-tool.ts';
import { environmentSecrets } from './environment-secrets.ts';
import { createMcpServerFactory } from './mcp-server-factory.ts';
import { serveHttp } from './serve-http.ts';
import type { Settings } from './settings.ts';
import type { ToolCatalog } from './tool-catalog.ts';

/** Serves for as long as the process lives. Over HTTP, stdout says where, for the program that started this one. */
export async function runServer(info: ServerInfo, catalog: ToolCatalog, settings: Settings): Promise<void> {
  if (settings.transport === 'http') {
    const server = await serveHttp(info, catalog, settings);
    process.stdout.write(`${JSON.stringify({ listening: server.url })}\n`);
    process.stderr.write(`listening on ${server.url}\n`);
    exitAfter(() => server.stop());
    return;
  }
  const caller = { userId: settings.userId, secret: environmentSecrets(settings.env) };
  const connection = serveStdio(createMcpServerFactory({ info, catalog, callerOf: () => caller }), {
    onerror: (error) => console.error(error),
  });
  exitAfter(() => connection.close());
}

/** A second signal does not wait for the calls in flight. */
function exitAfter(stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}
