import { answerTo } from './ask.ts';
import { modernHeaders, sessionHeaders } from './era.ts';
import { type Endpoint, isEventStream, nextId, tell } from './exchange.ts';
import { parseMessage } from './message.ts';
import { modernMeta } from './protocol.ts';
import type { Session } from './sessions.ts';
import { createSseReader } from './sse.ts';

/** Hears from a server that its tools changed: one stream, opened anew at most once for each refresh. */
export interface Listener {
  /** Listens in this session, or in the modern way where it is `null`, unless it does already. */
  ensure(session: Session | null): void;
  stop(): void;
}

export interface ListenerOptions {
  readonly endpoint: Endpoint;
  readonly timeoutMs: number;
  readonly onToolsChanged: () => void;
}

const firstPauseMs = 5000;
const longestPauseMs = 5 * 60_000;

export function createListener({ endpoint, timeoutMs, onToolsChanged }: ListenerOptions): Listener {
  const { clock } = endpoint;
  let running: { readonly session: Session | null; readonly abort: AbortController } | null = null;
  let pauseMs = firstPauseMs;
  let notBefore = Number.NEGATIVE_INFINITY;
  let notOffered: { readonly session: Session | null } | null = null;

  function stop(): void {
    running?.abort.abort();
    running = null;
  }

  async function listen(session: Session | null, signal: AbortSignal): Promise<void> {
    const answer = await endpoint.upstream.request({
      ...requestFor(session),
      path: endpoint.path,
      timeoutMs,
      maxBytes: 64 * 1024,
      signal,
      stream(head) {
        if (head.status !== 200 || !isEventStream(head)) return null;
        const reader = createSseReader((data) => heard(data, session), endpoint.maxAnswerBytes);
        return (chunk) => {
          if (!reader.push(chunk)) stop();
        };
      },
    });
    if (answer.ok && (answer.value.status !== 200 || !isEventStream(answer.value))) notOffered = { session };
  }

  function heard(data: string, session: Session | null): void {
    pauseMs = firstPauseMs;
    const message = parseMessage(Buffer.from(data, 'utf8'), -1);
    if (!message.ok) return;
    if (
      message.value.kind === 'notification' &&
      message.value.method === 'notifications/tools/list_changed'
    ) {
      onToolsChanged();
    } else if (message.value.kind === 'request' && session !== null) {
      void tell(endpoint, sessionHeaders(session), answerTo(message.value.id, message.value.method));
    }
  }

  function requestFor(session: Session | null) {
    const { headers } = endpoint;
    if (session !== null) return { method: 'GET' as const, headers: headers + sessionHeaders(session) };
    const method = 'subscriptions/listen';
    const params = { notifications: { toolsListChanged: true }, _meta: modernMeta };
    return {
      method: 'POST' as const,
      headers: headers + modernHeaders(method),
      body: JSON.stringify({ jsonrpc: '2.0', id: nextId(), method, params }),
    };
  }

  return {
    stop,
    ensure(session) {
      if (running?.session === session && running !== null) return;
      stop();
      if (notOffered?.session === session && notOffered !== null) return;
      if (clock.now() < notBefore) return;
      const abort = new AbortController();
      const started = { session, abort };
      running = started;
      notBefore = clock.now() + pauseMs;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      void listen(session, abort.signal).finally(() => {
        if (running === started) running = null;
      });
    },
  };
}
