import type { EgressFailure, UpstreamHead } from '#egress';
import { err, ok, type Result } from '#foundation';
import { send } from '../../failure.ts';
import { type Channel, createChannel, type WriteLimits } from './channel.ts';
import { type Endpoint, isEventStream, type Reply } from './exchange.ts';
import { createSseReader } from './sse.ts';
import type { Bearer, Line, Transport } from './transport.ts';

/** Messages on their way to the server on one channel: its requests, and a few answers to what it asks. */
const maxPosting = 1100;

/**
 * The transport of 2024-11-05: a stream that the server opens with the address for what is said to it, and on which it
 * answers. Each line is a stream; a stream that ended is not continued, as its session ended with it.
 */
export function createHttpSse(endpoint: Endpoint, timeoutMs: number): Transport {
  const streams = new Set<Stream>();
  let closed = false;
  return {
    async open(_owner, bearer = { line: '' }) {
      if (closed) return err({ kind: 'stopped', message: 'the source was closed', sent: false });
      const stream = openStream(endpoint, bearer, timeoutMs, () => streams.delete(stream));
      streams.add(stream);
      return stream.opened;
    },
    channels: true,
    mayBeModern: false,
    shared: false,
    perUser: false,
    authorizes: endpoint.authorizes === true,
    close() {
      closed = true;
      for (const { fail } of streams) fail('stopped', 'the connection to the server was closed');
    },
  };
}

interface Stream {
  /** Settled when the server said where messages go, or that will not be. */
  readonly opened: Promise<Result<Line, EgressFailure>>;
  fail(kind: EgressFailure['kind'], message: string): void;
}

function openStream(endpoint: Endpoint, bearer: Bearer, timeoutMs: number, onOver: () => void): Stream {
  const { upstream, path, headers, maxAnswerBytes, clock } = endpoint;
  const { promise: opened, resolve } = Promise.withResolvers<Result<Line, EgressFailure>>();
  const abort = new AbortController();
  let channel: Channel | null = null;
  let heardAtMs = 0;

  function fail(kind: EgressFailure['kind'], message: string): void {
    resolve(err({ kind, message, sent: true }));
    channel?.fail({ kind, message, sent: true });
    abort.abort();
  }
  function begin(address: string): void {
    const postPath = postPathOf(address, upstream.origin + path);
    if (postPath === null) {
      fail('protocol', 'the server wants messages to go to an address that is not of its own origin');
    } else {
      const close = () => abort.abort();
      channel = createChannel({ clock, write: createPoster(endpoint, bearer, postPath), close });
      resolve(ok(withoutDeadStream(channel, () => heardAtMs, endpoint)));
    }
  }
  function hear(data: string, name: string): void {
    if (name === 'endpoint' && channel === null) begin(data);
    else if (name === '' || name === 'message') channel?.receive(Buffer.from(data, 'utf8'));
  }
  function stream(head: UpstreamHead) {
    if (head.status !== 200 || !isEventStream(head)) return null;
    const reader = createSseReader(hear, maxAnswerBytes);
    return (chunk: Buffer) => {
      heardAtMs = clock.monotonic();
      const message = `a message of the server's event stream is larger than ${maxAnswerBytes} bytes`;
      if (!reader.push(chunk)) fail('too_large', message);
    };
  }

  const stopWaiting = clock.every(timeoutMs, () => {
    stopWaiting();
    if (channel === null) fail('timeout', 'the server did not say on its event stream where messages go');
  });
  const limits = { timeoutMs, maxBytes: 64 * 1024, lasting: true, signal: abort.signal };
  void upstream
    .request({ method: 'GET', path, headers: headers + bearer.line, ...limits, stream })
    .then((answer) => {
      stopWaiting();
      onOver();
      if (!answer.ok) resolve(answer);
      else if (!isEventStream(answer.value)) resolve(withoutStream(answer.value));
      fail('interrupted', 'the server ended its event stream');
    });
  return { opened, fail };
}

function withoutStream({ status, header }: UpstreamHead): Result<Line, EgressFailure> {
  if (status === 401 || status === 403) return ok(refusing(status, header('www-authenticate')));
  return err({ kind: 'protocol', message: `the server opens no event stream (HTTP ${status})`, sent: true });
}

/** Where messages are POSTed to; `null` where that is no address of the same origin. */
function postPathOf(written: string, base: string): string | null {
  const url = URL.parse(written.trim(), base);
  if (url === null || url.origin !== new URL(base).origin || url.username !== '' || url.password !== '')
    return null;
  return url.pathname + url.search;
}

function createPoster({ upstream, headers: own, retry }: Endpoint, bearer: Bearer, path: string) {
  let posting = 0;
  return async (
    body: string,
    { timeoutMs, signal }: WriteLimits,
  ): Promise<Result<Reply, EgressFailure> | null> => {
    if (posting >= maxPosting) {
      return err({
        kind: 'timeout',
        message: 'too many messages are on their way to the server',
        sent: false,
      });
    }
    posting++;
    const headers = own + bearer.line;
    const request = { method: 'POST', path, headers, body, timeoutMs, maxBytes: 64 * 1024, signal } as const;
    const answer = await send(upstream, request, retry, false);
    posting--;
    if (!answer.ok) {
      // How long to wait for the answer on the stream, the channel knows better.
      return answer.error.kind === 'timeout' && answer.error.sent ? null : answer;
    }
    const { status } = answer.value;
    if (status >= 200 && status < 300) return null;
    const text = answer.value.body.toString('utf8', 0, 2048);
    const challenge = answer.value.header('www-authenticate');
    return ok({ kind: 'refused', status, text, why: 'it did not take the message', challenge });
  };
}

/**
 * A stream may be dead and nobody told us. Where a request got no answer in time, and nothing at all came meanwhile, and
 * nothing else is under way, it is given up, so that the next request gets another one.
 */
function withoutDeadStream(channel: Channel, heardAtMs: () => number, { clock }: Endpoint): Line {
  return {
    ...channel,
    async request(request, session) {
      const askedAtMs = clock.monotonic();
      const reply = await channel.request(request, session);
      const isSilent = !reply.ok && reply.error.kind === 'timeout' && heardAtMs() <= askedAtMs;
      if (isSilent && channel.idleSinceMs() !== null) await channel.end(null);
      return reply;
    },
  };
}

/** The line to a server that did not let us in: whatever is asked is refused like that. */
function refusing(status: number, challenge: string | undefined): Line {
  const why = 'it did not open its event stream';
  const reply: Reply = { kind: 'refused', status, text: '', why, challenge };
  return {
    isChannel: true,
    request: async () => ok(reply),
    tell: async () => {},
    listen: () => ({ ready: Promise.resolve(), stop() {} }),
    end: async () => {},
  };
}
