import type { Clock } from '#foundation';
import { type Answer, answerTo, isListChanged } from './ask.ts';
import { modernHeaders } from './era.ts';
import { nextId } from './exchange.ts';
import type { Message } from './message.ts';
import { modernMeta } from './protocol.ts';
import type { Session } from './sessions.ts';
import type { Line } from './transport.ts';

/** Hears from a server that its lists changed: one stream, opened anew at most once for each refresh. */
export interface Listener {
  /** Listens where that answer came from, unless it does already. */
  ensure(where: Pick<Answer, 'line' | 'session'>): void;
  stop(): void;
}

export interface ListenerOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onListChanged: () => void;
}

const firstPauseMs = 5000;
const longestPauseMs = 5 * 60_000;

export function createListener({ clock, timeoutMs, onListChanged }: ListenerOptions): Listener {
  let running: { readonly at: Line | Session; readonly stop: () => void } | null = null;
  let pauseMs = firstPauseMs;
  let notBefore = Number.NEGATIVE_INFINITY;

  function stop(): void {
    running?.stop();
    running = null;
  }

  function heard(message: Message, line: Line, session: Session | null): void {
    pauseMs = firstPauseMs;
    if (message.kind === 'notification' && isListChanged(message.method)) onListChanged();
    else if (message.kind === 'request' && session !== null) {
      void line.tell(answerTo(message.id, message.method), session);
    }
  }

  function inSession(session: Session): () => void {
    const onMessage = (message: Message) => heard(message, session.line, session);
    return session.line.listen(session, { onMessage, onEnd() {} }).stop;
  }

  function inModernWay(line: Line, onEnd: () => void): () => void {
    const abort = new AbortController();
    const method = 'subscriptions/listen';
    const id = nextId();
    const notifications = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: { notifications, _meta: modernMeta } });
    const onMessage = (message: Message) => heard(message, line, null);
    const headers = modernHeaders(method);
    const { signal } = abort;
    const request = { id, body, headers, timeoutMs, signal, lasting: true, harmless: true, onMessage };
    void line.request(request, null).then(onEnd);
    return () => abort.abort();
  }

  return {
    stop,
    ensure({ line, session }) {
      const at = session ?? line;
      if (running?.at === at) return;
      stop();
      if (session !== null) {
        running = { at, stop: inSession(session) };
        return;
      }
      if (clock.now() < notBefore) return;
      notBefore = clock.now() + pauseMs;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      const started = {
        at,
        stop: inModernWay(line, () => {
          if (running === started) running = null;
        }),
      };
      running = started;
    },
  };
}
