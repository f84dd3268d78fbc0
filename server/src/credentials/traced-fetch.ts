import { type Egress, FetchFailed, guardedFetch, type Trust } from '#egress';
import { askedSpan } from '#telemetry';

/** `guardedFetch`, whose requests are a part of the trace that they are made in. */
export function tracedFetch(
  egress: Egress,
  trust: Trust,
  limits: Parameters<typeof guardedFetch>[2],
): typeof fetch {
  const send = guardedFetch(egress, trust, limits);
  return async (input, init) => {
    const request = new Request(input, init);
    const asked = askedSpan(request.method, new URL(request.url));
    if (asked === null) return send(input, init);
    const { passedOn } = asked;
    if (passedOn !== null) {
      request.headers.set('traceparent', passedOn.traceparent);
      if (passedOn.tracestate !== null) request.headers.set('tracestate', passedOn.tracestate);
    }
    try {
      const answer = await send(request, { signal: init?.signal ?? null });
      asked.answered(answer.status);
      return answer;
    } catch (error) {
      asked.failed(error instanceof FetchFailed ? error.failure.kind : 'internal');
      throw error;
    }
  };
}
