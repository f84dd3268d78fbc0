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
  const end = Math.min(text.length, MAX_TEXT);
  let start = 0;
  let before = OTHER;
  for (let at = 0; at <= end; at++) {
    const code = at === end ? 0 : text.charCodeAt(at);
    const kind = code < 128 ? (kinds[code] ?? OTHER) : WIDE;
    if (kind === before && kind !== OTHER) continue;
    if (kind === WIDE || before === WIDE) {
      // Letters with accents belong to the word that they are in: a run that has any is taken apart as a whole.
      const until = endOfRun(text, at, end);
      eachWideWord(text.slice(before === OTHER ? at : start, until), take);
      at = until - 1;
      before = OTHER;
      start = until;
      continue;
    }
    if (kind === LOWER && before === UPPER) {
      // `HTTPStatus`: the last capital begins the next word.
      if (at - 1 > start) put(text, start, at - 1, take);
      start = at - 1;
    } else {
      if (before !== OTHER) put(text, start, at, take);
      start = at;
    }
    before = kind;
  }
}

function put(text: string, start: number, end: number, take: (word: string) => void): void {
  if (end - start <= MAX_WORD) take(text.slice(start, end).toLowerCase());
}

function endOfRun(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code < 128 && kinds[code] === OTHER) break;
    at++;
  }
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
