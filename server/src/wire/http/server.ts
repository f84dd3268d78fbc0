import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { errorCodes } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { Fault } from '#foundation';
import type { CountAnswer } from './answers.ts';
import { behind, createFastFront } from './fast/front.ts';
import type { WholeRequest } from './fast/whole-request.ts';
import { gatewaySlugOf } from './gateway-path.ts';
import type { HttpRequest, HttpResponse } from './message.ts';
import { closedToScraper, type MetricsPage, serveMetrics } from './metrics-page.ts';
import { createOpenConnections } from './open-connections.ts';
import type { OriginPolicy } from './origin.ts';

/** What each part of the path space is served by; `null` where this process does not have the role. */
export interface Fronts {
  readonly mcp: ((request: HttpRequest, response: HttpResponse, slug: string) => Promise<void>) | null;
  /** Everything below `/v1/`. */
  readonly rest: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** Whatever else is served; the first that fits. */
  readonly more: readonly Front[];
  /** What `/readyz` says. */
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: MetricsPage;
  readonly answered: CountAnswer;
  readonly version: string;
  /** Holds for all but gateways, which record what they refuse. */
  readonly origins: OriginPolicy;
}

export interface Front {
  /** How its paths begin: `/oauth2/`. */
  readonly at: string;
  readonly serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Pages of any origin may ask: it goes by what a request carries, and never by a cookie. */
  readonly open?: true;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly [detail: string]: unknown }>>;
}

export interface HttpServer {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** From now on each new connection is offered, before anything of it was read; `true`: somebody else has it. */
  offer(take: (connection: IncomingMessage['socket']) => boolean): void;
  /** Goes on with a connection that somebody else had, and of which these bytes were read. */
  goOn(connection: IncomingMessage['socket'], bytes: Buffer): void;
  /** Answers a request to a gateway that somebody else read. */
  answer(request: WholeRequest, response: HttpResponse): void;
  /** Stops accepting, waits for answers under way, at most `graceMs`; then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** A token that names a user and a thousand groups is a header. */
const maxHeaderSize = 80 * 1024;
export const keepAliveMs = 75_000;

/** Listens. Throws a Fault that names the address when it is taken. */
export async function listen(host: string, port: number, fronts: Fronts): Promise<HttpServer> {
  let stopping = false;
  const options = { keepAliveTimeout: keepAliveMs, requestTimeout: 60_000, maxHeaderSize };
  const server = createServer(options, (request, response) => {
    if (stopping || (offered !== null && isOfSession(request))) response.setHeader('connection', 'close');
    route(request, response, fronts);
  });
  const { mcp } = fronts;
  const answer: HttpServer['answer'] = (request, response) => {
    if (mcp !== null) settle(mcp(request, response, request.slug), response, 'mcp', fronts);
  };
  const handOver = behind(server);
  const fast = createFastFront({ accepts: () => mcp !== null, serve: answer, handOver, keepAliveMs });
  let offered: ((connection: IncomingMessage['socket']) => boolean) | null = null;
  const open = createOpenConnections();
  const take = (connection: IncomingMessage['socket']) => {
    open.add(connection);
    fast.take(connection);
    connection.resume();
  };
  server.on('connection', (connection) => {
    if (!offered?.(connection)) take(connection);
  });
  // Long calls and streams are bounded by their own time-outs.
  server.timeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Fault(`cannot listen on ${host}:${port}: ${listenReason(cause)}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  const {
    address,
    family,
    port: taken,
  } = server.address() as { address: string; family: string; port: number };
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`,
    offer(take) {
      offered = take;
      // Whoever reads it reads all of it.
      Object.assign(server, { pauseOnConnect: true });
    },
    goOn(connection, bytes) {
      connection.unshift(bytes);
      take(connection);
    },
    answer,
    async close(graceMs) {
      stopping = true;
      const cut = setTimeout(() => {
        fast.cut();
        server.closeAllConnections();
      }, graceMs);
      fast.stop();
      // A kept-alive connection whose last answer is out would hold the server open.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      // Not for its callback: where connections went to processes that are all gone by now, Node never calls it.
      server.close();
      server.closeIdleConnections();
      await open.none();
      clearTimeout(cut);
      clearInterval(sweep);
    },
  };
}

function route(request: IncomingMessage, response: ServerResponse, fronts: Fronts): void {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  // No database holds a text with it, whoever would look for it. SCIM says so in its own words.
  if (url.includes('%00') && !path.startsWith('/scim/')) {
    settle(refuse(response, noText), response, 'server', fronts);
    return;
  }
  const slug = fronts.mcp === null ? null : gatewaySlugOf(url);
  if (fronts.mcp !== null && slug !== null) {
    settle(fronts.mcp(request, response, slug), response, 'mcp', fronts);
    return;
  }
  const front = fronts.more.find(({ at }) => path.startsWith(at));
  const origin = front?.open ? undefined : request.headers.origin;
  const foreign = fronts.origins.check(request.headers.host, origin);
  if (foreign !== null) settle(refuse(response, foreign), response, 'server', fronts);
  else if (front !== undefined) settle(front.serve(request, response), response, nameOf(front), fronts);
  else if (path.startsWith('/v1/') && fronts.rest !== null) {
    response.once('close', () => count(response, 'api', fronts));
    fronts.rest(request, response);
  } else settle(plain(path, request, response, fronts), response, 'server', fronts);
}

/**
 * A stream, or a goodbye. Connections that bring one are this process's from then on; that of a client, or of a proxy, that goes on
 * is to be given to any process again.
 */
function isOfSession({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'DELETE') && gatewaySlugOf(url) !== null;
}

const noText = refusal('request.params_invalid', 'the address must not hold a NUL character (%00)');

/** A front that fails costs its own request and nobody else's: an error that nobody handles would end the process. */
function settle(served: Promise<void>, response: HttpResponse, front: string, fronts: Fronts): void {
  served.then(
    () => count(response, front, fronts),
    () => response.destroy(),
  );
}

function count(response: HttpResponse, front: string, { answered }: Fronts): void {
  if (response.headersSent) answered(front, response.statusCode);
}

/** What its paths begin with, without slashes. */
function nameOf({ at }: Front): string {
  return at.replace(/^\/|\/$/g, '');
}

async function plain(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  fronts: Fronts,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, nothingHere(path));
  switch (path) {
    case '/healthz':
      return json(response, 200, { ok: true });
    case '/readyz': {
      const readiness = await fronts.readiness();
      return json(response, readiness.ready ? 200 : 503, readiness);
    }
    case '/metrics': {
      const closed = closedToScraper(fronts.metrics, request.headers.authorization);
      if (closed === null) return serveMetrics(fronts.metrics, request, response);
      response.setHeader('www-authenticate', 'Bearer');
      return refuse(response, closed);
    }
    case '/':
      return json(response, 200, {
        name: 'sallyport',
        version: fronts.version,
        gateways: '/mcp/{slug}',
        api: '/v1/swagger',
        health: ['/healthz', '/readyz'],
        metrics: '/metrics',
      });
    default:
      return refuse(response, nothingHere(path));
  }
}

function nothingHere(path: string): Refusal {
  return refusal(
    'resource.unknown',
    `there is nothing at ${path.slice(0, 200)}; gateways are at /mcp/{slug}, the API is below /v1/`,
  );
}

async function refuse(response: ServerResponse, { code, message }: Refusal): Promise<void> {
  response.setHeader('connection', 'close');
  json(response, errorCodes[code].status, { name: code, message });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function listenReason({ code, message }: NodeJS.ErrnoException): string {
  return code === 'EADDRINUSE'
    ? 'another process listens there. Stop it, or set SALLYPORT_PORT to another port'
    : message;
}
