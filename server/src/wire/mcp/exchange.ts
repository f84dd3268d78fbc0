import type { GatewayView } from '#catalog';
import type { Caller, CallNotification, LargeResult } from '#domain';
import type { Span } from '#telemetry';
import type { HttpRequest, HttpResponse } from '../http/message.ts';
import { type RpcId, resultFront } from './rpc.ts';
import type { Session } from './sessions/session.ts';
import { outputMembers } from './tool-result.ts';

interface Begun {
  readonly front: string;
  isWhole: boolean;
  isEmpty: boolean;
}

/**
 * One POST to a gateway and its answer. The answer is plain JSON, unless something must be said before it is complete:
 * then it becomes an SSE stream at that moment, if the client accepts one.
 */
export class Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly caller: Caller;
  readonly view: GatewayView;
  /** Milliseconds, monotonic. */
  readonly startedAt: number;
  /** There once its message was read. */
  span: Span | null = null;
  /** Of the answer, once there is one. */
  status = 200;
  #streaming = false;
  /** How the answer begins whose result comes in pieces; whether only its end is missing. */
  #begun: Begun | null = null;

  constructor(
    request: HttpRequest,
    response: HttpResponse,
    caller: Caller,
    view: GatewayView,
    startedAt: number,
  ) {
    this.request = request;
    this.response = response;
    this.caller = caller;
    this.view = view;
    this.startedAt = startedAt;
  }

  get acceptsStream(): boolean {
    return this.request.headers.accept?.includes('text/event-stream') ?? false;
  }

  /** The session that the client says this belongs to. */
  get sessionId(): string | undefined {
    return this.request.headers['mcp-session-id'] as string | undefined;
  }

  /** Answers with JSON text; as the last event where a stream was begun. */
  answer(status: number, json: string | Buffer, headers?: Record<string, string>): void {
    if (this.response.destroyed) return;
    if (this.#begun !== null) {
      this.#finish(this.#begun, String(json));
      return;
    }
    if (this.#streaming) {
      this.#event(json);
      this.response.end();
      return;
    }
    this.status = status;
    this.response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(json),
      ...headers,
    });
    this.response.end(json);
  }

  /** Answers a handshake: from now on the client names this session. */
  answerInSession(session: Session, json: string | Buffer): void {
    this.answer(200, json, { 'mcp-session-id': session.sealedId });
  }

  /** An answer without a body. */
  empty(status: number, headers?: Record<string, string>): void {
    this.status = status;
    this.response.writeHead(status, { 'content-length': 0, ...headers });
    this.response.end();
  }

  /**
   * Takes a large result while it comes, in front of what `answer` brings of it. From `begin` on there is one good end: `passed`,
   * and then the answer. Any other is a connection that breaks.
   */
  large(id: RpcId, anyStructure: boolean): LargeResult | null {
    if (this.request.httpVersion !== '1.1') return null;
    return {
      anyStructure,
      begin: () => this.#begin(resultFront(id)),
      write: (bytes, giveBack) => {
        if (this.#begun !== null) this.#begun.isEmpty = false;
        this.response.write(bytes, giveBack);
      },
      writeOutput: (json) => {
        if (this.#begun !== null) this.#begun.isEmpty = false;
        for (const part of outputMembers(json)) this.response.write(part);
      },
    };
  }

  /** What went on is what the client may have, and was recorded: `answer` brings the rest. */
  passed(): void {
    if (this.#begun !== null) this.#begun.isWhole = true;
  }

  #begin(front: string): boolean {
    const { destroyed, writableEnded } = this.response;
    if (destroyed || writableEnded || this.#streaming || this.#begun !== null) return false;
    this.#begun = { front, isWhole: false, isEmpty: true };
    this.response.writeHead(200, { 'content-type': 'application/json' });
    this.response.write(`${front}{`);
    return true;
  }

  #finish({ front, isWhole, isEmpty }: Begun, json: string): void {
    const rest = json.startsWith(`${front}{`) ? json.slice(front.length + 1) : null;
    if (!isWhole || rest === null) this.response.destroy();
    else this.response.end(isEmpty || rest.startsWith('}') ? rest : `,${rest}`);
  }

  /** Says something before the answer. Lost where the client accepts no stream, or does not read what came before. */
  notify(notification: CallNotification): void {
    this.say(notification);
  }

  /** Says any message before the answer; whether it was said. */
  say(message: object): boolean {
    if (!this.#canSay()) return false;
    this.beginStream();
    this.#event(JSON.stringify({ jsonrpc: '2.0', ...message }));
    return true;
  }

  /** Says that the call still runs, so that nobody between takes the connection for dead. */
  keepAlive(): void {
    if (!this.#canSay()) return;
    this.beginStream();
    this.response.write(': keep-alive\n\n');
  }

  /** Ends without an answer, where the client wants none any more. */
  endSilently(): void {
    if (this.response.destroyed) return;
    if (this.#begun === null) {
      this.beginStream();
      this.response.end();
    } else this.response.destroy();
  }

  beginStream(headers?: Record<string, string>): void {
    if (this.#streaming) return;
    this.#streaming = true;
    this.response.writeHead(200, { ...streamHeaders, ...headers });
  }

  #canSay(): boolean {
    const { destroyed, writableEnded, writableLength } = this.response;
    return (
      this.#begun === null &&
      this.acceptsStream &&
      !destroyed &&
      !writableEnded &&
      writableLength <= maxUnreadBytes
    );
  }

  #event(json: string | Buffer): void {
    this.response.write(messageEvent(json));
  }
}

/** An event ends at a line break, and JSON text from a source may hold some between its members. */
export function messageEvent(json: string | Buffer): string {
  return `event: message\ndata: ${String(json).replace(/[\r\n]+/g, ' ')}\n\n`;
}

/** Notifications are dropped while a client leaves this much unread, so that it costs no more. */
const maxUnreadBytes = 1024 * 1024;

/** No proxy may hold these events back. */
export const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;
