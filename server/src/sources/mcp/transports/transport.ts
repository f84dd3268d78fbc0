import type { EgressFailure } from '#egress';
import type { Result } from '#foundation';
import type { Exchange, Reply } from './exchange.ts';
import type { Message } from './message.ts';

/** The header line of a user's authorization; `''` where there is none. It is renewed while a session lasts. */
export interface Bearer {
  line: string;
}

/** What the legacy era repeats on every message of a session; over channels (stdio, HTTP+SSE) it goes without saying. */
export interface SessionHead {
  readonly id: string | null;
  readonly version: string;
  /** For whatever is said in the session beside requests, which bring their own. */
  readonly bearer?: Bearer;
}

/**
 * A line to one MCP server. Over Streamable HTTP there is one line, and each message is a request of its own. Over a channel
 * (stdio, HTTP+SSE) each line is a channel, and holds at most one session. Nothing here throws.
 */
export interface Line {
  readonly isChannel: boolean;
  /**
   * Sends one request and waits for its answer. `session` is `null` in the modern era and before `initialize` was
   * answered. What the server says on the answer's own stream goes to `request.onMessage`; on a channel that is what names
   * the request: progress under its id as token, notifications with its id as `io.modelcontextprotocol/subscriptionId` in
   * their `_meta`. Whatever else the server says on a channel goes to `onMessage` of `listen`. The time-out starts anew with
   * each message for the request. Where the signal ends it, or the time, whoever asked tells the server.
   */
  request(request: Exchange, session: SessionHead | null): Promise<Result<Reply, EgressFailure>>;
  /** Sends a notification, or an answer to a request of the server (without `jsonrpc`); done when the server took it, or did not. */
  tell(message: object, session: SessionHead | null): Promise<void>;
  /**
   * Hears what the server says outside any request, and requests of its own: the GET stream of Streamable HTTP, everything
   * unasked on a channel (what came before the first listener is kept for it, within bounds). Over HTTP a stream that ends is
   * opened again, ever more rarely; `onEnd` is called once, when the session, or the channel, is gone for good.
   */
  listen(session: SessionHead, heard: Heard): Listening;
  /** Ends the session and, where the line is a channel, the channel. */
  end(session: SessionHead | null): Promise<void>;
}

export interface Heard {
  readonly onMessage: (message: Message) => void;
  readonly onEnd: () => void;
}

export interface Listening {
  /** From then on nothing that the server says is missed, or it was found that it says nothing in this way. Never rejects. */
  readonly ready: Promise<void>;
  stop(): void;
}

/** How to reach one MCP server. */
export interface Transport {
  /**
   * Opens a line; over Streamable HTTP, hands out the one there is. Whoever gets a channel keeps it and ends it. `owner` is
   * known to a stdio process of its own for each user.
   */
  open(owner: string, bearer?: Bearer): Promise<Result<Line, EgressFailure>>;
  /** Whether each line is a channel of its own, with a session (or a modern server) of its own behind it. */
  readonly channels: boolean;
  /** Whether the server may be of the modern era: HTTP+SSE servers never are. */
  readonly mayBeModern: boolean;
  /** Every owner shares one line and one session: a stdio process for all. What the server asks then is nobody's in particular. */
  readonly shared: boolean;
  /** Every user has one line and one session, whatever the conversation: a stdio process for each user. */
  readonly perUser: boolean;
  /** Whether an `authorization` header is sent, for the words about one that is missing. */
  readonly authorizes: boolean;
  close(): void;
}

/** A server's way, and the older one that is tried where `initialize` is refused over the first without a word of JSON-RPC. */
export interface Ways {
  readonly first: Transport;
  readonly older: (() => Transport) | null;
}
