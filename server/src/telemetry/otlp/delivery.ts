import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';
import type { Egress, Upstream } from '#egress';
import { type Clock, err, ok, pause, type Result } from '#foundation';
import type { SignalSettings } from './contract.ts';

const gzip = promisify(gzipWithCallback);

const maxAnswerBytes = 64 * 1024;
const firstPauseMs = 1000;
const longestPauseMs = 15_000;
/** Of OTLP/HTTP: the collector could not take it just now. */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Brings bodies to one address of a collector. */
export interface Delivery {
  /**
   * Sends it, and again while the collector cannot take it, for at most `withinMs`. The answer's body; or why it was given up, in
   * words that hold nothing of headers, address or answer.
   */
  deliver(body: Uint8Array, withinMs: number): Promise<Result<Uint8Array, string>>;
  /** What is under way, and what comes then, is tried once more and not again. */
  hurry(): void;
}

export interface DeliveryDeps {
  readonly egress: Egress;
  readonly clock: Clock;
  /** From 0 to 1; spreads those who all try again. */
  readonly random?: () => number;
}

export function createDelivery(
  { endpoint, headers, protocol, compression, timeoutMs, tls }: SignalSettings,
  { egress, clock, random = Math.random }: DeliveryDeps,
): Delivery {
  const url = new URL(endpoint);
  const upstream = egress.upstream(url.origin, 'file', { tls });
  const contentType = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
  const lines =
    `content-type: ${contentType}\r\n` +
    (compression === 'gzip' ? 'content-encoding: gzip\r\n' : '') +
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  const hurried = new AbortController();

  async function attempt(to: Upstream, body: Buffer, withinMs: number): Promise<Attempt> {
    const answer = await to.request({
      method: 'POST',
      path: url.pathname + url.search,
      headers: lines,
      body,
      timeoutMs: Math.max(1, Math.min(timeoutMs, Math.ceil(withinMs))),
      maxBytes: maxAnswerBytes,
    });
    if (!answer.ok) {
      const { kind, message } = answer.error;
      return { failed: message, again: tryAgain.has(kind), afterMs: null };
    }
    const { status, body: said } = answer.value;
    if (status >= 200 && status < 300) return { said };
    const failed = `the collector answered with HTTP ${status}`;
    const afterMs = retryAfterOf(answer.value.header('retry-after'), clock);
    return { failed, again: passing.has(status), afterMs };
  }

  return {
    async deliver(given, withinMs) {
      if (!upstream.ok) return err(upstream.error.message);
      const deadline = clock.monotonic() + withinMs;
      const body = compression === 'gzip' ? await gzip(given) : Buffer.from(given);
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        const tried = await attempt(upstream.value, body, deadline - clock.monotonic());
        if ('said' in tried) return ok(tried.said);
        const waitMs = Math.max(tried.afterMs ?? 0, pauseMs * (0.8 + 0.4 * random()));
        const isLate = clock.monotonic() + waitMs >= deadline;
        if (!tried.again || isLate || hurried.signal.aborted) return err(tried.failed);
        await pause(clock, waitMs, hurried.signal);
      }
    },
    hurry: () => hurried.abort(),
  };
}

type Attempt =
  | { readonly said: Uint8Array }
  | { readonly failed: string; readonly again: boolean; readonly afterMs: number | null };

/** It was not reached, or not for long enough. A collector takes the same twice. */
const tryAgain: ReadonlySet<string> = new Set([
  'address_unresolved',
  'unreachable',
  'timeout',
  'interrupted',
]);

function retryAfterOf(header: string | undefined, clock: Clock): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isNaN(ms) || ms < 0 ? null : ms;
}
