import { MAX_HEAD_BYTES } from './response-head.ts';

const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_FIRST = 6;
const TRAILER = 7;
const TRAILER_LF = 8;
const END_LF = 9;

const MAX_PIECE_BYTES = 2 ** 48;
const CR = 13;
const LF = 10;

/** What stands between the pieces of a chunked body: size lines and trailers, byte by byte, however they are cut. */
export class ChunkFraming {
  /** Bytes of the current piece still to come; the owner counts them down. */
  remaining = 0;
  isDone = false;
  problem: string | null = null;
  #stage = SIZE_FIRST;
  #size = 0;
  #framingBytes = 0;

  /** Reads up to the next piece, the end of the body or the end of the bytes; answers where it stopped. */
  read(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && this.problem === null) {
      if (++this.#framingBytes > MAX_HEAD_BYTES) this.problem = 'a chunk header or the trailers are too long';
      else if (!this.#take(bytes[at] as number)) this.problem = 'the framing of a chunk is malformed';
      at++;
      if (this.remaining > 0 || this.isDone) break;
    }
    return at;
  }

  #take(byte: number): boolean {
    switch (this.#stage) {
      case SIZE_FIRST:
        this.#stage = SIZE;
        return this.#digit(byte);
      case SIZE:
        if (byte === CR) return this.#to(SIZE_LF);
        if (byte === 0x3b || byte === 0x20 || byte === 0x09) return this.#to(EXTENSION);
        return this.#digit(byte);
      case EXTENSION:
        return byte === CR ? this.#to(SIZE_LF) : isText(byte);
      case SIZE_LF:
        return byte === LF && this.#begin();
      case DATA_CR:
        return byte === CR && this.#to(DATA_LF);
      case DATA_LF:
        return byte === LF && this.#to(SIZE_FIRST);
      case TRAILER_FIRST:
        return byte === CR ? this.#to(END_LF) : isText(byte) && this.#to(TRAILER);
      case TRAILER:
        return byte === CR ? this.#to(TRAILER_LF) : isText(byte);
      case TRAILER_LF:
        return byte === LF && this.#to(TRAILER_FIRST);
      default:
        this.isDone = byte === LF;
        return this.isDone;
    }
  }

  #to(stage: number): boolean {
    this.#stage = stage;
    return true;
  }

  #digit(byte: number): boolean {
    const letter = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) this.#size = this.#size * 16 + byte - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) this.#size = this.#size * 16 + letter - 0x57;
    else return false;
    return this.#size <= MAX_PIECE_BYTES;
  }

  #begin(): boolean {
    if (this.#size === 0) return this.#to(TRAILER_FIRST);
    this.remaining = this.#size;
    this.#size = 0;
    this.#framingBytes = 0;
    return this.#to(DATA_CR);
  }
}

function isText(byte: number): boolean {
  return (byte >= 32 || byte === 9) && byte !== 127;
}
