import type { ProbeStep, SourceFailure } from '#domain';
import type { EgressFailure, EgressFailureKind, Upstream, UpstreamRequest, UpstreamResponse } from '#egress';
import type { Result } from '#foundation';

type Verdict = Pick<SourceFailure, 'code'> & { readonly step: ProbeStep | null };

/** `step: null` stands for the step the request was sent for. */
const verdicts: Readonly<Record<EgressFailureKind, Verdict>> = {
  uri_invalid: { code: 'source.address_unresolved', step: 'address_resolved' },
  address_unresolved: { code: 'source.address_unresolved', step: 'address_resolved' },
  address_refused: { code: 'source.address_refused', step: 'egress_allowed' },
  unreachable: { code: 'source.unreachable', step: 'connected' },
  tls: { code: 'source.unreachable', step: 'connected' },
  timeout: { code: 'source.timeout', step: null },
  interrupted: { code: 'source.interrupted', step: null },
  protocol: { code: 'source.answer_invalid', step: null },
  too_large: { code: 'source.answer_too_large', step: null },
  aborted: { code: 'source.cancelled', step: null },
  unprepared: { code: 'credentials.not_configured', step: 'authenticated' },
  stopped: { code: 'server.stopping', step: null },
};

/** What a failed request says about the source that it was sent to, on the way to `step`. */
export function failureOf(failure: EgressFailure, step: ProbeStep): SourceFailure {
  const verdict = verdicts[failure.kind];
  const early = failure.kind === 'timeout' && !failure.sent;
  return {
    code: verdict.code,
    message:
      failure.kind === 'timeout'
        ? `${failure.message}; if it needs longer, raise its timeout`
        : failure.message,
    ...(failure.aside ? { aside: failure.aside } : {}),
    step: verdict.step ?? (early ? 'connected' : step),
  };
}

/** Where requests go: an upstream, or what adds to each of them before it goes there. */
export type Requester = Pick<Upstream, 'request'>;

/**
 * Sends a request; again, at most `retry` times, only where surely nothing of it had arrived, or where it was cut off
 * and is `harmless`: running twice what only reads does no harm.
 */
export function send(
  upstream: Requester,
  request: UpstreamRequest,
  retry: number,
  harmless: boolean,
): Promise<Result<UpstreamResponse, EgressFailure>> {
  const sent = upstream.request(request);
  if (retry <= 0) return sent;
  return sent.then((answer) => (answer.ok ? answer : sendAgain(answer, upstream, request, retry, harmless)));
}

async function sendAgain(
  first: Result<UpstreamResponse, EgressFailure>,
  upstream: Requester,
  request: UpstreamRequest,
  retry: number,
  harmless: boolean,
): Promise<Result<UpstreamResponse, EgressFailure>> {
  let answer = first;
  for (let left = retry; left > 0 && !answer.ok; left--) {
    const { kind, sent } = answer.error;
    if (kind !== 'interrupted' && kind !== 'unreachable') break;
    if (sent && !harmless) break;
    answer = await upstream.request(request);
  }
  return answer;
}
