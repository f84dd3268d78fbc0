import { isUtf8 } from 'node:buffer';
import { errorCodes } from '@sallyport/contracts';
import { type Caller, type Refusal, refusal } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import { readBody } from '../http/body.ts';
import type { HttpRequest, HttpResponse } from '../http/message.ts';
import type { OriginPolicy } from '../http/origin.ts';
import { asksForPage } from '../sign-in/gateway-page.ts';
import { challengeOf, stepUpOf } from './challenge.ts';
import { Exchange } from './exchange.ts';
import { errorText, type McpDeps, type Refused, recordRefused, refused } from './front.ts';
import { beginSpan, endSpan, requestSpan } from './request-span.ts';
import { createHttpSse, type HttpSse, opensHttpSse } from './rev-2025-11-25/http-sse.ts';
import { endSession, openStream } from './rev-2025-11-25/listening.ts';
import { serveLegacy } from './rev-2025-11-25/serve.ts';
import { isModern } from './rev-2026-07-28/envelope.ts';
import { serveModern } from './rev-2026-07-28/serve.ts';
import { type ClientMessage, errorMessage, parseBody, type RpcId } from './rpc.ts';

/** Serves `/mcp/{slug}`: who may come in is decided first, then which generation of the protocol the request speaks. */
export function createMcpEndpoint(deps: McpDeps, origins: OriginPolicy) {
  const httpSse = createHttpSse(deps);
  return async function serve(request: HttpRequest, response: HttpResponse, slug: string): Promise<void> {
    const asked: Asked = { id: null, exchange: null };
    try {
      if (asksForPage(request) && origins.check(request.headers.host, request.headers.origin) === null) {
        return await deps.page(request, response, slug);
      }
      const entering = enter(request, response, slug, deps, origins);
      const entered = entering instanceof Promise ? await entering : entering;
      if (!entered.ok) return await refuseAtTheDoor(request, response, slug, entered.error, deps);
      asked.exchange = entered.value;
      const served = await serveEntered(entered.value, asked, deps, httpSse);
      if (served.ok) return;
      await recordRefused(entered.value, served.error, deps);
      tell(asked.exchange, served.error, asked.id, deps);
    } catch (error) {
      const about = { gateway: slug, trace_id: asked.exchange?.span?.traceId };
      deps.log.error({ ...about, err: error }, 'a request to a gateway failed inside the server');
      const told = refusal('internal', 'something went wrong here');
      asked.exchange?.span?.fail(told.code);
      if (asked.exchange === null) shut(response, told);
      else tell(asked.exchange, refused(told), asked.id, deps);
    } finally {
      if (asked.exchange !== null) endSpan(asked.exchange);
    }
  };
}

/** Serves a request whose caller and body are known to be in order. */
export async function serveKnown(
  exchange: Exchange,
  message: Extract<ClientMessage, { kind: 'request' }>,
  deps: McpDeps,
): Promise<void> {
  try {
    beginSpan(exchange, message, deps);
    const served = await serveMessage(exchange, message, deps);
    if (served.ok) return;
    await recordRefused(exchange, served.error, deps);
    tell(exchange, served.error, message.id, deps);
  } catch (error) {
    const about = { gateway: exchange.view.gateway.slug, trace_id: exchange.span?.traceId };
    deps.log.error({ ...about, err: error }, 'a request to a gateway failed inside the server');
    exchange.span?.fail('internal');
    tell(exchange, refused(refusal('internal', 'something went wrong here')), message.id, deps);
  } finally {
    endSpan(exchange);
  }
}

function serveEntered(
  exchange: Exchange,
  asked: Asked,
  deps: McpDeps,
  httpSse: HttpSse,
): MaybePromise<Result<void, Refused>> {
  return exchange.request.method === 'POST'
    ? post(exchange, asked, deps, httpSse)
    : withoutBody(exchange, deps, httpSse);
}

/** Errors are told under the id of the request, and where it is answered, once these are known. */
interface Asked {
  id: RpcId | null;
  exchange: Exchange | null;
}

export function enter(
  request: HttpRequest,
  response: HttpResponse,
  slug: string,
  deps: McpDeps,
  origins: OriginPolicy,
): MaybePromise<Result<Exchange, Refusal>> {
  const startedAt = deps.clock.monotonic();
  const { headers } = request;
  const foreign = origins.check(headers.host, headers.origin);
  if (foreign !== null) return err(foreign);
  const unfit = unfitCredential(request);
  if (unfit !== null) return err(unfit);
  const view = deps.catalog.view(slug);
  const letIn = (caller: Result<Caller, Refusal>): Result<Exchange, Refusal> => {
    if (!caller.ok) return caller;
    if (view === null) return err(refusal('gateway.unknown', `there is no gateway ${slug}`));
    return ok(new Exchange(request, response, caller.value, view, startedAt));
  };
  const assertion = headers['sallyport-user-assertion'];
  const caller = deps.pipeline.authenticate(
    {
      authorization: headers.authorization,
      userId: userIdOf(request),
      assertion: typeof assertion === 'string' && assertion !== '' ? assertion : null,
    },
    view?.gateway ?? null,
  );
  // No promise where none is needed: most calls name a user that is believed, or a token that is known.
  return caller instanceof Promise ? caller.then(letIn) : letIn(caller);
}

function post(
  exchange: Exchange,
  asked: Asked,
  deps: McpDeps,
  httpSse: HttpSse,
): MaybePromise<Result<void, Refused>> {
  const unfit = unfitForm(exchange.request);
  if (unfit !== null) return err(refused(unfit));
  const take = (body: Result<Buffer, Refusal>) => takeBody(exchange, asked, body, deps, httpSse);
  const body = readBody(exchange.request);
  return body instanceof Promise ? body.then(take) : take(body);
}

function takeBody(
  exchange: Exchange,
  asked: Asked,
  body: Result<Buffer, Refusal>,
  deps: McpDeps,
  httpSse: HttpSse,
): MaybePromise<Result<void, Refused>> {
  if (!body.ok) return err(refused(body.error));
  const parsed = parseBody(body.value);
  if (!parsed.ok) return err(refused(parsed.error));
  const message = parsed.value;
  beginSpan(exchange, message, deps);
  if (!Array.isArray(message) && message.kind === 'request') asked.id = message.id;
  const onStream = httpSse.take(exchange, message);
  if (!onStream.ok) return onStream;
  if (onStream.value !== null) {
    asked.exchange = onStream.value;
    return onStream.value.serve(message, deps);
  }
  return serveMessage(exchange, message, deps);
}

function serveMessage(
  exchange: Exchange,
  message: ClientMessage | ClientMessage[],
  deps: McpDeps,
): MaybePromise<Result<void, Refused>> {
  if (Array.isArray(message)) return serveLegacy(exchange, message, deps);
  const version = exchange.request.headers['mcp-protocol-version'] as string | undefined;
  return isModern(version, message)
    ? serveModern(exchange, message, deps)
    : serveLegacy(exchange, message, deps);
}

/** What is wrong with how the request says what it brings, and what it takes. */
export function unfitForm({ headers }: HttpRequest): Refusal | null {
  if (!isJson(headers['content-type'])) {
    return refusal('request.media_type', 'the body must be application/json', { field: 'Content-Type' });
  }
  if (acceptsJson(headers.accept)) return null;
  const wanted = 'the client must accept application/json and text/event-stream';
  return refusal('request.not_acceptable', wanted, { field: 'Accept' });
}

function withoutBody(
  exchange: Exchange,
  deps: McpDeps,
  httpSse: HttpSse,
): MaybePromise<Result<void, Refused>> {
  if (opensHttpSse(exchange)) return httpSse.open(exchange);
  if (exchange.request.method === 'GET') return openStream(exchange, deps);
  if (exchange.request.method === 'DELETE') return endSession(exchange, deps);
  return err(refused(refusal('request.method_not_allowed', 'a gateway takes POST, GET and DELETE')));
}

/** Nobody is known yet: the record says only which gateway was tried, and why the door stayed shut. */
async function refuseAtTheDoor(
  request: HttpRequest,
  response: HttpResponse,
  slug: string,
  told: Refusal,
  { audit, catalog, clock, issuer, tracer }: McpDeps,
): Promise<void> {
  const span = requestSpan(tracer, request, response, { name: 'POST', startedAt: clock.monotonic() });
  const gateway = catalog.view(slug)?.gateway ?? null;
  await audit.record({
    kind: 'sign_in',
    decision: 'refused',
    projectId: gateway?.projectId ?? 'default',
    code: told.code,
    reason: told.reason ?? told.message,
    userId: triedUserOf(request),
    gateway: slug,
    traceId: span.traceId,
  });
  span.end(told.code);
  shut(response, told, challengeOf(told, gateway, request, issuer));
}

function shut(response: HttpResponse, told: Refusal, challenge = 'Bearer'): void {
  const { status } = errorCodes[told.code];
  // An inactive gateway is told as an unknown one.
  const json = errorMessage(null, { ...told, code: status === 404 ? 'gateway.unknown' : told.code });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'no-store',
    ...(status === 401 ? { 'www-authenticate': challenge } : {}),
    connection: 'close',
  });
  response.end(json);
}

function tell(exchange: Exchange, refused: Refused, id: RpcId | null, { issuer }: McpDeps): void {
  const { refusal } = refused;
  const { status } = errorCodes[refusal.code];
  const isStepUp = refusal.code === 'identity.scope_insufficient';
  // A body that was refused unread must not be taken for the next request.
  const ending = exchange.request.complete ? undefined : { connection: 'close' };
  exchange.answer(status, errorText(id, refused), {
    ...ending,
    ...(isStepUp ? { 'www-authenticate': stepUpOf(refusal, exchange.request, issuer) } : {}),
    ...(status === 405 ? { allow: 'POST' } : {}),
  });
}

/** What could be read in two ways, or stands where everybody on the way writes it down. */
function unfitCredential({ rawHeaders, url = '' }: HttpRequest): Refusal | null {
  const field = 'Authorization';
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === field.length && name.toLowerCase() === 'authorization') count++;
  }
  if (count > 1) return refusal('identity.invalid', 'send one Authorization header, not several', { field });
  if (!url.includes('access_token=')) return null;
  return refusal('identity.missing', `send the access token in the header ${field}, never in the URL`, {
    field,
  });
}

/** The user that the client acts for. Either name of the header; ours wins. */
function userIdOf({ headers }: HttpRequest): string | null {
  const named = headers['sallyport-user-id'] ?? headers['arcade-user-id'];
  if (typeof named !== 'string') return null;
  const text = fromUtf8(named).trim();
  return text === '' ? null : text;
}

/** A token in the place of a user id is nothing to be written down. */
function triedUserOf(request: HttpRequest): string | null {
  const userId = userIdOf(request);
  return userId === null || userId.startsWith('eyJ') ? null : userId.slice(0, 256);
}

/** Clients write UTF-8 into headers and Node reads Latin-1: the same user must be the same here and in the REST API. */
function fromUtf8(header: string): string {
  if (!/[\u0080-\u00ff]/.test(header)) return header;
  const bytes = Buffer.from(header, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : header;
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
