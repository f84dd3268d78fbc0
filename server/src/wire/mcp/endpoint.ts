import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodes } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, messageOf, type Result } from '#foundation';
import { readBody } from '../http/body.ts';
import type { OriginPolicy } from '../http/origin.ts';
import { Exchange } from './exchange.ts';
import { type McpDeps, type Refused, recordRefused, refused } from './front.ts';
import { endSession, openStream, serveLegacy } from './rev-2025-11-25/serve.ts';
import { isModern, serveModern } from './rev-2026-07-28/serve.ts';
import { type ClientMessage, errorMessage, parseBody, type RpcId } from './rpc.ts';

/** Serves `/mcp/{slug}`: who may come in is decided first, then which generation of the protocol the request speaks. */
export function createMcpEndpoint(deps: McpDeps, origins: OriginPolicy) {
  return async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    slug: string,
  ): Promise<void> {
    const startedAt = deps.clock.monotonic();
    const entered = enter(request, response, slug, startedAt);
    if (!entered.ok) return await refuseAtTheDoor(request, response, slug, entered.error);
    const exchange = entered.value;
    let id: RpcId | null = null;
    try {
      const served = await (request.method === 'POST'
        ? post(exchange, (known) => {
            id = known;
          })
        : withoutBody(exchange));
      if (served.ok) return;
      await recordRefused(exchange, served.error, deps);
      tell(exchange, served.error, id);
    } catch (error) {
      deps.log.error({ err: error, gateway: slug }, 'a request to a gateway failed inside the server');
      tell(
        exchange,
        refused(refusal('internal', 'something went wrong here', { reason: messageOf(error) })),
        id,
      );
    }
  };

  function enter(
    request: IncomingMessage,
    response: ServerResponse,
    slug: string,
    startedAt: number,
  ): Result<Exchange, Refusal> {
    const { headers } = request;
    const foreign = origins.check(headers.host, headers.origin);
    if (foreign !== null) return err(foreign);
    const view = deps.catalog.view(slug);
    const caller = deps.pipeline.authenticate(
      { authorization: headers.authorization, userId: userIdOf(request), userRequired: true },
      view?.gateway ?? null,
    );
    if (!caller.ok) return caller;
    if (view === null) return err(refusal('gateway.unknown', `there is no gateway ${slug}`));
    return { ok: true, value: new Exchange(request, response, caller.value, view, startedAt) };
  }

  async function post(exchange: Exchange, identified: (id: RpcId) => void): Promise<Result<void, Refused>> {
    const { headers } = exchange.request;
    if (!isJson(headers['content-type'])) {
      return err(
        refused(
          refusal('request.media_type', 'the body must be application/json', { field: 'Content-Type' }),
        ),
      );
    }
    if (!acceptsJson(headers.accept)) {
      const wanted = 'the client must accept application/json and text/event-stream';
      return err(refused(refusal('request.not_acceptable', wanted, { field: 'Accept' })));
    }
    const body = await readBody(exchange.request);
    if (!body.ok) return err(refused(body.error));
    const parsed = parseBody(body.value);
    if (!parsed.ok) return err(refused(parsed.error));
    return await dispatch(exchange, parsed.value, identified);
  }

  async function dispatch(
    exchange: Exchange,
    message: ClientMessage | ClientMessage[],
    identified: (id: RpcId) => void,
  ): Promise<Result<void, Refused>> {
    if (Array.isArray(message)) return await serveLegacy(exchange, message, deps);
    if (message.kind === 'request') identified(message.id);
    const header = exchange.request.headers['mcp-protocol-version'] as string | undefined;
    return isModern(header, message)
      ? await serveModern(exchange, message, deps)
      : await serveLegacy(exchange, message, deps);
  }

  async function withoutBody(exchange: Exchange): Promise<Result<void, Refused>> {
    if (exchange.request.method === 'GET') return openStream(exchange, deps);
    if (exchange.request.method === 'DELETE') return endSession(exchange, deps);
    return err(refused(refusal('request.method_not_allowed', 'a gateway takes POST, GET and DELETE')));
  }

  /** Nobody is known yet: the record says only which gateway was tried, and why the door stayed shut. */
  async function refuseAtTheDoor(
    request: IncomingMessage,
    response: ServerResponse,
    slug: string,
    shut: Refusal,
  ): Promise<void> {
    await deps.audit.record({
      kind: 'sign_in',
      decision: 'refused',
      projectId: 'default',
      code: shut.code,
      reason: shut.reason ?? shut.message,
      userId: userIdOf(request)?.slice(0, 256) ?? null,
      gateway: slug.slice(0, 256),
    });
    const json = errorMessage(null, {
      ...shut,
      code: shut.code === 'gateway.inactive' ? 'gateway.unknown' : shut.code,
    });
    response.writeHead(errorCodes[shut.code].status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
      ...(errorCodes[shut.code].status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      connection: 'close',
    });
    response.end(json);
  }
}

function tell(exchange: Exchange, { refusal: told, data }: Refused, id: RpcId | null): void {
  const { status } = errorCodes[told.code];
  // A body that was refused unread must not be taken for the next request.
  const ending = exchange.request.complete ? undefined : { connection: 'close' };
  exchange.answer(status, errorMessage(id, told, data), {
    ...ending,
    ...(status === 405 ? { allow: 'POST' } : {}),
  });
}

/** The user that the client acts for. Either name of the header; ours wins. */
function userIdOf({ headers }: IncomingMessage): string | null {
  const named = headers['sallyport-user-id'] ?? headers['arcade-user-id'];
  return typeof named === 'string' && named.trim() !== '' ? named.trim() : null;
}

function isJson(contentType: string | undefined): boolean {
  return contentType === 'application/json' || /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

function acceptsJson(accept: string | undefined): boolean {
  return (
    accept === undefined ||
    accept.includes('application/json') ||
    accept.includes('*/*') ||
    accept.includes('application/*')
  );
}
