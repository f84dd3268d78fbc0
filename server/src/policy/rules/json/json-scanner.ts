import { Fault } from '#foundation';

/** Hears of everything in a JSON text, in order; positions are those of the text. */
export interface JsonListener {
  /** The name of a member, from quote to quote. */
  key(start: number, end: number): void;
  /** A string, a number, `true`, `false` or `null`. */
  scalar(start: number, end: number): void;
  open(start: number, isArray: boolean): void;
  close(end: number): void;
}

const maxDepth = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Walks a text that is known to be JSON. Nothing is decoded, so numbers and repeated members are seen as they were written. */
export function scanJson(text: string, listener: JsonListener): void {
  const inArray: boolean[] = [];
  let expectsKey = false;
  let at = 0;
  while (at < text.length) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at);
      if (expectsKey) listener.key(at, end);
      else listener.scalar(at, end);
      expectsKey = false;
      at = end;
    } else if (char === 0x7b || char === 0x5b) {
      if (inArray.length === maxDepth) throw new Fault(`it is nested deeper than ${maxDepth} levels`);
      const isArray = char === 0x5b;
      inArray.push(isArray);
      expectsKey = !isArray;
      listener.open(at++, isArray);
    } else if (char === 0x7d || char === 0x5d) {
      inArray.pop();
      expectsKey = false;
      listener.close(++at);
    } else if (char === 0x2c) {
      expectsKey = inArray.at(-1) === false;
      at++;
    } else if (char === 0x3a || isSpace(char)) at++;
    else {
      const end = endOfWord(text, at);
      listener.scalar(at, end);
      at = end;
    }
  }
}

/** Just after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let back = quote - 1;
    while (text.charCodeAt(back) === BACKSLASH) back--;
    if ((quote - back) % 2 === 1) return quote + 1;
    at = quote + 1;
  }
}

/** Just after the number or the literal that begins at `start`. */
function endOfWord(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && !endsWord(text.charCodeAt(at))) at++;
  return at;
}

function endsWord(char: number): boolean {
  return char === 0x2c || char === 0x7d || char === 0x5d || isSpace(char);
}

function isSpace(char: number): boolean {
  return char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;
}

/** How many items each array of the text has, in the order in which they begin. */
export function arrayLengths(text: string): readonly number[] {
  const lengths: number[] = [];
  // Of the containers around: which of the arrays it is; -1 for an object.
  const around: number[] = [];
  const count = (): void => {
    const array = around.at(-1) ?? -1;
    if (array >= 0) lengths[array] = (lengths[array] ?? 0) + 1;
  };
  scanJson(text, {
    key() {},
    scalar: count,
    open(_start, isArray) {
      count();
      around.push(isArray ? lengths.push(0) - 1 : -1);
    },
    close: () => void around.pop(),
  });
  return lengths;
}
