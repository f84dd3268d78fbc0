import type { ListKind } from '#catalog';
import type { Clock } from '#foundation';
import type { HttpResponse } from '../http/message.ts';
import { messageEvent } from './exchange.ts';

const keepAliveMs = 15_000;
/** A client that leaves this much unread is not listening. */
const mayLeaveUnread = 64 * 1024;

/** A principal may stand for many users, each with a stream or two. */
const maxPerPrincipal = 5000;

/**
 * A call under way. They stand in a list and not in a Map: a Map that all calls pass through is made anew again and again, each
 * leads to the next, and so the first that is old keeps alive what all later ones held.
 */
interface Waiting {
  readonly keepAlive: () => void;
  /** Whether it was already there at the last round: short ones stay plain JSON. */
  isLong: boolean;
  /** Where it stands. */
  at: number;
}

/** Open streams of clients who want to hear when a gateway's list changes. */
export function createStreams(clock: Clock) {
  const bySlug = new Map<string | null, Set<OpenStream>>();

  interface OpenStream {
    readonly response: HttpResponse;
    /** Whether its client would still be let in: asked before each word, and now and then. */
    readonly mayHear: () => boolean;
    /** The lists it wants to hear of. */
    readonly lists: ReadonlySet<ListKind>;
    /** The message that says that a list changed, as JSON text. */
    readonly changed: (list: ListKind) => string;
    /** What to say at the end, where the protocol wants a word. */
    readonly goodbye: string | null;
    /** A client that leaves more unread is cut off. */
    readonly maxUnreadBytes?: number;
  }

  function tell({ response, mayHear, maxUnreadBytes }: OpenStream, text: string): void {
    if (mayHear()) say(response, text, maxUnreadBytes);
    else response.end();
  }

  const openOf = new Map<string, number>();

  const waiting: Waiting[] = [];

  const stopKeepAlive = clock.every(keepAliveMs, () => {
    for (const streams of bySlug.values()) for (const stream of streams) tell(stream, ': keep-alive\n\n');
    for (const call of [...waiting]) {
      if (call.isLong) call.keepAlive();
      call.isLong = true;
    }
  });

  return {
    /** Counts a stream among those of a principal until it closes; `false` where that has too many. */
    admit(principalId: string, response: HttpResponse): boolean {
      const open = openOf.get(principalId) ?? 0;
      if (open >= maxPerPrincipal) return false;
      openOf.set(principalId, open + 1);
      response.once('close', () => {
        const left = (openOf.get(principalId) ?? 1) - 1;
        if (left === 0) openOf.delete(principalId);
        else openOf.set(principalId, left);
      });
      return true;
    },
    /** Holds a stream, whose head is written, until its client goes away; under `null` it only stays open. */
    hold(slug: string | null, stream: OpenStream): void {
      if (stream.response.destroyed) return;
      const streams = bySlug.get(slug) ?? new Set();
      bySlug.set(slug, streams);
      streams.add(stream);
      stream.response.once('close', () => {
        streams.delete(stream);
        if (streams.size === 0 && bySlug.get(slug) === streams) bySlug.delete(slug);
      });
    },
    /** Calls `keepAlive` now and then, until the returned function is called. */
    whileWaiting(keepAlive: () => void): () => void {
      const call = { keepAlive, isLong: false, at: waiting.length };
      waiting.push(call);
      return () => {
        if (waiting[call.at] !== call) return;
        const last = waiting.pop() as Waiting;
        if (last === call) return;
        waiting[call.at] = last;
        last.at = call.at;
      };
    },
    /** Tells everyone who listens to this gateway that these of its lists changed. */
    listsChanged(slug: string, which: ReadonlySet<ListKind>): void {
      for (const stream of bySlug.get(slug) ?? []) {
        for (const list of which)
          if (stream.lists.has(list)) tell(stream, messageEvent(stream.changed(list)));
      }
    },
    /** How many requests wait for their answer. */
    waiting: () => waiting.length,
    size: () => [...bySlug.values()].reduce((sum, streams) => sum + streams.size, 0),
    close(): void {
      stopKeepAlive();
      for (const streams of bySlug.values()) {
        for (const { response, goodbye } of streams) {
          if (goodbye !== null) say(response, messageEvent(goodbye));
          response.end();
        }
      }
    },
  };
}

/** An ended stream may wait for its turn on the connection; writing to it would be an error that nobody catches. */
export function say(response: HttpResponse, text: string, maxUnreadBytes = mayLeaveUnread): void {
  if (response.writableLength > maxUnreadBytes) response.destroy();
  else if (!response.writableEnded) response.write(text);
}

export type Streams = ReturnType<typeof createStreams>;
