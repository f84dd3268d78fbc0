import { EventEmitter } from 'node:events';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { WholeRequest } from './fast/whole-request.ts';
import type { HttpResponse } from './message.ts';

/** What is said of an answer to whoever has the client. */
export type AnswerPart =
  | {
      readonly kind: 'head';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | number>>;
    }
  | { readonly kind: 'part'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'cut' };

type Headers = Readonly<Record<string, string | number>>;

/** Above this, whoever writes is told to wait. */
const roomyBytes = 64 * 1024;

/** The answer to a request that another process read, and whose client is there. What is said within one turn goes together. */
export class PassedOnResponse extends EventEmitter implements HttpResponse {
  destroyed = false;
  headersSent = false;
  statusCode = 200;
  writableEnded = false;
  writableFinished = false;
  writableLength = 0;
  readonly #send: (parts: readonly AnswerPart[]) => void;
  readonly #unread: { bytes: number; readonly left: (() => void) | undefined }[] = [];
  #early: Headers | null = null;
  #head: Extract<AnswerPart, { kind: 'head' }> | null = null;
  #parts: AnswerPart[] = [];
  #isFull = false;

  constructor(send: (parts: readonly AnswerPart[]) => void) {
    super();
    this.#send = send;
  }

  setHeader(name: string, value: string): this {
    this.#early = { ...this.#early, [name.toLowerCase()]: value };
    return this;
  }

  writeHead(status: number, headers: Headers = {}): this {
    if (this.#head !== null || this.headersSent) throw new Error('an answer has one head');
    const all = { ...this.#early, ...headers };
    // Whoever has the client could only break off.
    for (const [name, value] of Object.entries(all)) {
      validateHeaderName(name);
      validateHeaderValue(name, String(value));
    }
    this.statusCode = status;
    this.#head = { kind: 'head', status, headers: all };
    return this;
  }

  flushHeaders(): void {
    this.#begin();
  }

  write(chunk: string | Buffer, left?: () => void): boolean {
    if (this.writableEnded || this.destroyed || chunk.length === 0) {
      left?.();
      return true;
    }
    this.#begin();
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.writableLength += bytes.length;
    this.#unread.push({ bytes: bytes.length, left });
    this.#say({ kind: 'part', bytes });
    this.#isFull = this.writableLength >= roomyBytes;
    return !this.#isFull;
  }

  end(chunk: string | Buffer = ''): this {
    if (this.writableEnded || this.destroyed) return this;
    this.#begin();
    if (chunk.length > 0) this.write(chunk);
    this.writableEnded = true;
    this.#say({ kind: 'end' });
    this.#flush();
    return this;
  }

  destroy(): this {
    if (this.destroyed || this.writableFinished) return this;
    this.#say({ kind: 'cut' });
    this.#flush();
    this.over(false);
    return this;
  }

  /** So many bytes more left for the client. */
  taken(count: number): void {
    let bytes = count;
    while (bytes > 0) {
      const [first] = this.#unread;
      if (first === undefined) break;
      const gone = Math.min(bytes, first.bytes);
      first.bytes -= gone;
      bytes -= gone;
      this.writableLength -= gone;
      if (first.bytes > 0) break;
      this.#unread.shift();
      first.left?.();
    }
    if (!this.#isFull || this.writableLength >= roomyBytes || this.destroyed) return;
    this.#isFull = false;
    this.emit('drain');
  }

  /** The client has all of it, or is gone. */
  over(isFinished: boolean): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.writableFinished = isFinished;
    for (const { left } of this.#unread.splice(0)) left?.();
    this.writableLength = 0;
    if (isFinished) this.emit('finish');
    this.emit('close');
  }

  #begin(): void {
    if (this.headersSent) return;
    if (this.#head === null) this.writeHead(200);
    this.headersSent = true;
    this.#say(this.#head as AnswerPart);
  }

  #say(part: AnswerPart): void {
    this.#parts.push(part);
    if (this.#parts.length === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    this.#send(parts);
  }
}

/** The request as another process read it: it came as a copy of its members. */
export function readElsewhere(copy: unknown): WholeRequest {
  const { url, slug, headers, rawHeaders, body } = copy as WholeRequest;
  return new WholeRequest(url, slug, headers, rawHeaders, asBuffer(body));
}

/** Says to the client what another process answers. `taken`: so many bytes left. */
export function sayParts(
  response: HttpResponse,
  parts: readonly AnswerPart[],
  taken: (bytes: number) => void,
): void {
  for (const [at, part] of parts.entries()) {
    const isLast = parts[at + 1]?.kind === 'end';
    if (part.kind === 'head') {
      response.writeHead(part.status, part.headers);
      if (at === parts.length - 1) response.flushHeaders();
    } else if (part.kind === 'part' && isLast) {
      // An answer that is there as a whole is one write.
      response.end(asBuffer(part.bytes));
      return;
    } else if (part.kind === 'part') {
      response.write(asBuffer(part.bytes), () => taken(part.bytes.length));
    } else if (part.kind === 'end') response.end();
    else response.destroy();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
