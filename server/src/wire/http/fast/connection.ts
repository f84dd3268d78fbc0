import type { Socket } from 'node:net';
import { readRequest } from './read-request.ts';
import { type Channel, FastResponse } from './response.ts';
import type { WholeRequest } from './whole-request.ts';

export type { Socket };

/** What connections of one front have in common. */
export interface Sharing {
  /** Whether such a request is served here; if not, its connection is handed over with it. */
  accepts(request: WholeRequest): boolean;
  serve(request: WholeRequest, response: FastResponse): void;
  /** Somebody else goes on with the connection; nobody listens to it any more, and these bytes were read already. */
  handOver(socket: Socket, bytes: Buffer): void;
  closingLines(isLast: boolean | null): string;
  isStopping(): boolean;
}

/** Sent before its turn, this much is kept; more waits in the system. */
const maxHeldBytes = 64 * 1024;
/** Clients send a head and its body one by one, and networks cut what is longer than a packet; nobody needs more pieces. */
const maxPieces = 8;
/** Rounds of the front without a request, after which a connection is closed. */
export const maxQuietRounds = 5;

/**
 * A connection of a client that sends one plain request after the other. The first bytes that are anything else leave with
 * the connection, for good.
 */
export class Connection implements Channel {
  readonly socket: Socket;
  readonly #sharing: Sharing;
  readonly #over: (connection: Connection) => void;
  readonly #listeners: readonly (readonly [string, (bytes: Buffer) => void])[];
  #response: FastResponse | null = null;
  /** The pieces of a request that is not whole yet. */
  #begun: Buffer[] = [];
  /** What came while an answer was under way. */
  #held: Buffer | null = null;
  #quietRounds = 0;

  /** `over` is told when the connection is closed, or somebody else's. */
  constructor(socket: Socket, sharing: Sharing, over: (connection: Connection) => void) {
    this.socket = socket;
    this.#sharing = sharing;
    this.#over = over;
    this.#listeners = [
      ['data', (bytes: Buffer) => this.#take(bytes)],
      ['drain', () => this.#response?.emit('drain')],
      // As node:http has it: whoever says no more does not wait for an answer either.
      ['end', () => socket.end()],
      ['close', () => this.#closed()],
      // The socket closes itself, which is what matters.
      ['error', () => {}],
    ];
    for (const [event, listener] of this.#listeners) socket.on(event, listener);
  }

  /** Called now and then, which costs less than a timer for each request. */
  closeIfQuiet(): void {
    this.#quietRounds = this.#response === null ? this.#quietRounds + 1 : 0;
    if (this.#quietRounds > maxQuietRounds) this.socket.destroy();
  }

  closeIfIdle(): void {
    if (this.#response === null && this.#begun.length === 0) this.socket.destroy();
  }

  closingLines(isLast: boolean | null): string {
    return this.#sharing.closingLines(isLast);
  }

  isStopping(): boolean {
    return this.#sharing.isStopping();
  }

  answered(isLast: boolean): void {
    this.#response = null;
    const held = this.#held;
    this.#held = null;
    if (isLast || this.isStopping()) this.socket.destroySoon();
    else if (held !== null) {
      this.socket.resume();
      this.#take(held);
    }
  }

  #take(bytes: Buffer): void {
    if (this.#response !== null) {
      this.#hold(bytes);
      return;
    }
    const sent = this.#begun.length === 0 ? bytes : Buffer.concat([...this.#begun, bytes]);
    const request = readRequest(sent);
    if (request === 'begun' && this.#begun.length < maxPieces) {
      this.#begun.push(bytes);
      return;
    }
    if (this.#begun.length > 0) this.#begun = [];
    if (request === 'begun' || request === null || !this.#sharing.accepts(request)) {
      this.#handOver(sent);
      return;
    }
    this.#quietRounds = 0;
    this.#response = new FastResponse(this);
    this.#sharing.serve(request, this.#response);
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held === null ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#held.length >= maxHeldBytes) this.socket.pause();
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this;
    for (const [event, listener] of this.#listeners) socket.removeListener(event, listener);
    socket.pause();
    this.#over(this);
    this.#sharing.handOver(socket, bytes);
  }

  #closed(): void {
    this.#over(this);
    this.#response?.close();
  }
}
