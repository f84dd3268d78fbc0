import type { Clock } from '#foundation';
import type { Answer } from '../ask.ts';
import { isListChanged } from '../protocol.ts';
import type { Line } from '../transports/transport.ts';
import { type ModernStream, openModernStream } from './modern-stream.ts';

/** Hears from a server that its lists changed. */
export interface Listener {
  /** Listens where that answer came from, unless it does already; anew at most once for each refresh. */
  ensure(where: Pick<Answer, 'line' | 'session'>, authorization: string): void;
  stop(): void;
}

export interface ListenerOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onListChanged: () => void;
}

const firstPauseMs = 5000;
const longestPauseMs = 5 * 60_000;
const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } as const;

/** In the legacy era the session itself listens; in the modern era there is one stream for it. */
export function createListener({ clock, timeoutMs, onListChanged }: ListenerOptions): Listener {
  let running: { readonly at: Line; stream: ModernStream | null } | null = null;
  let pauseMs = firstPauseMs;
  let notBefore = Number.NEGATIVE_INFINITY;

  function stop(): void {
    running?.stream?.close();
    running = null;
  }

  async function listen(
    started: { readonly at: Line; stream: ModernStream | null },
    authorization: string,
  ): Promise<void> {
    const opened = await openModernStream(started.at, authorization, lists, timeoutMs, (method) => {
      pauseMs = firstPauseMs;
      if (isListChanged(method)) onListChanged();
    });
    if (opened.ok && running === started) {
      started.stream = opened.value;
      await opened.value.ended;
      // It may have ended because the server did, and another one offers something else.
      if (running === started) onListChanged();
    } else if (opened.ok) opened.value.close();
    if (running === started) running = null;
  }

  return {
    stop,
    ensure({ line, session }, authorization) {
      if (session !== null) {
        stop();
        void session.hearing.start();
        return;
      }
      if (running?.at === line) return;
      stop();
      if (clock.now() < notBefore) return;
      notBefore = clock.now() + pauseMs;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      running = { at: line, stream: null };
      void listen(running, authorization);
    },
  };
}
