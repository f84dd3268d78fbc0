import { EventEmitter, on } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { decodeRequest, type Signal } from './otlp-messages.ts';
import type { Json } from './start-app.ts';

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly attributes: Json;
  readonly statusCode: number;
}

export interface ReceivedRequest {
  readonly signal: Signal;
  readonly headers: IncomingHttpHeaders;
  /** As OTLP writes it in JSON. */
  readonly message: Json;
}

/** A real collector on loopback: it takes what it can read, and refuses the rest with 400. */
export interface OtlpReceiver {
  readonly endpoint: string;
  readonly requests: readonly ReceivedRequest[];
  /** How often somebody posted, whatever came of it. */
  readonly posts: number;
  /** Answers in another way; what it answers so is not kept. */
  answer: ((signal: Signal, response: ServerResponse) => boolean) | null;
  spans(): readonly ReceivedSpan[];
  /** By name; with the newest points only. */
  metrics(): ReadonlyMap<string, Json>;
  logs(): readonly Json[];
  /** Names and values of the resources. */
  resource(): Json;
  /** Once it is so; looked at whenever something was posted. */
  until(isSo: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const requests: ReceivedRequest[] = [];
  const events = new EventEmitter();
  const state = { posts: 0, answer: null as OtlpReceiver['answer'] };
  const server = createServer(async (request, response) => {
    const signal = /^\/v1\/(traces|metrics|logs)$/.exec(request.url ?? '')?.[1] as Signal | undefined;
    const sent = await buffer(request);
    state.posts++;
    if (signal === undefined || request.method !== 'POST') response.writeHead(404).end();
    else if (state.answer?.(signal, response) !== true) take(signal, request.headers, sent, response);
    events.emit('posted');
  });

  function take(signal: Signal, headers: IncomingHttpHeaders, sent: Buffer, response: ServerResponse): void {
    try {
      const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const isJson = headers['content-type'] === 'application/json';
      const message = isJson ? JSON.parse(body.toString()) : decodeRequest(signal, body);
      requests.push({ signal, headers, message });
      response.writeHead(200, { 'content-type': headers['content-type'] ?? '' }).end(isJson ? '{}' : '');
    } catch {
      response.writeHead(400).end();
    }
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const of = (signal: Signal) =>
    requests.filter((one) => one.signal === signal).map(({ message }) => message);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get posts() {
      return state.posts;
    },
    get answer() {
      return state.answer;
    },
    set answer(answer) {
      state.answer = answer;
    },
    spans: () =>
      itemsOf(of('traces'), 'resourceSpans', 'scopeSpans', 'spans').map((span) => ({
        name: span.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        traceState: span.traceState ?? '',
        flags: span.flags,
        startNano: BigInt(span.startTimeUnixNano),
        endNano: BigInt(span.endTimeUnixNano),
        attributes: membersOf(span.attributes),
        statusCode: span.status?.code ?? 0,
      })),
    metrics: () => {
      const all = itemsOf(of('metrics'), 'resourceMetrics', 'scopeMetrics', 'metrics');
      return new Map(all.map((metric) => [metric.name, metric]));
    },
    logs: () =>
      itemsOf(of('logs'), 'resourceLogs', 'scopeLogs', 'logRecords').map((record) => ({
        ...record,
        attributes: membersOf(record.attributes),
      })),
    resource: () => {
      const [first] = requests;
      const [one] = Object.values(first?.message ?? {}) as Json[];
      return membersOf(one?.[0]?.resource?.attributes);
    },
    async until(isSo) {
      const posted = on(events, 'posted');
      if (isSo()) return;
      for await (const _ of posted) if (isSo()) return;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function itemsOf(messages: readonly Json[], resources: string, scopes: string, items: string): Json[] {
  return messages
    .flatMap((message) => message[resources] ?? [])
    .flatMap((one: Json) => one[scopes] ?? [])
    .flatMap((one: Json) => one[items] ?? []);
}

/** Attributes by their names. */
export function membersOf(attributes: readonly Json[] | undefined): Json {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
}
