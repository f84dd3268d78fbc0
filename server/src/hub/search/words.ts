/** Past this many characters a text says nothing new: the rest is not read. */
const MAX_TEXT = 16_384;
/** What is longer is data, not a word. */
const MAX_WORD = 40;

const OTHER = 0;
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
/** Outside of ASCII: decided by slower means. */
const WIDE = 4;

const kinds = new Uint8Array(128);
for (let code = 0x61; code <= 0x7a; code++) kinds[code] = LOWER;
for (let code = 0x41; code <= 0x5a; code++) kinds[code] = UPPER;
for (let code = 0x30; code <= 0x39; code++) kinds[code] = DIGIT;

/**
 * The words of a text, in lower case, each handed to `take`: identifiers are split where their case changes and between letters
 * and digits (`getHTTPStatus2` is get, http, status, 2), and scripts without spaces into pairs of characters.
 */
export function eachWord(text: string, take: (word: string) => void): void {
  eachSpan(text, (_, start, end) => take(text.slice(start, end).toLowerCase()), take);
}

/** The same, but words of plain letters and of digits by where they are in the text, in whatever case. */
export function eachSpan(
  text: string,
  takePlain: (text: string, start: number, end: number) => void,
  takeOther: (word: string) => void,
): void {
  const end = Math.min(text.length, MAX_TEXT);
  let start = 0;
  let before = OTHER;
  for (let at = 0; at < end; at++) {
    const kind = kindAt(text, at);
    if (kind === before) continue;
    if (kind === WIDE) {
      // A letter with an accent belongs to the word that it is in.
      const from = before === OTHER ? at : start;
      at = endOfRun(text, at, end);
      eachWideWord(text.slice(from, at), takeOther);
      before = OTHER;
      continue;
    }
    // `HTTPStatus`: the last capital begins the next word.
    const next = before === UPPER && kind === LOWER ? at - 1 : at;
    if (before !== OTHER && next > start && next - start <= MAX_WORD) takePlain(text, start, next);
    start = next;
    before = kind;
  }
  if (before !== OTHER && end - start <= MAX_WORD) takePlain(text, start, end);
}

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (kinds[code] as number) : WIDE;
}

function endOfRun(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && kindAt(text, at) !== OTHER) at++;
  return at;
}

const wideWords = /[\p{L}\p{M}]+|\p{N}+/gu;
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const caseChange = /(?<=\p{Ll})(?=\p{Lu})/u;

function eachWideWord(run: string, take: (word: string) => void): void {
  for (const [found] of run.normalize('NFKC').matchAll(wideWords)) {
    if (unspaced.test(found)) eachPair(found, take);
    else {
      for (const part of found.split(caseChange)) {
        const word = part
          .normalize('NFKD')
          .replace(/\p{M}+/gu, '')
          .toLowerCase();
        if (word !== '' && word.length <= MAX_WORD) take(word);
      }
    }
  }
}

function eachPair(run: string, take: (word: string) => void): void {
  const characters = [...run.toLowerCase()];
  if (characters.length === 1) take(run);
  for (let at = 0; at + 1 < characters.length; at++) take(`${characters[at]}${characters[at + 1]}`);
}
