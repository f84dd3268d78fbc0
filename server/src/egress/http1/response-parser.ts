import type { Borrower, UpstreamRequest, UpstreamResponse } from '../contract.ts';
import { ChunkFraming } from './chunk-framing.ts';
import { GatheredBody } from './gathered-body.ts';
import type { Loans } from './loans.ts';
import type { ResponseHead } from './response-head.ts';
import { MAX_HEAD_BYTES, parseHead } from './response-head.ts';

const MAX_INTERIM_RESPONSES = 16;
/** Heads are rarely longer than this, and most come in one piece. */
const FIRST_LOOK_BYTES = 4096;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

export interface ResponseProblem {
  readonly kind: 'protocol' | 'too_large';
  readonly message: string;
}

type Expected = Pick<UpstreamRequest, 'method' | 'maxBytes' | 'stream'>;
type Stage = 'idle' | 'head' | 'length' | 'chunked' | 'to-close' | 'complete' | 'failed';

/** Reads one response after another from the bytes of one connection, strictly: in doubt it fails. */
export class ResponseParser {
  stage: Stage = 'idle';
  problem: ResponseProblem | null = null;
  /** Bytes came after the complete response: whatever they are, they answer nothing that was asked. */
  hasSurplus = false;
  #expected: Expected | null = null;
  #head: ResponseHead | null = null;
  #sink: ((piece: Buffer) => void) | null = null;
  #borrower: Borrower | null = null;
  #loans: Loans | null = null;
  readonly #newLoans: () => Loans;
  #isBorrowed = false;
  #interim = 0;
  #remaining = 0;
  #chunks: ChunkFraming | null = null;
  /** The beginning of a head that came in several pieces. */
  #partial: Buffer | null = null;
  #partialLength = 0;
  readonly #body = new GatheredBody();

  constructor(newLoans: () => Loans) {
    this.#newLoans = newLoans;
  }

  begin(expected: Expected): void {
    this.stage = 'head';
    this.#expected = expected;
    this.#interim = 0;
  }

  get isStreaming(): boolean {
    return this.#sink !== null || this.#borrower !== null;
  }

  get idleTimeoutMs(): number | undefined {
    return this.#borrower?.idleTimeoutMs;
  }

  /** Borrowed bytes are valid during this call only. */
  feed(bytes: Buffer, isBorrowed: boolean): void {
    this.#isBorrowed = isBorrowed;
    let at = 0;
    while (at < bytes.length && this.stage !== 'failed') {
      if (this.stage === 'head') at = this.#readHead(bytes, at);
      else if (this.stage === 'length') at = this.#readLength(bytes, at);
      else if (this.stage === 'chunked') at = this.#readChunked(bytes, at);
      else if (this.stage === 'to-close') at = this.#deliver(bytes, at, bytes.length - at);
      else {
        this.hasSurplus = true;
        return;
      }
    }
  }

  /** The peer ended the connection. True when that completes the response. */
  finish(): boolean {
    if (this.stage === 'to-close') this.stage = 'complete';
    return this.stage === 'complete';
  }

  /** Nothing more is wanted: no sink is called any more. */
  stop(): void {
    this.stage = 'failed';
    this.#reset();
  }

  /** The complete response. */
  take(): { response: UpstreamResponse; keepsAlive: boolean; keepAliveMs: number } {
    const head = this.#head as ResponseHead;
    head.body = this.#body.take();
    const keepsAlive = head.keepsAlive && !head.closes && !this.hasSurplus;
    this.stage = 'idle';
    this.#reset();
    return { response: head, keepsAlive, keepAliveMs: head.keepAliveMs };
  }

  #reset(): void {
    this.#expected = null;
    this.#head = null;
    this.#sink = null;
    this.#borrower = null;
    this.#loans?.end();
    this.#loans = null;
    this.#chunks = null;
    this.#partial = null;
    this.#body.clear();
  }

  #fail(kind: ResponseProblem['kind'], message: string): void {
    this.stop();
    this.problem = { kind, message };
  }

  #readHead(bytes: Buffer, from: number): number {
    if (this.#partial === null) {
      const look = bytes.toString('latin1', from, Math.min(bytes.length, from + FIRST_LOOK_BYTES));
      const end = look.indexOf('\r\n\r\n');
      if (end >= 0) {
        this.#takeHead(look.slice(0, end + 2));
        return from + end + 4;
      }
      this.#partial = Buffer.allocUnsafe(MAX_HEAD_BYTES);
      this.#partialLength = 0;
    }
    return this.#readPartialHead(this.#partial, bytes, from);
  }

  #readPartialHead(partial: Buffer, bytes: Buffer, from: number): number {
    const before = this.#partialLength;
    const copied = bytes.copy(partial, before, from);
    const length = before + copied;
    const end = partial.subarray(0, length).indexOf(END_OF_HEAD, Math.max(0, before - 3));
    if (end < 0) {
      this.#partialLength = length;
      if (length === MAX_HEAD_BYTES)
        this.#fail('protocol', `its head is longer than ${MAX_HEAD_BYTES} bytes`);
      return from + copied;
    }
    this.#partial = null;
    this.#takeHead(partial.toString('latin1', 0, end + 2));
    return from + end + 4 - before;
  }

  #takeHead(text: string): void {
    const head = parseHead(text);
    if (typeof head === 'string') {
      this.#fail('protocol', head);
    } else if (head.status >= 200) {
      this.#openBody(head, this.#expected as Expected);
    } else if (head.status === 101) {
      this.#fail('protocol', 'it switches to another protocol without being asked to');
    } else if (++this.#interim > MAX_INTERIM_RESPONSES) {
      this.#fail('protocol', 'it has too many interim responses');
    }
  }

  #openBody(head: ResponseHead, expected: Expected): void {
    this.#head = head;
    const hasNone = expected.method === 'HEAD' || head.status === 204 || head.status === 304;
    const sink = expected.stream?.(head) ?? null;
    if (this.stage === 'failed') return;
    if (typeof sink === 'function') this.#sink = sink;
    else if (sink !== null) this.#borrow(sink);
    if (hasNone || (head.contentLength === 0 && !head.isChunked)) {
      this.stage = 'complete';
    } else if (head.isChunked) {
      this.#chunks = new ChunkFraming();
      this.stage = 'chunked';
    } else if (head.contentLength < 0) {
      head.keepsAlive = false;
      this.stage = 'to-close';
    } else if (!this.isStreaming && head.contentLength > expected.maxBytes) {
      this.#tooLarge(expected.maxBytes);
    } else {
      this.#remaining = head.contentLength;
      if (!this.isStreaming) this.#body.expect(head.contentLength);
      this.stage = 'length';
    }
  }

  #borrow(borrower: Borrower): void {
    this.#borrower = borrower;
    this.#loans = this.#newLoans();
  }

  #readLength(bytes: Buffer, from: number): number {
    const at = this.#deliver(bytes, from, Math.min(this.#remaining, bytes.length - from));
    this.#remaining -= at - from;
    if (this.#remaining === 0 && this.stage === 'length') this.stage = 'complete';
    return at;
  }

  #readChunked(bytes: Buffer, from: number): number {
    const chunks = this.#chunks as ChunkFraming;
    if (chunks.remaining > 0) {
      const at = this.#deliver(bytes, from, Math.min(chunks.remaining, bytes.length - from));
      chunks.remaining -= at - from;
      return at;
    }
    const at = chunks.read(bytes, from);
    if (chunks.problem !== null) this.#fail('protocol', chunks.problem);
    else if (chunks.isDone) this.stage = 'complete';
    return at;
  }

  #deliver(bytes: Buffer, from: number, length: number): number {
    const piece = bytes.subarray(from, from + length);
    const maxBytes = (this.#expected as Expected).maxBytes;
    if (this.#borrower !== null) this.#borrower.take(piece, (this.#loans as Loans).lend(length));
    else if (this.#sink !== null) this.#sink(this.#isBorrowed ? Buffer.from(piece) : piece);
    else if (this.#body.length + length > maxBytes) this.#tooLarge(maxBytes);
    else this.#body.add(piece, this.#isBorrowed);
    return from + length;
  }

  #tooLarge(maxBytes: number): void {
    this.#fail('too_large', `its body is larger than the ${maxBytes} bytes allowed`);
  }
}
