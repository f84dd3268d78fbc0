import type { Socket } from 'node:net';
import { messageOf, ok } from '#foundation';
import type { EgressFailureKind } from '../contract.ts';
import { writeRequest } from './encode-request.ts';
import type { Exchange } from './exchange.ts';
import type { Intake } from './loans.ts';
import { Loans } from './loans.ts';
import { ResponseParser } from './response-parser.ts';

/** A server that closes after five idle seconds may do so while a request is on its way: be earlier. */
export const CLOSE_EARLIER_MS = 1000;

/** A socket that is connected, and its intake where it has one. */
export interface Line {
  readonly socket: Socket;
  readonly intake: Intake | null;
}

/** Who holds the connections of one origin. */
export interface ConnectionOwner {
  readonly authority: string;
  readonly origin: string;
  readonly maxIdleMs: number;
  nowMs(): number;
  /** The peer ended an idle connection after this long. */
  peerClosedIdle(afterMs: number): void;
  /** Free for the next request; may be given one at once. */
  release(connection: Connection): void;
  lose(connection: Connection): void;
}

/** A connection that carries one exchange at a time. */
export class Connection {
  readonly socket: Socket;
  exchange: Exchange | null = null;
  /** On the monotonic clock; while it carries nothing. */
  idleUntilMs = 0;
  readonly #owner: ConnectionOwner;
  #idleSinceMs = 0;
  readonly #intake: Intake | null;
  readonly #parser = new ResponseParser(() => this.#newLoans());
  #isRef = true;
  #isLost = false;

  constructor({ socket, intake }: Line, owner: ConnectionOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.#intake = intake;
    if (intake === null) socket.on('data', (bytes: Buffer) => this.#receive(bytes, false));
    else intake.receive = (bytes) => this.#receive(bytes, true);
    socket.on('end', () => this.#ended('the connection was closed'));
    socket.on('error', (error) => this.#ended(`the connection broke (${messageOf(error)})`));
    socket.on('close', () => this.#ended('the connection was closed'));
  }

  /** False when the connection turned out to be dead before any byte left: then the request may go elsewhere. */
  send(exchange: Exchange): boolean {
    const socket = this.socket;
    if (!socket.destroyed && socket.writable) {
      if (!this.#isRef) this.#setRef(true);
      writeRequest(socket, this.#owner.authority, exchange.request);
      // A write that fails at once has sent nothing; after any other, bytes may have arrived.
      if (socket.errored === null) {
        exchange.isSent = true;
        this.exchange = exchange;
        this.#parser.begin(exchange.request);
        return true;
      }
    }
    this.destroy();
    return false;
  }

  /** Fails what the connection carries, and ends it. */
  abandon(kind: EgressFailureKind, message: string): void {
    const exchange = this.exchange;
    this.exchange = null;
    this.#parser.stop();
    this.destroy();
    exchange?.fail(kind, message);
  }

  destroy(): void {
    this.socket.destroy();
    if (this.#isLost) return;
    this.#isLost = true;
    this.#owner.lose(this);
  }

  /** Free for the next request; unless one comes, it ends after this long. */
  rest(idleMs: number): void {
    this.#idleSinceMs = this.#owner.nowMs();
    this.idleUntilMs = this.#idleSinceMs + idleMs;
    this.#owner.release(this);
  }

  /** An idle connection must not keep the process alive. */
  unref(): void {
    if (this.#isRef) this.#setRef(false);
  }

  #setRef(isRef: boolean): void {
    this.#isRef = isRef;
    if (isRef) this.socket.ref();
    else this.socket.unref();
  }

  #receive(bytes: Buffer, isBorrowed: boolean): void {
    const exchange = this.exchange;
    if (exchange === null) {
      this.destroy();
      return;
    }
    const parser = this.#parser;
    const origin = this.#owner.origin;
    try {
      parser.feed(bytes, isBorrowed);
    } catch (thrown) {
      this.abandon('aborted', `reading the answer of ${origin} failed: ${messageOf(thrown)}`);
      return;
    }
    if (parser.stage === 'complete') {
      this.#complete(exchange);
    } else if (parser.problem !== null) {
      this.abandon(parser.problem.kind, `the answer of ${origin} is refused: ${parser.problem.message}`);
    } else if (parser.isStreaming) {
      this.#wentOn(exchange);
    }
  }

  #wentOn(exchange: Exchange): void {
    const idleMs = this.#parser.idleTimeoutMs ?? exchange.request.streamIdleTimeoutMs;
    exchange.deadlineMs = idleMs === undefined ? Number.POSITIVE_INFINITY : this.#owner.nowMs() + idleMs;
  }

  #newLoans(): Loans {
    const { socket, exchange } = this;
    return new Loans(this.#intake, (isHeld) => {
      if (isHeld) socket.pause();
      else socket.resume();
      if (exchange !== null) this.#wentOn(exchange);
    });
  }

  #complete(exchange: Exchange): void {
    const { response, keepsAlive, keepAliveMs } = this.#parser.take();
    const owner = this.#owner;
    const socket = this.socket;
    this.exchange = null;
    const idleMs =
      keepAliveMs < 0 ? owner.maxIdleMs : Math.min(owner.maxIdleMs, keepAliveMs - CLOSE_EARLIER_MS);
    // A request that is not written to its end would go on in front of the next one.
    if (keepsAlive && idleMs > 0 && !socket.destroyed && socket.writable && socket.writableLength === 0) {
      this.rest(idleMs);
    } else {
      this.destroy();
    }
    exchange.settle(ok(response));
  }

  #ended(what: string): void {
    if (this.#isLost) return;
    const exchange = this.exchange;
    if (exchange === null) {
      this.#owner.peerClosedIdle(this.#owner.nowMs() - this.#idleSinceMs);
      this.destroy();
    } else if (this.#parser.finish()) {
      this.#complete(exchange);
    } else {
      const origin = this.#owner.origin;
      this.abandon(
        'interrupted',
        `${what} before the answer of ${origin} was complete; it may have acted on the request`,
      );
    }
  }
}
