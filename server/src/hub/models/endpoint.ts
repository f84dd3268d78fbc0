import type { Egress, EgressFailure, Upstream, UpstreamResponse } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';

/** Why a model gave nothing that can be used. */
export interface ModelFailure {
  readonly outcome: 'timeout' | 'failed' | 'refused' | 'invalid' | 'aborted' | 'resting';
  /** For an operator; nothing of what was answered is quoted. */
  readonly reason: string;
  /** It wants to be left alone for so long. */
  readonly restMs: number | null;
  /** What was sent is at fault, rather than the endpoint: less of it may be taken. */
  readonly isOurs: boolean;
}

export interface ModelQuestion<Answer> {
  readonly body: object;
  /** Takes what was answered, or says what is wrong with it. */
  readonly read: (value: unknown) => Result<Answer, string>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal | null;
}

/** One address that takes and gives JSON. */
export interface Endpoint {
  ask<Answer>(question: ModelQuestion<Answer>): Promise<Result<Answer, ModelFailure>>;
  /** Ends its connections. */
  close(): void;
}

const maxRetryAfterMs = 60 * 60_000;
/** The key, or the address, is wrong: only who configures it can change that. */
const hopelessRestMs = 60_000;

export function createEndpoint(
  { url, key }: { readonly url: string; readonly key?: string | undefined },
  { egress, clock }: { readonly egress: Egress; readonly clock: Clock },
): Endpoint {
  const { origin, pathname, search } = new URL(url);
  let upstream: Upstream | null = null;
  const authorization = key === undefined ? '' : `authorization: Bearer ${key}\r\n`;
  const headers = `accept: application/json\r\ncontent-type: application/json\r\n${authorization}`;

  /** Addresses of the config file may be internal. */
  function reach(): Result<Upstream, EgressFailure> {
    if (upstream !== null) return ok(upstream);
    const opened = egress.upstream(origin, 'file');
    if (opened.ok) upstream = opened.value;
    return opened;
  }

  return {
    async ask({ body, read, ...request }) {
      const reached = reach();
      if (!reached.ok) return failure('failed', reached.error.message);
      const answer = await reached.value.request({
        ...request,
        method: 'POST',
        path: pathname + search,
        headers,
        body: JSON.stringify(body),
      });
      if (!answer.ok) return failure(outcomeOf(answer.error.kind), answer.error.message);
      const { status } = answer.value;
      if (status < 200 || status > 299) return refused(answer.value, clock);
      const taken = parse(answer.value, read);
      return taken.ok ? taken : failure('invalid', taken.error);
    },
    close() {
      upstream?.close();
      upstream = null;
    },
  };
}

function failure(
  outcome: ModelFailure['outcome'],
  reason: string,
  { restMs = null, isOurs = false }: Partial<ModelFailure> = {},
): Result<never, ModelFailure> {
  return err({ outcome, reason, restMs, isOurs });
}

function outcomeOf(kind: EgressFailure['kind']): ModelFailure['outcome'] {
  if (kind === 'timeout' || kind === 'aborted') return kind;
  return kind === 'too_large' || kind === 'protocol' ? 'invalid' : 'failed';
}

function refused(answer: UpstreamResponse, clock: Clock): Result<never, ModelFailure> {
  const { status } = answer;
  const reason = `it answered HTTP ${status}`;
  const retryAfterMs = retryAfterOf(answer.header('retry-after'), clock);
  if (status === 429 || status === 503) return failure('refused', reason, { restMs: retryAfterMs });
  if (status === 400 || status === 413 || status === 422) return failure('refused', reason, { isOurs: true });
  const isHopeless = status < 500;
  return failure('refused', reason, { restMs: isHopeless ? hopelessRestMs : null });
}

function retryAfterOf(header: string | undefined, clock: Clock): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isNaN(ms) || ms < 0 ? null : Math.min(ms, maxRetryAfterMs);
}

function parse<Answer>(
  answer: UpstreamResponse,
  read: ModelQuestion<Answer>['read'],
): Result<Answer, string> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
  } catch {
    return err('it answered with something that is no JSON');
  }
  return read(value);
}
