import { ok } from '#foundation';
import { type Endpoint, exchange, isEventStream, tell } from './exchange.ts';
import { messagesIn, parseMessage } from './message.ts';
import { createSseReader, type SseReader } from './sse.ts';
import type { Heard, Line, Listening, SessionHead, Transport } from './transport.ts';

const firstPauseMs = 1000;
const longestPauseMs = 5 * 60_000;

/** Streamable HTTP: one line for everybody, on which every message is a request of its own. */
export function createStreamableHttp(endpoint: Endpoint): Transport {
  const line: Line = {
    isChannel: false,
    request(request, session) {
      const headers = session === null ? request.headers : request.headers + sessionHeaders(session);
      return exchange(endpoint, { ...request, headers }, session !== null);
    },
    tell: (message, session) => tell(endpoint, session === null ? '' : spokenIn(session), message),
    listen: (session, heard) => listenOnGet(endpoint, session, heard),
    async end(session) {
      if (session === null || session.id === null) return;
      await endpoint.upstream.request({
        method: 'DELETE',
        path: endpoint.path,
        headers: endpoint.headers + spokenIn(session),
        timeoutMs: 2000,
        maxBytes: 64 * 1024,
      });
    },
  };
  const opened = Promise.resolve(ok(line));
  return {
    open: () => opened,
    channels: false,
    mayBeModern: true,
    shared: false,
    perUser: false,
    authorizes: endpoint.authorizes === true,
    close: () => endpoint.upstream.close(),
  };
}

/** Of what is no request, which would bring its own authorization. */
function spokenIn(session: SessionHead): string {
  return sessionHeaders(session) + (session.bearer?.line ?? '');
}

function sessionHeaders({ id, version }: SessionHead): string {
  const session = id === null ? '' : `mcp-session-id: ${id}\r\n`;
  // The header came with 2025-06-18; older servers are spared it.
  return version < '2025-06-18' ? session : `${session}mcp-protocol-version: ${version}\r\n`;
}

/** A server that offers no such stream is not asked for it again in this session. */
function listenOnGet(endpoint: Endpoint, session: SessionHead, heard: Heard): Listening {
  const { clock, upstream, path, headers, maxAnswerBytes } = endpoint;
  const abort = new AbortController();
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  let pauseMs = firstPauseMs;
  let hasOpened = false;
  let reader: SseReader | null = null;
  let lastId: string | null = null;
  let stopPause = () => {};

  function stop(): void {
    stopPause();
    abort.abort();
  }

  /** A server that numbers its events says again what was missed. */
  function goingOn(): string {
    lastId = reader?.lastId() ?? lastId;
    return lastId === null ? '' : `last-event-id: ${lastId}\r\n`;
  }

  function hear(data: string): void {
    pauseMs = firstPauseMs;
    for (const said of messagesIn(Buffer.from(data, 'utf8'))) {
      const message = parseMessage(said, -1);
      if (message.ok && !abort.signal.aborted) heard.onMessage(message.value);
    }
  }

  async function open(): Promise<void> {
    const answer = await upstream.request({
      method: 'GET',
      path,
      headers: headers + spokenIn(session) + goingOn(),
      timeoutMs: 10_000,
      lasting: true,
      maxBytes: 64 * 1024,
      signal: abort.signal,
      stream(head) {
        if (head.status !== 200 || !isEventStream(head)) return null;
        hasOpened = true;
        isReady();
        reader = createSseReader(hear, maxAnswerBytes);
        const { push } = reader;
        return (chunk) => {
          if (!push(chunk)) stop();
        };
      },
    });
    isReady();
    if (abort.signal.aborted) return;
    if (answer.ok && !(answer.value.status === 200 && isEventStream(answer.value))) {
      // Where the stream was never there, the answer says nothing about the session.
      if (hasOpened && [400, 404].includes(answer.value.status)) heard.onEnd();
      return;
    }
    stopPause = clock.every(pauseMs, () => {
      stopPause();
      void open();
    });
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }

  void open();
  return { ready, stop };
}
