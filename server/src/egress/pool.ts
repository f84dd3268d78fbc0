import type { SecureContext } from 'node:tls';
import type { Clock, Result } from '#foundation';
import { err, ok } from '#foundation';
import type { Admit } from './admission.ts';
import type {
  EgressFailure,
  EgressFailureKind,
  Trust,
  Upstream,
  UpstreamRequest,
  UpstreamResponse,
} from './contract.ts';
import type { Destination } from './destination.ts';
import type { Dialled } from './dial.ts';
import { dial } from './dial.ts';
import type { ConnectionOwner } from './http1/connection.ts';
import { CLOSE_EARLIER_MS, Connection } from './http1/connection.ts';
import { requestFailure } from './http1/encode-request.ts';
import type { ExchangeOwner } from './http1/exchange.ts';
import { Exchange } from './http1/exchange.ts';

const TICK_MS = 100;
/** What is under way for so many ticks counts as lasting. */
const LASTING_TICKS = 10;

export interface PoolOptions {
  readonly destination: Destination;
  readonly trust: Trust;
  readonly admit: Admit;
  readonly certificates: SecureContext | null;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly maxIdlePerOrigin: number;
  readonly maxPerOrigin: number;
  readonly maxLastingPerOrigin: number;
  readonly maxIdleMs: number;
  onClose(pool: Pool): void;
}

/**
 * The connections to one origin. Deadlines are looked at by one coarse tick that runs only while there is anything
 * to look after, so that a request costs no timer.
 */
export class Pool implements Upstream, ConnectionOwner, ExchangeOwner {
  readonly origin: string;
  readonly authority: string;
  maxIdleMs: number;
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();
  /** The one used last comes first: the others may go. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Exchange>();
  readonly #dialling = new Set<Exchange>();
  readonly #alarms = new Set<{ readonly atMs: number; readonly ring: () => void }>();
  #opening = 0;
  #lasting = 0;
  #stopTicking: (() => void) | null = null;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.origin = options.destination.origin;
    this.authority = options.destination.authority;
    this.maxIdleMs = options.maxIdleMs;
  }

  request(request: UpstreamRequest): Promise<Result<UpstreamResponse, EgressFailure>> {
    const failure = requestFailure(request) ?? this.#stopped();
    if (failure !== null) return Promise.resolve(err(failure));
    return new Promise((resolve) => {
      const exchange = new Exchange(request, this.nowMs() + request.timeoutMs, resolve, this);
      if (request.signal?.aborted === true) this.onAbort(exchange);
      else if (request.lasting === true && !this.#counted(exchange))
        exchange.fail('timeout', this.#tooMany());
      else this.#dispatch(exchange);
    });
  }

  async check(): Promise<Result<{ readonly address: string }, EgressFailure>> {
    const stopped = this.#stopped();
    if (stopped !== null) return err(stopped);
    const dialled = await this.#dial();
    if (!dialled.ok) return dialled;
    dialled.value.socket.destroy();
    return ok({ address: dialled.value.address });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const message = `the connections to ${this.origin} were closed`;
    for (const exchange of [...this.#waiting, ...this.#dialling]) exchange.fail('stopped', message);
    this.#waiting.clear();
    for (const alarm of this.#alarms) alarm.ring();
    for (const connection of this.#connections) connection.abandon('stopped', message);
    this.#stopTicking?.();
    this.#options.onClose(this);
  }

  nowMs(): number {
    return this.#clock.monotonic();
  }

  release(connection: Connection): void {
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      if (!connection.send(exchange)) this.#dispatch(exchange);
      return;
    }
    if (this.#idle.length < this.#options.maxIdlePerOrigin) this.#idle.push(connection);
    else connection.destroy();
  }

  lose(connection: Connection): void {
    this.#connections.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#dispatchWaiting();
  }

  /** Learns from a server that closes idle connections without having said so; a restart must teach nothing. */
  peerClosedIdle(afterMs: number): void {
    if (afterMs >= 2 * CLOSE_EARLIER_MS)
      this.maxIdleMs = Math.min(this.maxIdleMs, afterMs - CLOSE_EARLIER_MS);
  }

  #stopped(): EgressFailure | null {
    if (!this.#isClosed) return null;
    return { kind: 'stopped', message: `the connections to ${this.origin} were closed`, sent: false };
  }

  /** An idle connection that died without a byte sent is passed over; the request goes on to the next or a new one. */
  #dispatch(exchange: Exchange): void {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.send(exchange)) return;
    }
    if (this.#hasRoom()) void this.#open(exchange);
    else this.#waiting.add(exchange);
  }

  #dispatchWaiting(): void {
    for (const exchange of this.#waiting) {
      if (this.#isClosed || (this.#idle.length === 0 && !this.#hasRoom())) return;
      this.#waiting.delete(exchange);
      this.#dispatch(exchange);
    }
  }

  #hasRoom(): boolean {
    return this.#connections.size + this.#opening - this.#lasting < this.#options.maxPerOrigin;
  }

  /** Counts an exchange among those that stay open, where there is room for it. */
  #counted(exchange: Exchange): boolean {
    if (this.#lasting >= this.#options.maxLastingPerOrigin) return false;
    this.#lasting++;
    exchange.isLasting = true;
    return true;
  }

  #tooMany(): string {
    return `no connection to ${this.origin} is left for what stays open: ${this.#lasting} are`;
  }

  /** The connection outlives the request it was opened for: where that is gone, the next one gets it. */
  async #open(exchange: Exchange): Promise<void> {
    this.#opening++;
    this.#dialling.add(exchange);
    const dialled = await this.#dial();
    this.#opening--;
    this.#dialling.delete(exchange);
    if (!dialled.ok) {
      exchange.settle(dialled);
      this.#dispatchWaiting();
      return;
    }
    const connection = new Connection(dialled.value, this);
    this.#connections.add(connection);
    if (this.#isClosed) connection.destroy();
    else if (exchange.isSettled) connection.rest(this.maxIdleMs);
    else if (!connection.send(exchange))
      exchange.fail('unreachable', `${this.origin} closed the new connection`);
  }

  #dial(): Promise<Result<Dialled, EgressFailure>> {
    this.#stopTicking ??= this.#clock.every(TICK_MS, () => this.#tick());
    return dial({
      ...this.#options,
      nowMs: () => this.nowMs(),
      alarm: (afterMs, ring) => {
        const alarm = { atMs: this.nowMs() + afterMs, ring };
        this.#alarms.add(alarm);
        return () => this.#alarms.delete(alarm);
      },
    });
  }

  onAbort(exchange: Exchange): void {
    this.#abandon(exchange, 'aborted', `the request to ${this.origin} was aborted`);
  }

  onLastingEnd(): void {
    this.#lasting--;
  }

  #abandon(exchange: Exchange, kind: EgressFailureKind, message: string): void {
    this.#waiting.delete(exchange);
    if (exchange.isSent) {
      for (const connection of this.#connections) {
        if (connection.exchange === exchange) connection.abandon(kind, message);
      }
    }
    exchange.fail(kind, message);
  }

  #tick(): void {
    const nowMs = this.nowMs();
    for (const exchange of this.#waiting) this.#expire(exchange, nowMs, 'no connection became free');
    for (const exchange of this.#dialling) this.#expire(exchange, nowMs, 'no connection was made');
    for (const alarm of this.#alarms) if (nowMs >= alarm.atMs) alarm.ring();
    for (const connection of this.#connections) {
      if (connection.exchange !== null) this.#watch(connection.exchange, nowMs);
      else if (nowMs >= connection.idleUntilMs) connection.destroy();
      else connection.unref();
    }
    if (this.#connections.size + this.#waiting.size + this.#dialling.size + this.#alarms.size > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = null;
  }

  #watch(exchange: Exchange, nowMs: number): void {
    this.#expire(exchange, nowMs, 'no complete answer came');
    if (exchange.isSettled || exchange.isLasting || ++exchange.ticks < LASTING_TICKS) return;
    if (this.#counted(exchange)) this.#dispatchWaiting();
  }

  #expire(exchange: Exchange, nowMs: number, what: string): void {
    if (nowMs < exchange.deadlineMs || exchange.isSettled) return;
    const moreMs = exchange.request.moreTimeMs?.() ?? 0;
    if (moreMs > 0) {
      exchange.deadlineMs = nowMs + moreMs;
      return;
    }
    this.#abandon(
      exchange,
      'timeout',
      `${what} from ${this.origin} in time (${exchange.request.timeoutMs} ms)`,
    );
  }
}
