/**
 * Follows a JSON object that comes in pieces, without parsing what need not be known: only where each of its members begins
 * and ends. Some are gathered, to be known or to be taken out; all others are handed on as the bytes that they are.
 */
export class MemberSieve {
  /** Members that were gathered, by name, as JSON text. */
  readonly gathered = new Map<string, Buffer>();
  /** Names of all members that there were. */
  readonly names = new Set<string>();
  problem: string | null = null;
  isDone = false;
  readonly #gathers: ReadonlyMap<string, 'known' | 'taken'>;
  readonly #pass: (bytes: Buffer) => void;
  readonly #passing: (name: string) => void;
  #stage: 'before' | 'name' | 'colon' | 'value' = 'before';
  #isFirst = true;
  /** The name, or the value that is gathered, as far as it came. */
  #parts: Buffer[] = [];
  #partsLength = 0;
  #name = '';
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #hasBegun = false;

  /**
   * `pass` gets members as JSON text with the commas between them: first the name, of which `passing` is told before. It begins
   * inside the object, behind its brace.
   */
  constructor(
    gathers: ReadonlyMap<string, 'known' | 'taken'>,
    pass: (bytes: Buffer) => void,
    passing: (name: string) => void = () => undefined,
  ) {
    this.#gathers = gathers;
    this.#pass = pass;
    this.#passing = passing;
  }

  /** Reads a piece from `from` on; returns where it stopped: at the end of the piece, or just after that of the object. */
  read(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && !this.isDone && this.problem === null) {
      if (this.#stage === 'before') at = this.#readBefore(piece, at);
      else if (this.#stage === 'name') at = this.#readName(piece, at);
      else if (this.#stage === 'colon') at = this.#readColon(piece, at);
      else at = this.#readValue(piece, at);
    }
    return at;
  }

  #readBefore(piece: Buffer, at: number): number {
    const byte = piece[at] as number;
    if (byte === QUOTE) {
      this.#stage = 'name';
      this.#inString = true;
      return at + 1;
    }
    if (byte === CLOSING_BRACE) this.isDone = true;
    else if (!isSpace(byte) && (byte !== COMMA || this.names.size === 0)) this.problem = 'it is not JSON';
    return at + 1;
  }

  #readName(piece: Buffer, from: number): number {
    const end = this.#endOfString(piece, from);
    this.#gather(piece.subarray(from, end), MAX_NAME_BYTES);
    if (this.#inString || this.problem !== null) return end;
    const text = `"${this.#taken().toString('utf8')}`;
    try {
      this.#name = JSON.parse(text) as string;
    } catch {
      this.problem = 'it is not JSON';
      return end;
    }
    this.names.add(this.#name);
    this.#stage = 'colon';
    this.#hasBegun = false;
    if (!this.#gathers.has(this.#name)) this.#passName(text);
    return end;
  }

  #readColon(piece: Buffer, at: number): number {
    const byte = piece[at] as number;
    if (isSpace(byte)) return at + 1;
    if (byte === COLON && !this.#hasBegun) {
      this.#hasBegun = true;
      return at + 1;
    }
    if (!this.#hasBegun || byte === COLON || byte === COMMA || byte === CLOSING_BRACE) {
      this.problem = 'it is not JSON';
      return at;
    }
    this.#stage = 'value';
    this.#depth = 0;
    return at;
  }

  #readValue(piece: Buffer, from: number): number {
    const end = this.#endOfValue(piece, from);
    const isGathered = this.#gathers.has(this.#name);
    const part = piece.subarray(from, end < 0 ? piece.length : end);
    if (isGathered) this.#gather(part, MAX_GATHERED_BYTES);
    else if (part.length > 0) this.#pass(part);
    if (end < 0) return piece.length;
    if (isGathered) this.#keep(this.#taken());
    this.#stage = 'before';
    return end;
  }

  #keep(value: Buffer): void {
    this.gathered.set(this.#name, value);
    if (this.#gathers.get(this.#name) === 'taken') return;
    this.#passName(JSON.stringify(this.#name));
    this.#pass(value);
  }

  #passName(text: string): void {
    this.#passing(this.#name);
    this.#pass(Buffer.from(this.#isFirst ? `${text}:` : `,${text}:`));
    this.#isFirst = false;
  }

  /** Where the value ends; -1 where that is not in this piece. */
  #endOfValue(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length) {
      if (this.#inString || piece[at] === QUOTE) {
        at = this.#inString ? this.#endOfString(piece, at) : this.#beginString(piece, at + 1);
        if (this.#depth === 0 && !this.#inString) return at;
      } else {
        at = this.#betweenStrings(piece, at);
        if (at < 0) return ~at;
      }
    }
    return -1;
  }

  /** Up to the next string, or the end of the piece; `~at` where the value ends at `at`. */
  #betweenStrings(piece: Buffer, from: number): number {
    let depth = this.#depth;
    let at = from;
    for (; at < piece.length; at++) {
      const byte = piece[at] as number;
      if (byte === QUOTE) break;
      const step = STEPS[byte & 0x7f] as number;
      if (depth === 0 && (step < 0 || isAfterScalar(byte))) return ~at;
      depth += step;
      if (step < 0 && depth === 0) return ~(at + 1);
    }
    this.#depth = depth;
    return at;
  }

  #beginString(piece: Buffer, from: number): number {
    this.#inString = true;
    return this.#endOfString(piece, from);
  }

  /** Just after the string's quote, or the end of the piece: then it goes on in the next. */
  #endOfString(piece: Buffer, from: number): number {
    let at = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    // Most are short; what is long is searched by the machine's fastest means.
    const near = Math.min(piece.length, at + NEAR_BYTES);
    while (at < near) {
      const byte = piece[at] as number;
      if (byte === QUOTE) return this.#endString(at + 1);
      at += byte === BACKSLASH ? 2 : 1;
    }
    while (at < piece.length) {
      const quote = piece.indexOf(QUOTE, at);
      const end = quote < 0 ? piece.length : quote;
      let back = end;
      while (back > at && piece[back - 1] === BACKSLASH) back--;
      const isEscaped = (end - back) % 2 === 1;
      if (quote >= 0 && !isEscaped) return this.#endString(quote + 1);
      at = isEscaped ? end + 1 : end;
    }
    this.#isEscaped = at > piece.length;
    return piece.length;
  }

  #endString(at: number): number {
    this.#inString = false;
    return at;
  }

  #gather(part: Buffer, limit: number): void {
    this.#partsLength += part.length;
    if (this.#partsLength > limit) this.problem = `a part of it is longer than ${limit} bytes`;
    else this.#parts.push(Buffer.from(part));
  }

  #taken(): Buffer {
    const whole = Buffer.concat(this.#parts, this.#partsLength);
    this.#parts = [];
    this.#partsLength = 0;
    return whole;
  }
}

const MAX_NAME_BYTES = 1024;
const MAX_GATHERED_BYTES = 1024 * 1024;
const NEAR_BYTES = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSING_BRACE = 0x7d;

/** What each character adds to the depth; those beyond ASCII stand in strings only. */
const STEPS = new Int8Array(128);
for (const opening of '{[') STEPS[opening.charCodeAt(0)] = 1;
for (const closing of '}]') STEPS[closing.charCodeAt(0)] = -1;

function isAfterScalar(byte: number): boolean {
  return byte === COMMA || isSpace(byte);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
