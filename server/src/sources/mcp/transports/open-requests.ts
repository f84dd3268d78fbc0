import type { EgressFailure } from '#egress';
import { type Clock, err, type Result } from '#foundation';
import type { Exchange, Reply } from './exchange.ts';
import type { Message } from './message.ts';

type Outcome = Result<Reply, EgressFailure>;

/** The requests on a channel that wait for their answers, and for how long. */
export interface OpenRequests {
  add(request: Exchange): Promise<Outcome>;
  has(id: number): boolean;
  ids(): readonly number[];
  settle(id: number, outcome: Outcome): void;
  /** Hands over what the server says of a request, which gives it time anew. False where that is not open. */
  hear(id: number, message: Message): boolean;
  /** Since when none is open, on the monotonic clock; `null` while one is. */
  idleSinceMs(): number | null;
}

interface Entry {
  readonly request: Exchange;
  deadlineMs: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Deadlines are looked at by one coarse tick, so that a request costs no timer. */
const tickMs = 100;

/** `hint` is what to say to an operator besides where the server is silent. */
export function createOpenRequests(clock: Clock, hint: () => string): OpenRequests {
  const open = new Map<number, Entry>();
  let stopTicking: (() => void) | null = null;
  let idleSinceMs = clock.monotonic();

  function tick(): void {
    const nowMs = clock.monotonic();
    for (const { request, deadlineMs, settle } of open.values()) {
      if (nowMs < deadlineMs) continue;
      const moreMs = request.moreTimeMs?.() ?? 0;
      const entry = open.get(request.id);
      if (moreMs > 0 && entry !== undefined) entry.deadlineMs = nowMs + moreMs;
      else {
        const message = `the server was silent for ${request.timeoutMs} ms`;
        settle(err({ kind: 'timeout', message, aside: hint(), sent: true }));
      }
    }
  }

  function forget(id: number): void {
    open.delete(id);
    if (open.size > 0) return;
    idleSinceMs = clock.monotonic();
    stopTicking?.();
    stopTicking = null;
  }

  return {
    add(request) {
      const { id, signal, timeoutMs } = request;
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const settle = (outcome: Outcome) => {
        signal?.removeEventListener('abort', onAbort);
        forget(id);
        resolve(outcome);
      };
      const onAbort = () => settle(err(aborted(true)));
      signal?.addEventListener('abort', onAbort);
      open.set(id, { request, deadlineMs: clock.monotonic() + timeoutMs, settle });
      stopTicking ??= clock.every(tickMs, tick);
      return promise;
    },
    has: (id) => open.has(id),
    ids: () => [...open.keys()],
    settle: (id, outcome) => open.get(id)?.settle(outcome),
    hear(id, message) {
      const entry = open.get(id);
      if (entry === undefined) return false;
      const { lasting, timeoutMs, onMessage } = entry.request;
      entry.deadlineMs = lasting === true ? Number.POSITIVE_INFINITY : clock.monotonic() + timeoutMs;
      onMessage?.(message);
      return true;
    },
    idleSinceMs: () => (open.size > 0 ? null : idleSinceMs),
  };
}

export function aborted(sent: boolean): EgressFailure {
  return { kind: 'aborted', message: 'the request to the server was aborted', sent };
}
