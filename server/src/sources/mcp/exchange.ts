import type { RpcError } from '#domain';
import type { EgressFailure, Upstream, UpstreamHead, UpstreamResponse } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import { send } from '../failure.ts';
import { type Message, parseMessage } from './message.ts';
import { createSseReader } from './sse.ts';

/** One MCP server as its requests need it. */
export interface Endpoint {
  readonly upstream: Upstream;
  readonly path: string;
  /** The header lines of every request, the source's own included. */
  readonly headers: string;
  readonly retry: number;
  readonly maxAnswerBytes: number;
  readonly clock: Clock;
}

export interface Exchange {
  /** The JSON-RPC id in `body`. */
  readonly id: number;
  readonly body: string;
  /** Further header lines, for Streamable HTTP. */
  readonly headers: string;
  /** From the request to the answer, and anew from each message in between; where it is `lasting`, to the first message. */
  readonly timeoutMs: number;
  /** Asked when that time is over: how much longer to wait, as the client is being asked something meanwhile; 0: no longer. */
  readonly moreTimeMs?: () => number;
  /** The server keeps it open and answers it at its end: `subscriptions/listen`. */
  readonly lasting?: boolean;
  readonly signal: AbortSignal | null;
  /** It only reads, so that it may run twice. */
  readonly harmless: boolean;
  /** What the server sends on the answer's stream before the answer. */
  readonly onMessage: ((message: Message) => void) | null;
}

export type Reply =
  /** Over channels there is no head. */
  | (Extract<Message, { kind: 'result' }> & { readonly head: UpstreamHead | null })
  | { readonly kind: 'error'; readonly error: RpcError; readonly status: number }
  /** Not an answer in JSON-RPC. */
  | { readonly kind: 'refused'; readonly status: number; readonly text: string; readonly why: string };

/** How long a server may keep a stream open after it gave the answer. */
const lingerMs = 1000;
/** Each message gives a server time again, but not for ever. */
const longestStreamMs = 24 * 3_600_000;

/** POSTs one request; the answer is JSON or the first fitting message of an event stream. */
export function exchange(endpoint: Endpoint, request: Exchange): Promise<Result<Reply, EgressFailure>> {
  return new Promise((resolve) => {
    const abort = new AbortController();
    const onAbort = () => abort.abort();
    if (request.signal?.aborted === true) abort.abort();
    else request.signal?.addEventListener('abort', onAbort);
    let stream: AnswerStream | null = null;
    let settled = false;

    const settle = (outcome: Result<Reply, EgressFailure>) => {
      if (settled) return;
      settled = true;
      request.signal?.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const startStream = (head: UpstreamHead) => {
      if (head.status !== 200 || !isEventStream(head)) return null;
      stream = createAnswerStream(head, request, endpoint, settle, () => abort.abort());
      return stream.push;
    };

    void send(
      endpoint.upstream,
      {
        method: 'POST',
        path: endpoint.path,
        headers: endpoint.headers + request.headers,
        body: request.body,
        timeoutMs: request.timeoutMs,
        moreTimeMs: request.moreTimeMs,
        lasting: request.lasting,
        maxBytes: endpoint.maxAnswerBytes,
        signal: abort.signal,
        stream: startStream,
      },
      request.harmless ? Math.max(1, endpoint.retry) : endpoint.retry,
      request.harmless,
    ).then((answer) => {
      stream?.end();
      if (!answer.ok) settle(answer);
      else if (stream === null) settle(ok(replyOf(answer.value, request.id)));
      else settle(err(interrupted));
    });
  });
}

const interrupted: EgressFailure = {
  kind: 'interrupted',
  message: 'the server ended its event stream before it gave the answer',
  sent: true,
};

interface AnswerStream {
  readonly push: (chunk: Buffer) => void;
  end(): void;
}

/** Waits for the answer among the messages of an event stream; each message starts the time-out anew. */
function createAnswerStream(
  head: UpstreamHead,
  { id, timeoutMs, moreTimeMs, lasting, onMessage }: Exchange,
  { maxAnswerBytes: maxBytes, clock }: Endpoint,
  settle: (outcome: Result<Reply, EgressFailure>) => void,
  abort: () => void,
): AnswerStream {
  let done = false;
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
  let stopTimer = clock.every(timeoutMs, silent);
  const wait = (forMs: number, then: () => void) => {
    stopTimer();
    stopTimer = clock.every(forMs, then);
  };
  const finish = (reply: Reply) => {
    done = true;
    wait(lingerMs, abort);
    settle(ok(reply));
  };

  const reader = createSseReader((data) => {
    if (done) return;
    const message = parseMessage(Buffer.from(data, 'utf8'), id);
    if (!message.ok)
      return fail('protocol', `a message of the server's event stream is unreadable: ${message.error}`);
    if (message.value.kind === 'result') finish({ ...message.value, head });
    else if (message.value.kind === 'error') finish({ ...message.value, status: head.status });
    else {
      if (lasting === true) stopTimer();
      else if (clock.monotonic() < endMs) wait(timeoutMs, silent);
      else
        return fail(
          'timeout',
          `the server's event stream went on for ${longestStreamMs} ms without the answer`,
        );
      onMessage?.(message.value);
    }
  }, maxBytes);

  return {
    push(chunk) {
      if (done || reader.push(chunk)) return;
      fail('too_large', `a message of the server's event stream is larger than ${maxBytes} bytes`);
    },
    end() {
      done = true;
      stopTimer();
    },
  };
}

export function isEventStream(head: UpstreamHead): boolean {
  return head.header('content-type')?.toLowerCase().startsWith('text/event-stream') === true;
}

function replyOf(answer: UpstreamResponse, id: number): Reply {
  const { status, body } = answer;
  const parsed = parseMessage(body, id);
  if (parsed.ok && parsed.value.kind === 'error') return { ...parsed.value, status };
  if (parsed.ok && parsed.value.kind === 'result' && status === 200) return { ...parsed.value, head: answer };
  return {
    kind: 'refused',
    status,
    text: body.toString('utf8', 0, 2048),
    why: parsed.ok ? 'it is no answer to our request' : parsed.error,
  };
}

let lastId = 0;

/** Never given twice in this process, so that ids and progress tokens are unique on every connection. */
export function nextId(): number {
  lastId += 1;
  return lastId;
}

/** Answers under way to one server; what it asks beyond that stays unanswered, or it could fill our memory. */
const maxAnswering = 32;
const answering = new WeakMap<Upstream, number>();

/** POSTs a notification or an answer of ours; done when the server took it, or did not. */
export async function tell(
  { upstream, path, headers: own }: Endpoint,
  headers: string,
  message: object,
): Promise<void> {
  const isAnswer = 'id' in message;
  const before = answering.get(upstream) ?? 0;
  if (isAnswer && before >= maxAnswering) return;
  if (isAnswer) answering.set(upstream, before + 1);
  await upstream.request({
    method: 'POST',
    path,
    headers: own + headers,
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    timeoutMs: 10_000,
    maxBytes: 64 * 1024,
  });
  if (isAnswer) answering.set(upstream, (answering.get(upstream) ?? 1) - 1);
}
