import type { Egress, EgressFailure, Trust, Upstream, UpstreamHead, UpstreamRequest } from './contract.ts';

const maxOrigins = 64;
const methods = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD'];
/** Those of an answer that such libraries read. */
const readHeaders = [
  'age',
  'cache-control',
  'content-type',
  'date',
  'expires',
  'location',
  'retry-after',
  'www-authenticate',
];
/** Said by the connection itself. */
const ownHeaders = new Set(['host', 'content-length', 'connection', 'transfer-encoding']);

/** Why nothing came back: the address policy, the network, a time-out. Its message holds no credential. */
export class FetchFailed extends Error {
  readonly failure: EgressFailure;
  constructor(failure: EgressFailure) {
    super(failure.message);
    this.name = 'FetchFailed';
    this.failure = failure;
  }
}

/**
 * `fetch` for libraries that want one, through the egress policy. Never follows a redirect: it answers with it. The whole
 * answer is read before it is given. Rejects with `FetchFailed`.
 */
export function guardedFetch(
  egress: Egress,
  trust: Trust,
  { timeoutMs, maxBytes }: { readonly timeoutMs: number; readonly maxBytes: number },
): typeof fetch {
  const upstreams = new Map<string, Upstream>();

  function upstreamOf(url: URL): Upstream {
    const known = upstreams.get(url.origin);
    if (known !== undefined) return known;
    const made = egress.upstream(url.origin, trust);
    if (!made.ok) throw new FetchFailed(made.error);
    const [oldest] = upstreams.keys();
    if (upstreams.size >= maxOrigins && oldest !== undefined) {
      upstreams.get(oldest)?.close();
      upstreams.delete(oldest);
    }
    upstreams.set(url.origin, made.value);
    return made.value;
  }

  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!methods.includes(request.method)) throw new TypeError(`the method ${request.method} is not taken`);
    const headers = [...request.headers]
      .filter(([name]) => !ownHeaders.has(name))
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    const answer = await upstreamOf(url).request({
      method: request.method as UpstreamRequest['method'],
      path: url.pathname + url.search,
      headers,
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      maxBytes,
      signal: init?.signal ?? null,
    });
    if (!answer.ok) throw new FetchFailed(answer.error);
    const { status } = answer.value;
    const hasBody = status !== 204 && status !== 304 && request.method !== 'HEAD';
    return new Response(hasBody ? new Uint8Array(answer.value.body) : null, {
      status,
      headers: headersOf(answer.value),
    });
  };
}

function headersOf(head: UpstreamHead): Headers {
  const headers = new Headers();
  for (const name of readHeaders) {
    const value = head.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  return headers;
}
