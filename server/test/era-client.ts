import type { Era } from './era-server.ts';
import type { Json } from './start-app.ts';

/** What came of one request, and all that was said while it ran. */
export interface Outcome {
  readonly result?: Json;
  readonly error?: Json;
  /** Notifications, in order. */
  readonly said: readonly Json[];
  /** What the client was asked for and answered: method and params, in order. */
  readonly asked: readonly Json[];
}

interface Begun {
  readonly id: number;
  readonly outcome: Promise<Outcome>;
  /** Closes the connection of the request. */
  disconnect(): void;
}

export interface RequestOptions {
  readonly meta?: Record<string, unknown>;
  /** Rounds of `input_required` that are answered; ten unless told. */
  readonly maxRounds?: number;
}

/** A stream on which the server tells of changes. */
export interface Listening {
  /** The next notification of this method; those before it are passed over. */
  next(method: string): Promise<Json>;
}

/**
 * A client of one era which keeps every message as it came, as no SDK does. It answers whatever it is asked for: what it
 * answers depends on nothing but the question.
 */
export interface EraClient {
  readonly era: Era;
  /** Result of `initialize` or `server/discover`. */
  readonly welcome: Json;
  begin(method: string, params?: Json, options?: RequestOptions): Begun;
  request(method: string, params?: Json, options?: RequestOptions): Promise<Outcome>;
  notify(method: string, params?: Json): Promise<void>;
  /** Hears of changed lists, and of the resources that the first caller names: one stream for as long as the client lives. */
  listen(uris?: readonly string[]): Promise<Listening>;
  close(): Promise<void>;
}

export const clientCapabilities = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: { listChanged: true },
  extensions: { 'io.modelcontextprotocol/tasks': {}, 'com.example/lamp': { on: true } },
};
const clientInfo = { name: 'era-client', version: '1' };
const revisions = { legacy: '2025-11-25', modern: '2026-07-28' } as const;
const prefix = 'io.modelcontextprotocol';
/** What does not come within this does not come. */
const patienceMs = 8000;

/** The answer of a user who takes what is proposed, and of a model that knows one word. */
function answerTo({ method, params }: Json): Json {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///work', name: 'Work', _meta: { kept: 1 } }] };
  if (method === 'sampling/createMessage') {
    const asked = params.messages.at(-1).content.text;
    return {
      role: 'assistant',
      model: 'a-model',
      stopReason: 'endTurn',
      content: { type: 'text', text: `To "${asked}": Paris` },
    };
  }
  if (params.mode === 'url') return { action: 'accept' };
  const content = Object.fromEntries(
    Object.keys(params.requestedSchema.properties).map((key) => [key, 'Bo']),
  );
  return { action: 'accept', content };
}

async function* eventsOf(response: Response): AsyncGenerator<Json> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const text = await response.text();
    if (text !== '') yield JSON.parse(text);
    return;
  }
  let rest = '';
  for await (const chunk of (response.body as ReadableStream).pipeThrough(new TextDecoderStream())) {
    const frames = (rest + chunk).split(/\r?\n\r?\n/);
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const data = frame.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []));
      if (data.join('').trim() !== '') yield JSON.parse(data.join('\n'));
    }
  }
}

/** `answer`: what a client with a handshake answers in its own way, `result` or `error`; `null` for all else. */
export async function openEraClient(
  era: Era,
  url: string,
  ownHeaders: Record<string, string> = {},
  answer: (question: Json) => Json | null = () => null,
): Promise<EraClient> {
  const isLegacy = era === 'legacy';
  let session: string | null = null;
  let lastId = 0;
  const open = new Set<AbortController>();

  function post(message: Json, signal: AbortSignal): Promise<Response> {
    const { method, params } = message;
    const name = params?.name ?? params?.uri ?? params?.taskId;
    return fetch(url, {
      method: 'POST',
      signal,
      headers: {
        ...ownHeaders,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': revisions[era],
        ...(session === null ? {} : { 'mcp-session-id': session }),
        ...(isLegacy || method === undefined ? {} : { 'mcp-method': method }),
        ...(isLegacy || name === undefined ? {} : { 'mcp-name': name }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  }

  const envelope = (meta: object) => ({
    ...meta,
    ...(isLegacy
      ? {}
      : {
          [`${prefix}/protocolVersion`]: revisions.modern,
          [`${prefix}/clientInfo`]: clientInfo,
          [`${prefix}/clientCapabilities`]: clientCapabilities,
        }),
  });

  /** Sends one request and reads until its answer is there. */
  async function exchange(
    id: number,
    message: Json,
    signal: AbortSignal,
    log: { said: Json[]; asked: Json[] },
  ) {
    const response = await post({ id, ...message }, signal);
    session ??= response.headers.get('mcp-session-id');
    for await (const received of eventsOf(response)) {
      if (received.id === id && received.method === undefined) return received;
      if (received.id === undefined) log.said.push(received);
      else {
        log.asked.push({ method: received.method, params: received.params });
        const told = answer(received) ?? { result: answerTo(received) };
        await (await post({ id: received.id, ...told }, signal)).arrayBuffer();
      }
    }
    throw new Error(`no answer to ${message.method}: HTTP ${response.status}`);
  }

  async function converse(
    id: number,
    message: Json,
    signal: AbortSignal,
    maxRounds: number,
  ): Promise<Outcome> {
    const log = { said: [] as Json[], asked: [] as Json[] };
    for (let round = 0, params = message.params, own = id; ; round++, own = ++lastId) {
      const { result, error } = await exchange(own, { ...message, params }, signal, log);
      if (error !== undefined) return { error, ...log };
      if (result.resultType !== 'input_required') return { result, ...log };
      const requests: [string, Json][] = Object.entries(result.inputRequests ?? {});
      log.asked.push(...requests.map(([, request]) => request));
      if (round >= maxRounds) return { result, ...log };
      const inputResponses = Object.fromEntries(requests.map(([key, request]) => [key, answerTo(request)]));
      const state = result.requestState === undefined ? {} : { requestState: result.requestState };
      params = { ...message.params, inputResponses, ...state };
    }
  }

  const begin: EraClient['begin'] = (method, params = {}, { meta = {}, maxRounds = 10 } = {}) => {
    const id = ++lastId;
    const control = new AbortController();
    open.add(control);
    const signal = AbortSignal.any([control.signal, AbortSignal.timeout(patienceMs)]);
    const whole = { method, params: { ...params, _meta: envelope(meta) } };
    const outcome = converse(id, whole, signal, maxRounds).finally(() => open.delete(control));
    return { id, outcome, disconnect: () => control.abort() };
  };
  const request: EraClient['request'] = (...args) => begin(...args).outcome;

  let listening: Promise<Listening> | null = null;
  async function openStream(uris: readonly string[]): Promise<Listening> {
    const control = new AbortController();
    open.add(control);
    const response = isLegacy
      ? await fetch(url, {
          signal: control.signal,
          headers: {
            ...ownHeaders,
            accept: 'text/event-stream',
            'mcp-protocol-version': revisions.legacy,
            'mcp-session-id': session ?? '',
          },
        })
      : await post(
          {
            id: ++lastId,
            method: 'subscriptions/listen',
            params: {
              notifications: {
                toolsListChanged: true,
                promptsListChanged: true,
                resourcesListChanged: true,
                ...(uris.length > 0 && { resourceSubscriptions: uris }),
              },
              _meta: envelope({}),
            },
          },
          control.signal,
        );
    if (!response.ok) throw new Error(`no stream: HTTP ${response.status}: ${await response.text()}`);
    const events = eventsOf(response);
    const next: Listening['next'] = async (method) => {
      const tooLate = setTimeout(() => control.abort(new Error(`${method} did not come`)), patienceMs);
      try {
        for (;;) {
          const { value, done } = await events.next();
          if (done) throw new Error(`the stream ended before ${method}`);
          if (value.method === method) return value;
        }
      } finally {
        clearTimeout(tooLate);
      }
    };
    if (!isLegacy) await next('notifications/subscriptions/acknowledged');
    for (const uri of isLegacy ? uris : []) {
      const { error } = await request('resources/subscribe', { uri });
      if (error !== undefined) throw new Error(`resources/subscribe: ${JSON.stringify(error)}`);
    }
    return { next };
  }

  async function notify(method: string, params: Json = {}): Promise<void> {
    await (await post({ method, params }, AbortSignal.timeout(patienceMs))).arrayBuffer();
  }

  const first = isLegacy
    ? await request('initialize', {
        protocolVersion: revisions.legacy,
        capabilities: clientCapabilities,
        clientInfo,
      })
    : await request('server/discover');
  if (first.result === undefined) throw new Error(`not welcome: ${JSON.stringify(first.error)}`);
  if (isLegacy) await notify('notifications/initialized');
  return {
    era,
    welcome: first.result,
    begin,
    request,
    notify,
    listen(uris = []) {
      listening ??= openStream(uris);
      return listening;
    },
    async close() {
      for (const control of open) control.abort();
      if (session === null) return;
      const headers = { ...ownHeaders, 'mcp-session-id': session };
      await (await fetch(url, { method: 'DELETE', headers })).arrayBuffer();
    },
  };
}
