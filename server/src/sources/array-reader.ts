/** Reads the items of a JSON array whose text comes in pieces; of what comes, no more is held than the item that goes on in the next. */
export class ArrayReader {
  /** Something that is in no array. What an item holds is not looked into. */
  isBroken = false;
  #state: 'before' | 'first' | 'item' | 'between' | 'next' | 'after' = 'before';
  /** The item so far, where it began in an earlier piece. */
  #parts: Buffer[] = [];
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  /** The items that end in this piece, each as it was written: parts of the piece, wherever they lie in it alone. */
  *read(piece: Buffer): Generator<Buffer> {
    let at = 0;
    while (at < piece.length && !this.isBroken) {
      if (this.#state !== 'item') {
        at = this.#readBetween(piece[at] as number, at);
        continue;
      }
      const end = this.#endOfItem(piece, at);
      const part = piece.subarray(at, end < 0 ? piece.length : end);
      if (end < 0) {
        this.#parts.push(Buffer.from(part));
        return;
      }
      const item = this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part]);
      this.#parts = [];
      this.#state = 'between';
      at = end;
      yield item;
    }
  }

  /** Whether what came is one whole array. */
  get isComplete(): boolean {
    return this.#state === 'after' && !this.isBroken;
  }

  #readBetween(byte: number, at: number): number {
    if (isSpace(byte)) return at + 1;
    const state = this.#state;
    if (state === 'before' && byte === OPENING) this.#state = 'first';
    else if ((state === 'first' || state === 'between') && byte === CLOSING) this.#state = 'after';
    else if (state === 'between' && byte === COMMA) this.#state = 'next';
    else if (state === 'first' || state === 'next') {
      this.#state = 'item';
      this.#depth = 0;
      return at;
    } else this.isBroken = true;
    return at + 1;
  }

  /** -1 where it goes on. */
  #endOfItem(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length) {
      if (this.#inString) {
        at = this.#endOfString(piece, at);
        if (this.#depth === 0 && !this.#inString) return at;
        continue;
      }
      const step = STEPS[piece[at] as number] as number;
      if (this.#depth === 0 && isEnd(step)) return at;
      at++;
      if (step === BEGINS_STRING) this.#inString = true;
      else if (step === 1 || step === -1) {
        this.#depth += step;
        if (this.#depth === 0) return at;
      }
    }
    return -1;
  }

  /** Just after the string's quote, or the end of the piece: then it goes on in the next. */
  #endOfString(piece: Buffer, from: number): number {
    let at = from;
    if (this.#isEscaped) at++;
    this.#isEscaped = false;
    while (at < piece.length) {
      const quote = endOfPlain(piece, at);
      let back = quote;
      while (back > at && piece[back - 1] === BACKSLASH) back--;
      const isEscaped = (quote - back) % 2 === 1;
      if (quote < piece.length && !isEscaped) {
        this.#inString = false;
        return quote + 1;
      }
      if (quote >= piece.length) {
        this.#isEscaped = isEscaped;
        return piece.length;
      }
      at = quote + 1;
    }
    return piece.length;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;
const NEAR_BYTES = 32;

/** Where the next quote is, or the end. Most strings are short; what is long is searched by the machine's fastest means. */
function endOfPlain(piece: Buffer, from: number): number {
  const near = Math.min(piece.length, from + NEAR_BYTES);
  for (let at = from; at < near; at++) if (piece[at] === QUOTE) return at;
  if (near === piece.length) return near;
  const quote = piece.indexOf(QUOTE, near);
  return quote < 0 ? piece.length : quote;
}

const BEGINS_STRING = 2;
const ENDS_SCALAR = 3;
/** What each byte between strings is to an item. */
const STEPS = new Int8Array(256);
for (const opening of '{[') STEPS[opening.charCodeAt(0)] = 1;
for (const closing of '}]') STEPS[closing.charCodeAt(0)] = -1;
for (const other of ', \n\r\t') STEPS[other.charCodeAt(0)] = ENDS_SCALAR;
STEPS[QUOTE] = BEGINS_STRING;

/** Of an item that is neither in a string nor in anything else. */
function isEnd(step: number): boolean {
  return step === ENDS_SCALAR || step < 0;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
