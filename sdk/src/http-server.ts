import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server';
import { sendJson } from './send-json.ts';
import type { RouteHandler } from './worker-routes.ts';

export interface HttpServerDeps {
  host: string;
  port: number;
  /** Only names of this machine are accepted as Host and Origin, against DNS rebinding by a web page. */
  localOnly: boolean;
  routes: Record<string, RouteHandler>;
  /** Ends subscriptions, which otherwise stay open for ever; called once no other call is running. */
  endStreams: () => Promise<void>;
  reportError: (error: unknown) => void;
}

export interface RunningServer {
  url: string;
  /** Takes no new connections, finishes the calls in flight, then resolves. */
  stop(): Promise<void>;
}

/** How long calls in flight may take once the server is told to stop. */
const drainMs = 25_000;

export async function startHttpServer(deps: HttpServerDeps): Promise<RunningServer> {
  const open: OpenResponses = new Map();
  const server = createServer((request, response) => {
    open.set(response, { endless: request.headers['mcp-method'] === 'subscriptions/listen' });
    response.once('close', () => open.delete(response));
    if (!server.listening) response.setHeader('Connection', 'close');
    answer(deps, request, response).catch((error: unknown) => {
      const callerIsGone = !request.complete;
      if (!callerIsGone) deps.reportError(error);
      if (callerIsGone || response.headersSent) response.destroy();
      else sendJson(response, 500, { error: 'internal error' });
    });
  });
  await listen(server, deps);
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  let stopping: Promise<void> | null = null;
  return { url, stop: () => (stopping ??= drain(server, open, deps.endStreams)) };
}

async function answer(
  deps: HttpServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (deps.localOnly && !isLocal(request)) {
    return sendJson(response, 403, { error: 'this server only answers to names of this machine' });
  }
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const route = deps.routes[`${request.method} ${path}`] ?? deps.routes[`* ${path}`];
  if (route !== undefined) return await route(request, response);
  const allowed = Object.keys(deps.routes).filter((key) => key.endsWith(` ${path}`));
  if (allowed.length === 0) return sendJson(response, 404, { error: 'not found' });
  const methods = allowed.map((key) => key.split(' ')[0]).join(', ');
  sendJson(response, 405, { error: `only ${methods} here` }, { Allow: methods });
}

function isLocal(request: IncomingMessage): boolean {
  return (
    validateHostHeader(request.headers.host, localhostAllowedHostnames()).ok &&
    validateOriginHeader(request.headers.origin, localhostAllowedOrigins()).ok
  );
}

function listen(server: Server, { host, port }: HttpServerDeps): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

type OpenResponses = Map<ServerResponse, { endless: boolean }>;

async function drain(server: Server, open: OpenResponses, endStreams: () => Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const impatience = setTimeout(() => server.closeAllConnections(), drainMs);
  await allClosed([...open].filter(([, { endless }]) => !endless).map(([response]) => response));
  await endStreams();
  await allClosed([...open.keys()]);
  server.closeAllConnections();
  await closed;
  clearTimeout(impatience);
}

async function allClosed(responses: ServerResponse[]): Promise<void> {
  await Promise.all(
    responses.map((response) => response.closed || new Promise((resolve) => response.once('close', resolve))),
  );
}
