import { errorCodes } from '@sallyport/contracts';
import { isMembers, type Members } from '#foundation';
import { describe, isTraceparent, type Span, spanName, type Tracer } from '#telemetry';
import type { HttpRequest, HttpResponse } from '../http/message.ts';
import type { Exchange } from './exchange.ts';
import type { McpDeps, Refused } from './front.ts';
import type { ClientMessage } from './rpc.ts';

/** The spans of requests to gateways. What a client writes stands in one only as far as it is known here. */

type Message = ClientMessage | readonly ClientMessage[] | null;

/** Begins the span of a POST: below what its message says of a trace, else below what its head says. The answer will tell it. */
export function beginSpan(exchange: Exchange, message: Message, { tracer }: McpDeps): Span {
  const { request, response, startedAt, view } = exchange;
  const single = message === null || isBatch(message) || message.kind === 'response' ? null : message;
  const span = requestSpan(tracer, request, response, {
    name: single === null ? 'POST' : methodName(single.method),
    meta: single?.params._meta,
    startedAt,
  });
  if (span.sampled) {
    const { gateway } = view;
    describe(span, {
      httpMethod: 'POST',
      httpRoute: '/mcp/{slug}',
      transport: 'tcp',
      protocol: 'http',
      mcpMethod: single?.method,
      mcpVersion: versionIn(request),
      requestId: single?.kind === 'request' ? String(single.id) : null,
      project: gateway.projectId,
      gateway: gateway.slug,
    });
  }
  exchange.span = span;
  return span;
}

function isBatch(message: NonNullable<Message>): message is readonly ClientMessage[] {
  return Array.isArray(message);
}

interface Beginning {
  readonly name: string;
  readonly meta?: unknown;
  readonly startedAt: number;
}

/** The span of a request, which its answer will tell: as `traceresponse`, and for those who know only `traceparent`. */
export function requestSpan(
  tracer: Tracer,
  { headers }: Pick<HttpRequest, 'headers'>,
  response: Pick<HttpResponse, 'setHeader' | 'headersSent'>,
  { name, meta, startedAt }: Beginning,
): Span {
  const own = isMembers(meta) && isTraceparent(meta.traceparent) ? meta : headers;
  const span = tracer.server(
    name,
    { traceparent: own.traceparent, tracestate: own.tracestate },
    { startedAt },
  );
  if (!response.headersSent) {
    response.setHeader('traceresponse', span.traceparent);
    response.setHeader('traceparent', span.traceparent);
  }
  return span;
}

/** What it is about, where that is known here. */
export function nameSpan({ view }: Exchange, span: Span, method: string, about: string | null): void {
  if (!span.sampled || about === null) return;
  // A URI may hold anything, unless a source lists it.
  if (method.startsWith('resources/') && view.resources.some(({ listed }) => listed.uri === about))
    describe(span, { resourceUri: about });
  if (method === 'tools/call') describe(span, { operation: 'execute_tool', toolName: about });
  else if (method === 'prompts/get') describe(span, { promptName: about });
  else return;
  span.rename(spanName(method, about));
}

/** What became of a request that was not answered with a result. */
export function describeRefused(span: Span, { refusal: { code }, relayed }: Refused): void {
  span.fail(code);
  if (!span.sampled) return;
  const { rpc, status } = errorCodes[code];
  describe(span, { rpcCode: String(relayed?.code ?? rpc ?? (status === 400 ? -32602 : -32603)) });
}

/** The answer is out. */
export function endSpan({ span, status }: Exchange): void {
  if (span === null) return;
  if (span.sampled) describe(span, { httpStatus: status });
  span.end();
}

const known: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'subscriptions/listen',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
  'tasks/list',
  'tasks/get',
  'tasks/result',
  'tasks/update',
  'tasks/cancel',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

function methodName(method: string): string {
  return known.has(method) ? method : 'extension';
}

function versionIn({ headers }: HttpRequest): string | null {
  const named = headers['mcp-protocol-version'];
  return typeof named === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(named) ? named : null;
}

/** `_meta` as it goes on to a source: with the baggage of the head, where that is passed on and only the head has it. */
export function metaOf({ request: { headers }, span }: Exchange, params: Members): Members | null {
  const meta = (params._meta ?? null) as Members | null;
  const { baggage } = headers;
  const isBrought =
    span?.passedOn?.passesBaggage === true && meta?.baggage === undefined && typeof baggage === 'string';
  return isBrought && baggage.length <= maxBaggage ? { ...meta, baggage } : meta;
}

/** What every system has to pass on (W3C Baggage). */
const maxBaggage = 8192;
