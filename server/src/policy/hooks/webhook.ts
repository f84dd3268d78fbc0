import {
  authTypeOf,
  type HealthStatus,
  hookHealthResponse,
  pluginDefaults,
  type RetryConfig,
  type WebhookAuth,
} from '@sallyport/contracts';
import type { z } from 'zod';
import type { Egress, UpstreamResponse } from '#egress';
import { type Clock, err, isDeeperThan, ok, type Result } from '#foundation';
import type { PluginEntry } from './contract.ts';
import { createOrigins, type NoAnswer, type WebRequest } from './origins.ts';

const maxAnswerBytes = 1024 * 1024;
/** Nothing that we hand on may be nested deeper. */
const maxDepth = 100;
const healthTimeoutMs = 5000;
const maxDelayMs = 60_000;
const maxRetryAfterMs = 86_400_000;

export interface WebhookDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  /** Waits; rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal | null) => Promise<void>;
}

export interface Question<Answer> {
  readonly url: string;
  readonly body: string;
  readonly timeoutMs: number;
  readonly schema: z.ZodType<Answer>;
  readonly signal: AbortSignal | null;
}

export interface Answered<Answer> {
  readonly answer: Answer;
  readonly retryAfterMs: number | null;
}

/** One hook server. */
export interface Webhook {
  ask<Answer>(question: Question<Answer>): Promise<Result<Answered<Answer>, NoAnswer>>;
  health(): Promise<HealthStatus>;
  retire(): void;
}

type Failed = NoAnswer & { readonly status?: number };

export function createWebhook({ origin, definition: { plugin } }: PluginEntry, deps: WebhookDeps): Webhook {
  const { endpoints, auth, health_check_path: healthPath } = plugin.webhook_config ?? { endpoints: {} };
  const origins = createOrigins(deps.egress, origin, tlsOf(auth));
  const authorization = auth?.token === undefined ? '' : `authorization: Bearer ${auth.token}\r\n`;
  const retries = retriesOf(plugin.retry);

  async function send(
    request: Omit<WebRequest, 'headers' | 'maxBytes'>,
  ): Promise<Result<UpstreamResponse, Failed>> {
    const type = request.body === undefined ? '' : 'content-type: application/json\r\n';
    const headers = `accept: application/json\r\n${type}${authorization}`;
    return origins.request({ ...request, headers, maxBytes: maxAnswerBytes });
  }

  async function askOnce<Answer>(question: Question<Answer>): Promise<Result<Answered<Answer>, Failed>> {
    const { url, body, timeoutMs, signal, schema } = question;
    const answer = await send({ url, body, timeoutMs, signal, method: 'POST' });
    if (!answer.ok) return answer;
    const { status } = answer.value;
    if (status < 200 || status > 299)
      return err({ kind: 'refused', reason: `it answered HTTP ${status}`, status });
    const parsed = parse(answer.value, schema);
    if (!parsed.ok) return err({ kind: 'refused', reason: parsed.error });
    const retryAfterMs = retryAfterOf(answer.value.header('retry-after'), deps.clock);
    return ok({ answer: parsed.value, retryAfterMs });
  }

  return {
    async ask(question) {
      for (let attempt = 1; ; attempt++) {
        const answered = await askOnce(question);
        if (answered.ok || attempt >= retries.maxAttempts || !retries.covers(answered.error)) return answered;
        try {
          await deps.wait(retries.delayMs(attempt), question.signal);
        } catch {
          return err({ kind: 'aborted', reason: 'the call was cancelled' });
        }
      }
    },
    async health() {
      const one = endpoints.access ?? endpoints.pre ?? endpoints.post;
      if (one === undefined) return 'unhealthy';
      const url = new URL(one.url).origin + (healthPath ?? pluginDefaults.health_check_path);
      const answer = await send({ url, method: 'GET', timeoutMs: healthTimeoutMs });
      if (!answer.ok) return 'unhealthy';
      const { status } = answer.value;
      const said = parse(answer.value, hookHealthResponse);
      if (status === 503) return (said.ok ? said.value.status : null) ?? 'unhealthy';
      return status === 200 && said.ok ? (said.value.status ?? 'healthy') : 'unhealthy';
    },
    retire: origins.retire,
  };
}

export function tlsOf(auth: WebhookAuth | undefined) {
  const { ca_cert: ca, client_cert: cert, client_key: key } = auth ?? {};
  return ca === undefined && authTypeOf(auth) !== 'mtls' ? null : { ca, cert, key };
}

/** What is not the contract's is no answer; nothing of it is quoted. */
function parse<Answer>(answer: UpstreamResponse, schema: z.ZodType<Answer>): Result<Answer, string> {
  const type = answer.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && type !== 'application/json' && !type.endsWith('+json'))
    return err('it answered with something that is not called JSON');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body));
  } catch {
    return err('it answered with something that is no JSON');
  }
  if (isDeeperThan(value, maxDepth)) return err('it answered with something that is nested too deep');
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const at = parsed.error.issues[0]?.path.map(String).slice(0, 2).join('.') ?? '';
  return err(`it answered against the contract${at === '' ? '' : `, in ${at.slice(0, 100)}`}`);
}

function retriesOf(retry: RetryConfig | undefined) {
  const {
    enabled = pluginDefaults.retry.enabled,
    max_attempts = pluginDefaults.retry.max_attempts,
    base_delay_ms = pluginDefaults.retry.base_delay_ms,
    backoff = pluginDefaults.retry.backoff,
    retry_on = pluginDefaults.retry.retry_on,
  } = retry ?? {};
  const on = new Set<string>(retry_on);
  return {
    maxAttempts: retry === undefined || !enabled ? 1 : max_attempts,
    covers: ({ kind, status = 0 }: Failed) =>
      on.has(kind) || (status >= 500 && (on.has('5xx') || on.has(String(status)))),
    delayMs: (attempt: number) =>
      Math.min(maxDelayMs, backoff === 'fixed' ? base_delay_ms : base_delay_ms * 2 ** (attempt - 1)),
  };
}

function retryAfterOf(header: string | undefined, clock: Clock): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isNaN(ms) || ms < 0 ? null : Math.min(ms, maxRetryAfterMs);
}
