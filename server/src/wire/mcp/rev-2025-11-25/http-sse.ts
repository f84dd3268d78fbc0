import { refusal } from '#domain';
import { err, messageOf, ok, type Result, randomHex } from '#foundation';
import type { Exchange } from '../exchange.ts';
import { type McpDeps, type Refused, refused } from '../front.ts';
import { hearerNow } from '../hearing.ts';
import { isModern, modernVersion } from '../rev-2026-07-28/envelope.ts';
import type { ClientMessage } from '../rpc.ts';
import { bearerOf } from '../tasks/calls.ts';
import { ClientStream, maxUnreadBytes, StreamedExchange } from './client-stream.ts';
import { changed } from './listening.ts';
import { legacyVersions } from './versions.ts';

const maxStreams = 5000;
const maxPerPrincipal = 1000;

/** Whether a GET comes from a client that knows only this transport: all others name a session or a revision. */
export function opensHttpSse({ request: { method, headers }, acceptsStream }: Exchange): boolean {
  return (
    method === 'GET' &&
    acceptsStream &&
    headers['mcp-session-id'] === undefined &&
    headers['mcp-protocol-version'] === undefined &&
    headers['last-event-id'] === undefined
  );
}

/**
 * HTTP+SSE, the transport of 2024-11-05: a GET opens the stream on which the client hears everything, and says where to POST to;
 * a POST is only taken. The stream is the session: it lives in this process, and when it ends all is over.
 */
export function createHttpSse(deps: McpDeps) {
  const streams = new Map<string, ClientStream>();
  const openOf = new Map<string, number>();

  function forget(id: string, { exchange, session }: ClientStream): void {
    const { principal } = exchange.caller;
    streams.delete(id);
    const left = (openOf.get(principal.id) ?? 1) - 1;
    if (left === 0) openOf.delete(principal.id);
    else openOf.set(principal.id, left);
    if (session === null || session.isOver) return;
    deps.sessions
      .end(session)
      .catch((error) =>
        deps.log.warn({ error: messageOf(error) }, 'a session was not ended with its stream'),
      );
  }

  return {
    /** GET. The first event names the address, by the path that the client itself came by. */
    open(exchange: Exchange): Result<void, Refused> {
      const { request, response, view, caller } = exchange;
      const openNow = openOf.get(caller.principal.id) ?? 0;
      if (streams.size >= maxStreams || openNow >= maxPerPrincipal) {
        return err(refused(refusal('session.limit', 'too many streams are open; close some, or try later')));
      }
      if (response.destroyed) return ok(undefined);
      const id = randomHex(16);
      const stream = new ClientStream(exchange, deps);
      streams.set(id, stream);
      openOf.set(caller.principal.id, openNow + 1);
      response.once('close', () => forget(id, stream));
      exchange.beginStream();
      const address = urlOf(request);
      address.searchParams.set(parameter, id);
      response.write(`event: endpoint\ndata: ${address.pathname}${address.search}\n\n`);
      const { lists } = stream;
      const mayHear = () => hearerNow(exchange, deps) !== null;
      deps.streams.hold(view.gateway.slug, {
        response,
        mayHear,
        lists,
        changed,
        goodbye: null,
        maxUnreadBytes,
      });
      return ok(undefined);
    },
    /** POST: where its message is served, once it is taken; `null` where it is for no stream. */
    take(
      exchange: Exchange,
      message: ClientMessage | ClientMessage[],
    ): Result<StreamedExchange | null, Refused> {
      const id = streamIdOf(exchange);
      if (id === null) return ok(null);
      const stream = streams.get(id);
      if (stream === undefined || stream.isOver) return unknown;
      if (bearerOf(stream.exchange) !== bearerOf(exchange)) return unknown;
      const problem = modernFault(exchange, message) ?? stream.whyNot(message);
      if (problem !== null) return err(problem);
      exchange.empty(202);
      return ok(new StreamedExchange(exchange, stream));
    },
  };
}

export type HttpSse = ReturnType<typeof createHttpSse>;

/** Names the stream in the address to POST to. It opens nothing without the key. */
const parameter = 'sse';

const unknown = err(
  refused(refusal('session.unknown', 'this stream has ended; open another', { field: parameter })),
);

function urlOf({ url = '/' }: Exchange['request']): URL {
  return new URL(`http://gateway${url}`);
}

function streamIdOf({ request }: Exchange): string | null {
  return request.url?.includes('?') ? urlOf(request).searchParams.get(parameter) : null;
}

function modernFault({ request }: Exchange, message: ClientMessage | ClientMessage[]): Refused | null {
  const version = request.headers['mcp-protocol-version'] as string | undefined;
  if (Array.isArray(message) || !isModern(version, message)) return null;
  const told = `revisions since ${modernVersion} have no HTTP+SSE: POST to the address of the gateway itself`;
  const requested = version ?? modernVersion;
  return refused(refusal('request.version_unsupported', told), { supported: legacyVersions, requested });
}
