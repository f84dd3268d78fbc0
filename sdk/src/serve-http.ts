import { toNodeHandler } from '@modelcontextprotocol/node';
import type { AuthInfo, McpRequestContext } from '@modelcontextprotocol/server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { ServerInfo } from './define-tool.ts';
import { environmentSecrets } from './environment-secrets.ts';
import type { RunningServer } from './http-server.ts';
import { startHttpServer } from './http-server.ts';
import type { McpCaller } from './mcp-server-factory.ts';
import { createMcpServerFactory } from './mcp-server-factory.ts';
import { sendJson } from './send-json.ts';
import type { Settings } from './settings.ts';
import { isLoopback } from './settings.ts';
import type { ToolCatalog } from './tool-catalog.ts';
import type { RouteHandler } from './worker-routes.ts';
import { bearerToken, createWorkerRoutes } from './worker-routes.ts';
import type { WorkerTokenCheck } from './worker-token.ts';
import { createWorkerTokenCheck } from './worker-token.ts';

const shortestSecretBytes = 32;

/**
 * Serves `/mcp`, and `/worker/*` where a worker secret is set.
 *
 * `/mcp` must not become a way around the gateway that the worker secret is for. So a caller without a token signed
 * with that secret gets no secrets and no user: user id headers count only beside a good token. Without a worker
 * secret the headers are taken at their word, because then there is nothing they could open.
 */
export async function serveHttp(
  info: ServerInfo,
  catalog: ToolCatalog,
  settings: Settings,
): Promise<RunningServer> {
  const nowMs = Date.now;
  const { worker } = settings;
  const checkToken = worker?.auth === 'jwt' ? createWorkerTokenCheck(worker.secret, nowMs) : null;
  if (worker?.auth === 'jwt' && Buffer.byteLength(worker.secret) < shortestSecretBytes) {
    console.error(`warning: the worker secret is shorter than ${shortestSecretBytes} bytes`);
  }
  const mcp = createMcpHandler(
    createMcpServerFactory({ info, catalog, callerOf: (request) => callerOf(request, settings, checkToken) }),
  );
  return await startHttpServer({
    host: settings.host,
    port: settings.port,
    localOnly: isLoopback(settings.host),
    routes: {
      ...(worker !== null && createWorkerRoutes({ catalog, checkToken, nowMs })),
      '* /mcp': mcpRoute(toNodeHandler(mcp, { onerror: reportError }), checkToken),
    },
    endStreams: () => mcp.close(),
    reportError,
  });
}

function mcpRoute(
  serve: ReturnType<typeof toNodeHandler>,
  checkToken: WorkerTokenCheck | null,
): RouteHandler {
  return async (request, response) => {
    const token = bearerToken(request);
    if (token !== null && checkToken !== null) {
      const problem = checkToken(token);
      if (problem !== null) {
        const detail = `Invalid token. Error: ${problem}`;
        return sendJson(response, 401, { detail }, { 'WWW-Authenticate': 'Bearer' });
      }
      Object.assign(request, { auth: { token: '', clientId: 'gateway', scopes: [] } satisfies AuthInfo });
    }
    await serve(request as Parameters<typeof serve>[0], response);
  };
}

function callerOf(
  { authInfo, requestInfo }: McpRequestContext,
  settings: Settings,
  checkToken: WorkerTokenCheck | null,
): McpCaller {
  const authenticated = authInfo !== undefined;
  const named = requestInfo?.headers.get('Sallyport-User-ID') ?? requestInfo?.headers.get('Arcade-User-ID');
  return {
    userId: authenticated || checkToken === null ? named || null : null,
    secret: authenticated ? environmentSecrets(settings.env) : null,
  };
}

function reportError(error: unknown): void {
  console.error(error);
}
