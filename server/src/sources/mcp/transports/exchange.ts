import { randomInt } from 'node:crypto';
import type { EgressFailure, Upstream, UpstreamHead } from '#egress';
import { err, ok, type Result } from '#foundation';
import { send } from '../../failure.ts';
import { type AnswerStream, createAnswerStream, isEventStream, resume } from './answer-stream.ts';
import type { Endpoint, Exchange, Reply } from './endpoint.ts';
import { createLargeAnswer, type LargeAnswer, passesFrom } from './large-answer.ts';
import { parseMessage } from './message.ts';

export { isEventStream } from './answer-stream.ts';
export type { Endpoint, Exchange, Reply } from './endpoint.ts';

/**
 * POSTs one request; the answer is JSON or the first fitting message of an event stream. A stream that ends before is taken
 * up where it ended, if it may be `resumable` and the server numbers its events.
 */
export function exchange(
  endpoint: Endpoint,
  request: Exchange,
  resumable = false,
): Promise<Result<Reply, EgressFailure>> {
  return new Promise((resolve) => {
    const abort = new AbortController();
    const onAbort = () => abort.abort();
    if (request.signal?.aborted === true) abort.abort();
    else request.signal?.addEventListener('abort', onAbort);
    let stream: AnswerStream | null = null;
    let largeAnswer: LargeAnswer | null = null;
    let settled = false;

    const settle = (outcome: Result<Reply, EgressFailure>) => {
      if (settled) return;
      settled = true;
      request.signal?.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const startLarge = (head: UpstreamHead) => {
      const fromBytes = request.large == null ? null : passesFrom(head);
      if (request.large == null || fromBytes === null) return null;
      return createLargeAnswer(request, request.large, fromBytes, endpoint.maxAnswerBytes, (failure) => {
        settle(err(failure));
        abort.abort();
      });
    };
    const startStream = (head: UpstreamHead) => {
      if (head.status !== 200) return null;
      if (!isEventStream(head)) {
        largeAnswer = startLarge(head);
        return largeAnswer;
      }
      stream = createAnswerStream(request, endpoint, settle, () => abort.abort());
      return stream.open(head);
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
    ).then(async (answer) => {
      if (stream !== null && resumable && isCutOff(answer)) {
        await resume(stream, endpoint, request.headers, abort.signal);
      }
      stream?.end();
      if (!answer.ok) settle(answer);
      else if (largeAnswer !== null) settle(largeAnswer.end(answer.value, replyOf));
      else if (stream === null) settle(ok(replyOf(answer.value, answer.value.body, request.id)));
      else settle(err(interrupted));
    });
  });
}

function isCutOff(answer: Result<unknown, EgressFailure>): boolean {
  return answer.ok || answer.error.kind === 'interrupted';
}

const interrupted: EgressFailure = {
  kind: 'interrupted',
  message: 'the server ended its event stream before it gave the answer',
  sent: true,
};

function replyOf(answer: UpstreamHead, body: Buffer, id: number): Reply {
  const { status } = answer;
  const parsed = parseMessage(body, id);
  const challenge = status === 401 || status === 403 ? answer.header('www-authenticate') : undefined;
  const challenged = challenge === undefined ? {} : { challenge };
  if (parsed.ok && parsed.value.kind === 'error') return { ...parsed.value, status, ...challenged };
  if (parsed.ok && parsed.value.kind === 'result' && status === 200) return { ...parsed.value, head: answer };
  return {
    kind: 'refused',
    status,
    text: body.toString('utf8', 0, 2048),
    why: parsed.ok ? 'it is no answer to our request' : parsed.error,
    ...challenged,
  };
}

/** Not where others begin: a server that keeps no sessions may take what several processes of ours ask for one conversation. */
let lastId = randomInt(2 ** 30);

/** Never given twice in this process, so that ids and progress tokens are unique on every connection. */
export function nextId(): number {
  lastId += 1;
  return lastId;
}

/** Answers under way to one server; what it asks beyond that stays unanswered, or it could fill our memory. */
const maxAnswering = 200;
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
