const EMPTY = Buffer.alloc(0);
const SMALLEST_BYTES = 16 * 1024;
/** Believed of what a peer says that will come. */
const MOST_EXPECTED_BYTES = 2 * 1024 * 1024;

/** A body put together from pieces: one piece is taken as it is, more are copied into a buffer that doubles. */
export class GatheredBody {
  length = 0;
  #bytes: Buffer = EMPTY;
  #isOwn = false;
  #expected = 0;

  /** So much is said to come. */
  expect(bytes: number): void {
    this.#expected = Math.min(bytes, MOST_EXPECTED_BYTES);
  }

  /** A borrowed piece is overwritten later, and so is copied even when it is the only one. */
  add(piece: Buffer, isBorrowed: boolean): void {
    const length = this.length + piece.length;
    if (this.length === 0 && length >= this.#expected) {
      this.#bytes = isBorrowed ? Buffer.from(piece) : piece;
    } else {
      if (!this.#isOwn || length > this.#bytes.length) this.#grow(length);
      piece.copy(this.#bytes, this.length);
    }
    this.length = length;
  }

  /** The body; what comes next begins anew. */
  take(): Buffer {
    const body = this.#bytes.length === this.length ? this.#bytes : this.#bytes.subarray(0, this.length);
    this.clear();
    return body;
  }

  clear(): void {
    this.#bytes = EMPTY;
    this.#isOwn = false;
    this.length = 0;
    this.#expected = 0;
  }

  #grow(length: number): void {
    const grown = Buffer.allocUnsafeSlow(
      Math.max(length, this.#expected, this.#bytes.length * 2, SMALLEST_BYTES),
    );
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
    this.#isOwn = true;
  }
}
