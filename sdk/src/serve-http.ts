import { toNodeHandler } from '@modelcontextprotocol/node';
import type { AuthInfo, McpRequestContext } from '@modelcontextprotocol/server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { ServerInfo } from './define-tool.ts';
import { environmentSecrets } from './environment-secrets.ts';
import type { RunningServer } from './http-server.ts';
import { startHttpServer } from './http-server.ts';
import type { McpCaller } from './mcp-server-factory.ts';
import { createMcpServerFactory } from './mcp-server-factory.ts';
import type { Settings } from './settings.ts';
import { isLoopback } from './settings.ts';
import { createStrictTokenCheck } from './strict-token.ts';
import type { ToolCatalog } from './tool-catalog.ts';
import { bearerToken, refuseToken, type WorkerChecks } from './worker-admission.ts';
import type { RouteHandler } from './worker-routes.ts';
import { createWorkerRoutes } from './worker-routes.ts';
import { createWorkerTokenCheck } from './worker-token.ts';

const shortestSecretBytes = 32;

/**
 * Serves `/mcp`, and `/worker/*` where a worker secret is set.
 *
 * `/mcp` must not become a way around the gateway that the worker secret is for. So a caller without a token signed
 * with that secret gets no secrets and no user: user id headers count only beside a good token. Without a worker
 * secret the headers are taken at their word, because then there is nothing they could open. In strict mode `/mcp` takes no
 * worker token at all: the user's name is in a header there, which no digest covers.
 */
export async function serveHttp(
  info: ServerInfo,
  catalog: ToolCatalog,
  settings: Settings,
): Promise<RunningServer> {
  const nowMs = Date.now;
  const { worker } = settings;
  const checks = worker?.auth === 'jwt' ? checksOf(worker, nowMs) : null;
  if (worker?.auth === 'jwt' && Buffer.byteLength(worker.secret) < shortestSecretBytes) {
    console.error(`warning: the worker secret is shorter than ${shortestSecretBytes} bytes`);
  }
  const mcp = createMcpHandler(
    createMcpServerFactory({ info, catalog, callerOf: (request) => callerOf(request, settings, checks) }),
  );
  return await startHttpServer({
    host: settings.host,
    port: settings.port,
    localOnly: isLoopback(settings.host),
    routes: {
      ...(worker !== null && createWorkerRoutes({ catalog, checks, nowMs })),
      '* /mcp': mcpRoute(toNodeHandler(mcp, { onerror: reportError }), checks),
    },
    endStreams: () => mcp.close(),
    reportError,
  });
}

function checksOf(
  { secret, strict }: { secret: string; strict: boolean },
  nowMs: () => number,
): WorkerChecks {
  return {
    token: createWorkerTokenCheck(secret, nowMs),
    strict: strict ? createStrictTokenCheck(nowMs) : null,
  };
}

function mcpRoute(serve: ReturnType<typeof toNodeHandler>, checks: WorkerChecks | null): RouteHandler {
  return async (request, response) => {
    const token = bearerToken(request);
    if (token !== null && checks !== null) {
      if (checks.strict !== null)
        return void refuseToken(response, 'a strict worker takes it on /worker only');
      const checked = checks.token(token);
      if (!checked.ok) return void refuseToken(response, checked.problem);
      Object.assign(request, { auth: { token: '', clientId: 'gateway', scopes: [] } satisfies AuthInfo });
    }
    await serve(request as Parameters<typeof serve>[0], response);
  };
}

function callerOf(
  { authInfo, requestInfo }: McpRequestContext,
  settings: Settings,
  checks: WorkerChecks | null,
): McpCaller {
  const authenticated = authInfo !== undefined;
  const named = requestInfo?.headers.get('Sallyport-User-ID') ?? requestInfo?.headers.get('Arcade-User-ID');
  return {
    userId: authenticated || checks === null ? named || null : null,
    secret: authenticated ? environmentSecrets(settings.env) : null,
  };
}

function reportError(error: unknown): void {
  console.error(error);
}
