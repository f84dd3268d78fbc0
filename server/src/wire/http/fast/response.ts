import { EventEmitter } from 'node:events';
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpResponse } from '../message.ts';

/** What an answer needs of the connection that it goes out on. */
export interface Channel {
  readonly socket: Socket;
  /** The lines that every head ends with: when it was made, and what becomes of the connection where nobody said so. */
  closingLines(isLast: boolean | null): string;
  isStopping(): boolean;
  /** All was sent; whether the connection ends with it. */
  answered(isLast: boolean): void;
}

type Headers = Readonly<Record<string, string | number>>;

/** Up to here, copying costs less than handing the system several pieces. */
const maxCopiedBytes = 32 * 1024;

/** The answer to one request, with the manners of a `ServerResponse`. An answer that is there as a whole is one write. */
export class FastResponse extends EventEmitter implements HttpResponse {
  destroyed = false;
  headersSent = false;
  statusCode = 200;
  writableEnded = false;
  writableFinished = false;
  readonly #channel: Channel;
  #early: Record<string, string | number> | null = null;
  /** Made, and not sent yet. */
  #head: string | null = null;
  #isChunked = false;
  /** Bytes of the body, where the head says so. */
  #length = -1;
  #isLast = false;
  #isGathering = false;

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
  }

  get writableLength(): number {
    return this.destroyed ? 0 : this.#channel.socket.writableLength;
  }

  setHeader(name: string, value: string): this {
    validateHeaderName(name);
    this.#early ??= {};
    this.#early[name.toLowerCase()] = value;
    return this;
  }

  writeHead(status: number, given: Headers = {}): this {
    if (this.#head !== null || this.headersSent) throw new Error('an answer has one head');
    this.statusCode = status;
    const early = this.#early ?? none;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    for (const name in early) if (given[name] === undefined) head += lineOf(name, early[name]);
    for (const name in given) head += lineOf(name, given[name]);
    const said = given.connection ?? early.connection;
    const length = given['content-length'] ?? early['content-length'];
    this.#isLast = said === undefined ? this.#channel.isStopping() : said === 'close';
    if (length !== undefined) this.#length = Number(length);
    this.#isChunked = length === undefined && status !== 204 && status !== 304;
    const framing = this.#isChunked ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n';
    this.#head = head + this.#channel.closingLines(said === undefined ? this.#isLast : null) + framing;
    return this;
  }

  flushHeaders(): void {
    if (this.headersSent) return;
    this.#haveHead();
    this.#send('', '', '');
  }

  write(chunk: string | Buffer, left?: () => void): boolean {
    if (this.writableEnded || this.destroyed || chunk.length === 0) {
      left?.();
      return true;
    }
    this.#haveHead();
    this.#gather();
    return this.#sendPart(chunk, '', left);
  }

  end(chunk: string | Buffer = ''): this {
    if (this.writableEnded || this.destroyed) return this;
    this.writableEnded = true;
    this.#haveHead();
    this.#sendPart(chunk, this.#isChunked ? lastChunk : '');
    const { socket } = this.#channel;
    if (this.#isGathering) socket.uncork();
    this.#isGathering = false;
    // Whoever went away is told of by the socket.
    if (!socket.writable) return this;
    if (socket.writableLength === 0) this.#finish();
    else socket.write('', (error) => this.#finish(error));
    return this;
  }

  destroy(): this {
    if (!this.writableFinished) this.#channel.socket.destroy();
    return this;
  }

  /** The connection is gone, whatever was still to be said. */
  close(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }

  #finish(error?: Error | null): void {
    if (this.destroyed || error) return;
    this.writableFinished = true;
    this.emit('finish');
    this.close();
    this.#channel.answered(this.#isLast);
  }

  /** What is said within one turn goes out together. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    const { socket } = this.#channel;
    socket.cork();
    process.nextTick(() => {
      if (this.#isGathering) socket.uncork();
      this.#isGathering = false;
    });
  }

  #haveHead(): void {
    if (this.#head === null && !this.headersSent) this.writeHead(200);
  }

  #sendPart(chunk: string | Buffer, after: string, left?: () => void): boolean {
    if (!this.#isChunked || chunk.length === 0) return this.#send('', chunk, after, left);
    const size = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    return this.#send(`${size.toString(16)}\r\n`, chunk, `\r\n${after}`, left);
  }

  #send(before: string, chunk: string | Buffer, after: string, left?: () => void): boolean {
    const { socket } = this.#channel;
    if (!socket.writable) {
      left?.();
      return false;
    }
    const lead = this.#head === null ? before : this.#head + before;
    this.#head = null;
    this.headersSent = true;
    // A body with as many characters as bytes is ASCII.
    if (typeof chunk === 'string')
      return socket.write(lead + chunk + after, chunk.length === this.#length ? 'latin1' : 'utf8', left);
    if (chunk.length <= maxCopiedBytes) {
      const whole = Buffer.concat([Buffer.from(lead, 'latin1'), chunk, Buffer.from(after, 'latin1')]);
      return socket.write(whole, left);
    }
    socket.cork();
    socket.write(lead, 'latin1');
    const isRoom = socket.write(chunk, left);
    if (after !== '') socket.write(after, 'latin1');
    socket.uncork();
    return isRoom;
  }
}

const lastChunk = '0\r\n\r\n';
const none: Headers = {};

function lineOf(name: string, given: string | number | undefined): string {
  const value = String(given);
  validateHeaderValue(name, value);
  return `${name}: ${value}\r\n`;
}
