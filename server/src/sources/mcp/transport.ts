import type { EgressFailure } from '#egress';
import type { Result } from '#foundation';
import type { Exchange, Reply } from './exchange.ts';
import type { Message } from './message.ts';

/** What the legacy era repeats on every message of a session; over channels (stdio, HTTP+SSE) it goes without saying. */
export interface SessionHead {
  readonly id: string | null;
  readonly version: string;
}

/**
 * A line to one MCP server. Over Streamable HTTP there is one line, and each message is a request of its own. Over a channel
 * (stdio, HTTP+SSE) each line is a channel, and holds at most one session.
 */
export interface Line {
  /**
   * Sends one request and waits for its answer. `session` is `null` in the modern era and before `initialize` was
   * answered. What the server says on the answer's own stream goes to `request.onMessage`; on a channel, progress under
   * this request's token does too, and whatever else the server says goes to `onMessage` of `listen`.
   */
  request(request: Exchange, session: SessionHead | null): Promise<Result<Reply, EgressFailure>>;
  /** Sends a notification, or an answer to a request of the server; done when the server took it, or did not. */
  tell(message: object, session: SessionHead | null): Promise<void>;
  /**
   * Hears what the server says outside any request: the GET stream of Streamable HTTP, everything unasked on a channel.
   * Over HTTP a stream that ends is opened again, ever more rarely; `onEnd` is called when the session, or the channel, is
   * gone for good. Until the returned function is called.
   */
  listen(session: SessionHead, heard: Heard): () => void;
  /** Ends the session and, where the line is a channel, the channel. */
  end(session: SessionHead | null): Promise<void>;
}

export interface Heard {
  readonly onMessage: (message: Message) => void;
  readonly onEnd: () => void;
}

/** How to reach one MCP server. */
export interface Transport {
  /** Opens a line; over Streamable HTTP, hands out the one there is. `owner` is known to a stdio process of its own for each user. */
  open(owner: string): Promise<Result<Line, EgressFailure>>;
  /** Whether the server may be of the modern era: HTTP+SSE servers never are. */
  readonly mayBeModern: boolean;
  /** Every owner shares one line and one session: a stdio process for all. What the server asks then is nobody's in particular. */
  readonly shared: boolean;
  close(): void;
}
