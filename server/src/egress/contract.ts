import type { Clock, Result } from '#foundation';

/** What this destination may be: `file` destinations may be internal, `api` ones only where the allow-list says so. */
export type Trust = 'file' | 'api';

export interface EgressOptions {
  /**
   * Exact `scheme://host:port`, `*.wild.card` host names, IP addresses or CIDR blocks that `api` destinations may
   * reach. A cloud metadata address is reached, even by `file`, only where that very address is listed.
   */
  readonly allow: readonly string[];
  readonly connectTimeoutMs?: number;
  /** Idle connections kept to one origin. */
  readonly maxIdlePerOrigin?: number;
  /**
   * Connections open to one origin at once; further requests wait for one. What is under way for longer than a second, or is
   * meant to be, does not count, as long as there are at most `maxLastingPerOrigin` of these.
   */
  readonly maxPerOrigin?: number;
  readonly maxLastingPerOrigin?: number;
  /** Replaces DNS in tests. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** Time-outs are looked at every 100 ms of it; the system's unless given. */
  readonly clock?: Clock;
}

export type EgressFailureKind =
  | 'uri_invalid'
  | 'address_unresolved'
  | 'address_refused'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  | 'interrupted'
  | 'protocol'
  | 'too_large'
  | 'aborted'
  | 'stopped'
  /** What had to be in it was not there: whoever sends it says so, and nothing was sent. */
  | 'unprepared';

export interface EgressFailure {
  readonly kind: EgressFailureKind;
  /** For an operator: what happened and what to change. Holds no credential. */
  readonly message: string;
  /** Words to add to `message` for an operator alone: they may come from somebody else's request. */
  readonly aside?: string;
  /** False only when surely no byte of the request reached the destination, so that sending it again is safe. */
  readonly sent: boolean;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH' | 'HEAD';
  /** Path and query, beginning with `/`. */
  readonly path: string;
  /** Further header lines, each ended by CRLF, without Host, Content-Length and Connection: `accept: a\r\nx: y\r\n`. */
  readonly headers: string;
  /** Value of `Authorization`, where it is another with every request: it is not to stand in `headers`, too. */
  readonly authorization?: string | undefined;
  readonly body?: string | Buffer;
  /** From the call (waiting for a connection included) to the last byte read, in ms; for a stream, to the head only. */
  readonly timeoutMs: number;
  /** Asked when that time is over: how many ms more there are; 0 for none. */
  readonly moreTimeMs?: (() => number) | undefined;
  /** Meant to stay open: it takes no connection away from those that are answered soon. */
  readonly lasting?: boolean | undefined;
  /** Cap of the answer's body; for a stream, of nothing. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | null;
  /**
   * Asked once the head is there. Where it returns a sink, the body is handed over piece by piece (decoded from its
   * transfer encoding) and `body` in the answer is empty; otherwise the body is gathered.
   */
  readonly stream?: (head: UpstreamHead) => ((chunk: Buffer) => void) | Borrower | null;
  /** No time-out between two pieces of a stream unless this is given. */
  readonly streamIdleTimeoutMs?: number;
}

/** Takes a body without a copy of it being made; while it keeps much, no more is read. */
export interface Borrower {
  /** How long the answer may stand still, whoever it is that does not go on. */
  readonly idleTimeoutMs: number;
  /** `giveBack` is to be called once, when the bytes may be overwritten; what is never given back stops the stream. */
  take(piece: Buffer, giveBack: () => void): void;
}

export interface UpstreamHead {
  readonly status: number;
  /** A header's value (lower-case name); several of one name are joined by `, `. */
  header(name: string): string | undefined;
}

export interface UpstreamResponse extends UpstreamHead {
  readonly body: Buffer;
}

/** A destination: one origin, its pooled keep-alive connections, each made to an address that was checked. */
export interface Upstream {
  readonly origin: string;
  /**
   * One HTTP/1.1 request. A request that met a kept-alive connection closed by its peer is sent again once, only if
   * nothing was sent or no byte of the answer had come on a connection that had been idle and the close came before
   * the request was flushed; otherwise nothing is ever sent twice.
   */
  request(request: UpstreamRequest): Promise<Result<UpstreamResponse, EgressFailure>>;
  /** Walks name resolution, address policy and connection without sending anything. */
  check(): Promise<Result<{ readonly address: string }, EgressFailure>>;
  close(): void;
}

/** Certificates for one destination, in PEM. */
export interface UpstreamTls {
  /** Vouches for it, instead of the authorities that the system trusts. */
  readonly ca?: string | undefined;
  /** Who we are; with its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The only way out. */
export interface Egress {
  /**
   * Fails with `uri_invalid` for anything but http and https, credentials in the URI, or a malformed address; with `tls` for
   * certificates that are none. Each has connections of its own, so those of one certificate serve nobody else.
   */
  upstream(
    uri: string,
    trust: Trust,
    options?: { readonly tls?: UpstreamTls | null },
  ): Result<Upstream, EgressFailure>;
  /** GET, following up to three redirects; every hop is checked like the first, `headers` go to the first origin only. */
  get(
    uri: string,
    trust: Trust,
    options: { readonly headers?: string; readonly timeoutMs: number; readonly maxBytes: number },
  ): Promise<Result<UpstreamResponse, EgressFailure>>;
  /** Ends every connection. */
  close(): void;
}
