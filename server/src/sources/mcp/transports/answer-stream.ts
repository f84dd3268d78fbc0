import type { EgressFailure, UpstreamHead } from '#egress';
import { err, ok, pause, type Result } from '#foundation';
import type { Endpoint, Exchange, Reply } from './endpoint.ts';
import { type Message, messagesIn, parseMessage } from './message.ts';
import { createSseReader, type SseReader } from './sse.ts';

/** Waits for the answer among the messages of event streams, one after another; each message starts the time-out anew. */
export interface AnswerStream {
  /** A stream began; what it says is to be pushed. */
  open(head: UpstreamHead): (chunk: Buffer) => void;
  /** Where the next stream is to go on; `null` where it cannot, or need not any more. */
  next(): { readonly lastId: string; readonly pauseMs: number } | null;
  end(): void;
}

/** How long a server may keep a stream open after it gave the answer. */
const lingerMs = 1000;
/** Each message gives a server time again, but not for ever. */
const longestStreamMs = 24 * 3_600_000;
const shortestPauseMs = 100;
const usualPauseMs = 1000;
const longestPauseMs = 60_000;
const maxFailures = 5;

export function createAnswerStream(
  { id, timeoutMs, moreTimeMs, lasting, onMessage }: Exchange,
  { maxAnswerBytes: maxBytes, clock }: Endpoint,
  settle: (outcome: Result<Reply, EgressFailure>) => void,
  abort: () => void,
): AnswerStream {
  let done = false;
  let reader: SseReader | null = null;
  let lastId: string | null = null;
  const endMs = clock.monotonic() + longestStreamMs;
  const fail = (kind: EgressFailure['kind'], message: string) => {
    done = true;
    settle(err({ kind, message, sent: true }));
    abort();
  };
  const silent = () => {
    const moreMs = moreTimeMs?.() ?? 0;
    if (moreMs > 0) wait(moreMs, silent);
    else fail('timeout', `the server's event stream was silent for ${timeoutMs} ms`);
  };
  let stopTimer = () => {};
  const wait = (forMs: number, then: () => void) => {
    stopTimer();
    stopTimer = clock.every(forMs, then);
  };
  const finish = (reply: Reply) => {
    done = true;
    wait(lingerMs, abort);
    settle(ok(reply));
  };
  const goOn = (message: Message) => {
    if (lasting === true) stopTimer();
    else if (clock.monotonic() < endMs) wait(timeoutMs, silent);
    else {
      const words = `the server's event stream went on for ${longestStreamMs} ms without the answer`;
      return fail('timeout', words);
    }
    onMessage?.(message);
  };
  const read = (said: Buffer, head: UpstreamHead) => {
    if (done) return;
    const message = parseMessage(said, id);
    if (!message.ok) {
      return fail('protocol', `a message of the server's event stream is unreadable: ${message.error}`);
    }
    if (message.value.kind === 'result') finish({ ...message.value, head });
    else if (message.value.kind === 'error') finish({ ...message.value, status: head.status });
    else goOn(message.value);
  };

  return {
    open(head) {
      // A server that lets us come back is there.
      wait(timeoutMs, silent);
      const opened = createSseReader((data) => {
        for (const said of messagesIn(Buffer.from(data, 'utf8'))) read(said, head);
      }, maxBytes);
      reader = opened;
      return (chunk) => {
        if (done || opened.push(chunk)) return;
        fail('too_large', `a message of the server's event stream is larger than ${maxBytes} bytes`);
      };
    },
    next() {
      lastId = reader?.lastId() ?? lastId;
      if (done || lastId === null || clock.monotonic() >= endMs) return null;
      const pauseMs = Math.max(shortestPauseMs, reader?.retryMs() ?? usualPauseMs);
      return { lastId, pauseMs: Math.min(pauseMs, longestPauseMs) };
    },
    end() {
      done = true;
      stopTimer();
    },
  };
}

/** Takes up a stream where it ended, again and again, until it gave the answer or the server does not let us any more. */
export async function resume(
  stream: AnswerStream,
  { upstream, path, headers: own, clock }: Endpoint,
  headers: string,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; failures < maxFailures; ) {
    const next = stream.next();
    if (next === null || signal.aborted) return;
    await pause(clock, next.pauseMs, signal);
    const answer = await upstream.request({
      method: 'GET',
      path,
      headers: `${own}${headers}last-event-id: ${next.lastId}\r\n`,
      timeoutMs: 10_000,
      lasting: true,
      maxBytes: 64 * 1024,
      signal,
      stream: (head) => (head.status === 200 && isEventStream(head) ? stream.open(head) : null),
    });
    if (answer.ok && (answer.value.status !== 200 || !isEventStream(answer.value))) return;
    failures = answer.ok ? 0 : failures + 1;
  }
}

export function isEventStream(head: UpstreamHead): boolean {
  return head.header('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}
