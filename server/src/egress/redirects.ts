import type { Clock, Result } from '#foundation';
import { err, ok } from '#foundation';
import type { Egress, EgressFailure, Trust, Upstream, UpstreamResponse } from './contract.ts';

const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type Answer = Result<UpstreamResponse, EgressFailure>;

/** GET that follows redirects; every hop goes through `open`, and so through the address policy. */
export function createGet(
  open: (uri: string, trust: Trust) => Result<Upstream, EgressFailure>,
  clock: Clock,
): Egress['get'] {
  return async (uri, trust, { headers = '', timeoutMs, maxBytes }) => {
    const deadlineMs = clock.monotonic() + timeoutMs;
    let answer = await getOnce(open(uri, trust), uri, { headers, timeoutMs, maxBytes });
    let from = uri;
    let allowedHeaders = headers;
    for (let hop = 1; answer.ok; hop++) {
      const location = REDIRECTS.has(answer.value.status) ? answer.value.header('location') : undefined;
      if (location === undefined) return answer;
      const next = nextHop(from, location, hop);
      if (!next.ok) return next;
      if (new URL(next.value).origin !== new URL(from).origin) allowedHeaders = '';
      from = next.value;
      const remaining = { maxBytes, timeoutMs: deadlineMs - clock.monotonic(), headers: allowedHeaders };
      answer = await getOnce(open(from, trust), from, remaining);
      if (!answer.ok) return err({ ...answer.error, sent: true });
    }
    return answer;
  };
}

async function getOnce(
  upstream: Result<Upstream, EgressFailure>,
  uri: string,
  options: { headers: string; timeoutMs: number; maxBytes: number },
): Promise<Answer> {
  if (!upstream.ok) return upstream;
  const { pathname, search } = new URL(uri);
  const answer = await upstream.value.request({ method: 'GET', path: `${pathname}${search}`, ...options });
  upstream.value.close();
  return answer;
}

function nextHop(from: string, location: string, hop: number): Result<string, EgressFailure> {
  const next = URL.parse(location, from);
  if (next === null) return refused(from, 'a redirect to no URI');
  if (hop > MAX_REDIRECTS) return refused(from, `more than ${MAX_REDIRECTS} redirects`);
  if (new URL(from).protocol === 'https:' && next.protocol === 'http:') {
    return refused(from, 'a redirect from https to http');
  }
  return ok(next.href);
}

function refused(from: string, what: string): Result<never, EgressFailure> {
  return err({ kind: 'protocol', message: `${new URL(from).origin} answered with ${what}`, sent: true });
}
