import type { LargeResult, RpcError } from '#domain';
import type { Upstream, UpstreamHead } from '#egress';
import type { Clock } from '#foundation';
import type { Message } from './message.ts';

/** One MCP server as its requests need it. */
export interface Endpoint {
  readonly upstream: Upstream;
  readonly path: string;
  /** The header lines of every request; those with secrets of the project come from `upstream`. */
  readonly headers: string;
  /** An `authorization` is among the source's own. */
  readonly authorizes?: boolean;
  readonly retry: number;
  readonly maxAnswerBytes: number;
  readonly clock: Clock;
}

export interface Exchange {
  /** The JSON-RPC id in `body`. */
  readonly id: number;
  readonly body: string;
  /** Further header lines, for Streamable HTTP. */
  readonly headers: string;
  /** From the request to the answer, and anew from each message in between; where it is `lasting`, to the first message. */
  readonly timeoutMs: number;
  /** Asked when that time is over: how much longer to wait, as the client is being asked something meanwhile; 0: no longer. */
  readonly moreTimeMs?: () => number;
  /** The server keeps it open and answers it at its end: `subscriptions/listen`. */
  readonly lasting?: boolean;
  readonly signal: AbortSignal | null;
  /** It only reads, so that it may run twice. */
  readonly harmless: boolean;
  /** What the server sends on the answer's stream before the answer. */
  readonly onMessage: ((message: Message) => void) | null;
  /** Takes a large result while it comes, where the transport can hand it on so; never anything of an error. */
  readonly large?: LargeResult | null;
}

export type Reply =
  /** Over channels there is no head. */
  | (Extract<Message, { kind: 'result' }> & {
      readonly head: UpstreamHead | null;
      /** Of the result, there is only what did not go to `large`; of its content, only that there is some. */
      readonly passed?: true;
    })
  | {
      readonly kind: 'error';
      readonly error: RpcError;
      readonly status: number;
      /** `WWW-Authenticate`, where there is one. */
      readonly challenge?: string | undefined;
    }
  /** Not an answer in JSON-RPC. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly text: string;
      readonly why: string;
      readonly challenge?: string | undefined;
    };
