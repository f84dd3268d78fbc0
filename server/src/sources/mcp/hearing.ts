import type { CallNotification, LogLevel } from '#domain';
import type { Clock, Members } from '#foundation';
import type { Owner } from './capabilities.ts';
import type { Interaction } from './interaction.ts';
import { refusalOf } from './protocol.ts';
import type { Message, ServerRequest } from './transports/message.ts';
import type { Line, Listening, SessionHead } from './transports/transport.ts';

/** A request under way in a session, for what the server says of it elsewhere than on the stream of its answer. */
export interface UnderWay {
  readonly id: number;
  readonly hear: ((method: string, params: Members | undefined) => void) | null;
  /** `null` where the client can be asked nothing. */
  readonly interaction: Interaction | null;
}

export interface Follower {
  /** Gets the params of each `notifications/resources/updated`. */
  readonly onUpdated: (params: Members) => void;
  /** The session is over. */
  readonly onEnd: () => void;
}

/** Hears what a server says in one session outside any answer, and finds out whom it concerns. */
export interface Hearing {
  /** Listens from now on; resolves when nothing more is missed, or after a while. */
  start(): Promise<void>;
  begin(request: UnderWay): void;
  finish(request: UnderWay): void;
  /** Who hears of resources, until the returned function is called. */
  follow(follower: Follower): () => void;
  /** A resource changed, which a server may say in the course of a request too. */
  updated(params: Members | undefined): void;
  /** The level of log messages that was asked for in this session; `null`: none was. */
  level: LogLevel | null;
  stop(): void;
}

/** Whom a session tells of what concerns no request. */
export interface HearingEvents {
  readonly onListChanged: () => void;
  readonly onAnnouncement: (conversation: string, notification: CallNotification) => void;
}

export interface HearingOptions {
  readonly line: Line;
  readonly head: SessionHead;
  readonly owner: Owner;
  /** The session serves several users, so that what is not said of one request is nobody's. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly events: HearingEvents;
  /** The session is gone for good. */
  readonly onEnd: () => void;
}

/** Servers on the official SDK for Node say that the stream is open only with its first event; no call is to wait for that. */
const readyWithinMs = 250;
const maxEarly = 32;

export function createHearing(options: HearingOptions): Hearing {
  const { line, head, owner, isShared, clock, events, onEnd } = options;
  // The oldest first.
  const underWay = new Set<UnderWay>();
  const followers = new Set<Follower>();
  /** What was asked before the request that opened the session had begun; `null` from then on. */
  let early: ServerRequest[] | null = [];
  let listening: Listening | null = null;
  let started: Promise<void> | null = null;

  function start(): Promise<void> {
    listening = line.listen(head, { onMessage, onEnd });
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopTimer = clock.every(readyWithinMs, resolve);
    void listening.ready.then(resolve);
    return promise.finally(stopTimer);
  }

  function onMessage(message: Message): void {
    if (message.kind === 'request') onRequest(message);
    else if (message.kind === 'notification') onNotification(message.method, message.params);
  }

  function onRequest(request: ServerRequest): void {
    const asked = request.method === 'ping' ? null : askedFor();
    if (asked !== null) asked.arrive(request, (answer) => void line.tell(answer, head));
    else if (early !== null && early.length < maxEarly && request.method !== 'ping') early.push(request);
    else void line.tell(owner.conversation === null ? nobodysAnswer(request) : refusalOf(request), head);
  }

  /** The newest request that can be answered for; where several users share the session, only one that is alone. */
  function askedFor(): Interaction | null {
    if (isShared && underWay.size !== 1) return null;
    let newest: Interaction | null = null;
    for (const { interaction } of underWay) newest = interaction ?? newest;
    return newest;
  }

  function onNotification(method: string, params: Members | undefined): void {
    switch (method) {
      case 'notifications/tools/list_changed':
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
        events.onListChanged();
        break;
      case 'notifications/resources/updated':
        updated(params);
        break;
      case 'notifications/cancelled':
        for (const { interaction } of underWay) interaction?.cancelled(params?.requestId);
        break;
      case 'notifications/progress':
        for (const { id, hear } of underWay) if (id === params?.progressToken) hear?.(method, params);
        break;
      default:
        announce(method, params);
    }
  }

  function updated(params: Members = {}): void {
    for (const { onUpdated } of followers) onUpdated(params);
  }

  function announce(method: string, params: Members | undefined): void {
    if (isShared) return;
    const said = params === undefined ? { method } : { method, params };
    if (owner.conversation !== null) events.onAnnouncement(owner.conversation, said);
    else [...underWay].at(-1)?.hear?.(method, params);
  }

  return {
    level: null,
    start: () => (started ??= start()),
    begin(request) {
      underWay.add(request);
      if (early === null) return;
      const waiting = early;
      early = null;
      for (const one of waiting) onRequest(one);
    },
    finish: (request) => void underWay.delete(request),
    follow(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
    updated,
    stop() {
      listening?.stop();
      for (const { onEnd } of followers) onEnd();
      followers.clear();
    },
  };
}

/** Servers ask for roots as soon as a session begins; that of nobody in particular has none, which is no mistake. */
function nobodysAnswer(request: ServerRequest): object {
  return request.method === 'roots/list' ? { id: request.id, result: { roots: [] } } : refusalOf(request);
}
