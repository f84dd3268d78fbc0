/** Read while a body is lent: fewer and larger reads. */
const PAGE_BYTES = 256 * 1024;
/** Kept for the next body: 16 MB. Fresh memory costs more than what is read into it. */
const MAX_FREE_PAGES = 64;
/** While so much of one body is lent, nothing more of it is read. */
export const MAX_LENT_BYTES = 512 * 1024;

const freePages: Page[] = [];

/** Bytes that are read into; not again while any of them are lent. */
export class Page {
  readonly buffer: Buffer;
  lent = 0;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }
}

/** Where a socket without TLS puts what it reads: onto its own page again and again, onto larger ones while a body is lent. */
export class Intake {
  readonly #own: Page;
  page: Page;
  isLending = false;
  receive: (bytes: Buffer) => void;

  /** `receive`: what becomes of bytes until somebody else takes them. */
  constructor(bytes: number, receive: () => void) {
    this.#own = new Page(bytes);
    this.page = this.#own;
    this.receive = receive;
  }

  /** For the socket, after each read: where to read to next. */
  readonly next = (): Buffer => {
    const before = this.page;
    const isOwn = before === this.#own;
    if (before.lent > 0 || isOwn === this.isLending) {
      const mayBeOwn = !this.isLending && this.#own.lent === 0;
      this.page = mayBeOwn ? this.#own : (freePages.pop() ?? new Page(PAGE_BYTES));
      if (before.lent === 0) this.#keep(before);
    }
    return this.page.buffer;
  };

  giveBack(page: Page): void {
    page.lent--;
    if (page.lent === 0 && page !== this.page) this.#keep(page);
  }

  #keep(page: Page): void {
    if (page !== this.#own && freePages.length < MAX_FREE_PAGES) freePages.push(page);
  }
}

/** The pieces of one body that are lent to its reader. */
export class Loans {
  readonly #intake: Intake | null;
  readonly #hold: (isHeld: boolean) => void;
  #bytes = 0;
  #isHeld = false;
  #isOver = false;

  /** `hold`: stop reading, or go on. `intake`: where the bytes lie; `null` where nobody will overwrite them. */
  constructor(intake: Intake | null, hold: (isHeld: boolean) => void) {
    this.#intake = intake;
    if (intake !== null) intake.isLending = true;
    this.#hold = hold;
  }

  /** To be called once, when the bytes may be overwritten. */
  lend(bytes: number): () => void {
    const page = this.#intake?.page ?? null;
    if (page !== null) page.lent++;
    this.#bytes += bytes;
    if (this.#bytes >= MAX_LENT_BYTES) this.#setHeld(true);
    return () => {
      if (page !== null) this.#intake?.giveBack(page);
      this.#bytes -= bytes;
      if (this.#bytes < MAX_LENT_BYTES) this.#setHeld(false);
    };
  }

  /** The body is complete: what is still lent holds nothing up any more. */
  end(): void {
    this.#setHeld(false);
    this.#isOver = true;
    if (this.#intake !== null) this.#intake.isLending = false;
  }

  #setHeld(isHeld: boolean): void {
    if (this.#isHeld === isHeld || this.#isOver) return;
    this.#isHeld = isHeld;
    this.#hold(isHeld);
  }
}
