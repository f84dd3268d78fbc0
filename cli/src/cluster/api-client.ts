import type { HttpMethod, KubeConfig } from '@kubernetes/client-node';
import type { Io } from '../output/io.ts';
import { bounded } from '../remote/bounded.ts';
import {
  ClusterError,
  isBrokenOff,
  notAnApiServer,
  notSignedIn,
  type Refusal,
  refusedBy,
  unreachable,
} from './cluster-error.ts';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** The API of one cluster: every request ends in time, and what is only busy is asked again. */
export interface ApiClient {
  /** Address without credentials. */
  readonly server: string;
  readonly context: string;
  readonly config: KubeConfig;
  json<T>(path: string, call?: Call): Promise<T>;
  text(path: string, call?: Call): Promise<string>;
  /** One request as it is, for what is behind the API server: `input` is an address below `server`. */
  fetch: typeof fetch;
  close(): Promise<void>;
}

export interface ApiClientOptions {
  /** Of one request. */
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
}

type ClientNode = typeof import('@kubernetes/client-node');
type Dispatcher = NonNullable<ReturnType<InstanceType<ClientNode['RequestContext']>['getDispatcher']>>;

/** Of one answer, more than any list. */
const greatestBytes = 64 * 1024 * 1024;

/** Longest that an API server may ask us to wait before the next attempt. */
const maxWaitMs = 30_000;

export function createApiClient(
  io: Pick<Io, 'signal' | 'sleep'>,
  client: ClientNode,
  config: KubeConfig,
  { timeoutMs = 15_000, maxAttempts = 4 }: ApiClientOptions = {},
): ApiClient {
  const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const context = config.getCurrentContext();
  const http = new client.IsomorphicFetchHttpLibrary();
  let dispatcher: Dispatcher | undefined;

  async function send(url: string, init: RequestInit): Promise<Response> {
    const request = new client.RequestContext(url, (init.method ?? 'GET') as HttpMethod);
    for (const [name, value] of new Headers(init.headers)) request.setHeaderParam(name, value);
    await config.applySecurityAuthentication(request).catch((error: unknown) => {
      throw notSignedIn(context, error);
    });
    dispatcher ??= stayingThere(request.getDispatcher(), context);
    if (dispatcher !== undefined) request.setDispatcher(dispatcher);
    if (typeof init.body === 'string') request.setBody(init.body);
    if (init.signal) request.setSignal(init.signal);
    const { httpStatusCode, headers, body } = await http.send(request).toPromise();
    const isEmpty = [204, 205, 304].includes(httpStatusCode);
    const answer = isEmpty ? null : (body.stream() as ReadableStream | null);
    return bounded(new Response(answer, { status: httpStatusCode, headers }), greatestBytes);
  }

  async function attempt(
    path: string,
    call: Call,
  ): Promise<{ status: number; text: string; waitMs: number | null }> {
    const url = new URL(`${server}${path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    const isText = call.body === undefined;
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(timeoutMs)]);
    const response = await send(url.href, {
      method: call.method ?? 'GET',
      headers: {
        accept: 'application/json, */*;q=0.8',
        ...(isText ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      ...(isText ? {} : { body: JSON.stringify(call.body) }),
      signal,
    });
    const after = Number(response.headers.get('retry-after'));
    return {
      status: response.status,
      text: await response.text(),
      waitMs: Number.isFinite(after) && after > 0 ? Math.min(after * 1000, maxWaitMs) : null,
    };
  }

  /** With the answer, or with how long to wait before it is asked again; null is for us to choose. */
  async function ask(
    path: string,
    call: Call,
    isLast: boolean,
  ): Promise<{ text: string } | { waitMs: number | null }> {
    const mayRepeat = repeatable(call);
    let answer: Awaited<ReturnType<typeof attempt>>;
    try {
      answer = await attempt(path, call);
    } catch (error) {
      if (io.signal.aborted || error instanceof ClusterError) throw error;
      const cause = (error as Error).cause;
      if (cause instanceof ClusterError) throw cause;
      if (!mayRepeat || isLast || !isBrokenOff(error)) throw unreachable(context, server, error);
      return { waitMs: null };
    }
    if (answer.status < 300) return answer;
    const isBusy = answer.status === 429 || (mayRepeat && [500, 502, 503, 504].includes(answer.status));
    if (!isBusy || isLast) throw refusedBy(context, refusalIn(answer.status, answer.text));
    return { waitMs: answer.waitMs };
  }

  async function text(path: string, call: Call = {}): Promise<string> {
    for (let tried = 1; ; tried += 1) {
      const answer = await ask(path, call, tried >= maxAttempts);
      if ('text' in answer) return answer.text;
      await io.sleep(answer.waitMs ?? 500 * 2 ** (tried - 1), io.signal);
    }
  }

  return {
    server,
    context,
    config,
    text,
    json: async <T>(path: string, call?: Call) => objectIn<T>(context, path, await text(path, call)),
    fetch: (input, init = {}) => send(input instanceof Request ? input.url : String(input), init),
    close: async () =>
      void (await (dispatcher as { destroy?: () => Promise<void> } | undefined)?.destroy?.()),
  };
}

/** Server-side apply; JSON is YAML. */
export const applyPatch = 'application/apply-patch+yaml';

/** Reads, what is applied or replaced, and what is removed by its uid: twice is the same as once. Anything else is asked once. */
const repeatable = ({ method = 'GET', contentType }: Call): boolean =>
  method === 'GET' || method === 'PUT' || method === 'DELETE' || contentType === applyPatch;

/** Where a proxy with a page for signing in stands before it, an answer need not be one. */
function objectIn<T>(context: string, path: string, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as T;
  throw notAnApiServer(context, path);
}

/**
 * An API server sends nobody elsewhere; what is behind its proxy may, and would be asked another path in our name. The
 * library follows by itself, so it is ended below it.
 */
function stayingThere(dispatcher: Dispatcher | undefined, context: string): Dispatcher | undefined {
  return dispatcher?.compose((dispatch) => (options, handler) => {
    const onResponseStart: typeof handler.onResponseStart = (controller, status, ...rest) => {
      if (status >= 300 && status < 400 && status !== 304)
        controller.abort(new ClusterError('cluster.redirected', `${context} sends requests on elsewhere`));
      else handler.onResponseStart?.(controller, status, ...rest);
    };
    return dispatch(options, {
      onRequestStart: (...given) => handler.onRequestStart?.(...given),
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart,
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    });
  });
}

function refusalIn(status: number, text: string): Refusal {
  try {
    const { reason = '', message = text, details } = JSON.parse(text);
    const causes = Array.isArray(details?.causes) ? details.causes : [];
    return { status, reason: String(reason), message: String(message), causes };
  } catch {
    return { status, reason: '', message: `${status} ${text.slice(0, 300).trim()}`, causes: [] };
  }
}
