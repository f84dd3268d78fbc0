import { traceHeaders } from '#domain';
import type { Egress, Trust, Upstream, UpstreamRequest, UpstreamResponse, UpstreamTls } from '#egress';
import { err, ok, type Result } from '#foundation';
import { askedSpan } from '#telemetry';

export interface WebRequest extends Omit<UpstreamRequest, 'path'> {
  readonly url: string;
}

/** Why there is no answer. */
export interface NoAnswer {
  readonly kind: 'timeout' | 'connection_error' | 'refused' | 'aborted';
  /** For an operator. */
  readonly reason: string;
}

/** Servers of one administrator's entry, with connections of their own to each. */
export interface Origins {
  request(request: WebRequest): Promise<Result<UpstreamResponse, NoAnswer>>;
  /** No more requests; those under way may end. */
  retire(): void;
}

export function createOrigins(egress: Egress, trust: Trust, tls: UpstreamTls | null = null): Origins {
  const upstreams = new Map<string, Upstream>();
  let running = 0;
  let retired = false;

  function upstreamOf(origin: string): Result<Upstream, NoAnswer> {
    const known = upstreams.get(origin);
    if (known !== undefined) return ok(known);
    const opened = egress.upstream(origin, trust, { tls: origin.startsWith('https:') ? tls : null });
    if (!opened.ok) return err({ kind: 'refused', reason: opened.error.message });
    upstreams.set(origin, opened.value);
    return opened;
  }

  function closeAll(): void {
    for (const upstream of upstreams.values()) upstream.close();
    upstreams.clear();
  }

  return {
    async request({ url, ...request }) {
      const address = new URL(url);
      const { origin, pathname, search } = address;
      const upstream = upstreamOf(origin);
      if (!upstream.ok) return upstream;
      running++;
      const asked = askedSpan(request.method, address);
      const headers = request.headers + traceHeaders(asked?.passedOn);
      const answer = await upstream.value.request({ ...request, headers, path: pathname + search });
      if (--running === 0 && retired) closeAll();
      if (answer.ok) {
        asked?.answered(answer.value.status);
        return answer;
      }
      const { kind, message } = answer.error;
      asked?.failed(kind);
      return err({ kind: kinds[kind] ?? 'refused', reason: message });
    },
    retire() {
      retired = true;
      if (running === 0) closeAll();
    },
  };
}

const kinds: { readonly [kind: string]: NoAnswer['kind'] } = {
  timeout: 'timeout',
  unreachable: 'connection_error',
  address_unresolved: 'connection_error',
  interrupted: 'connection_error',
  stopped: 'connection_error',
  aborted: 'aborted',
};
