import { isMembers } from '#foundation';
import type { Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';
import { addAll } from './candidates.ts';

const shortest = 20;

/** Headers are short; what is longer is none. */
const maxHeader = 8192;

/** JSON web tokens in their compact form: three parts, the first of which decodes to a header. */
export const jwt: Finder = {
  hint: 'e[yw][A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.',
  find(text) {
    const found: Span[] = [];
    let end = 0;
    for (let dot = text.indexOf('.'); dot >= 0; dot = text.indexOf('.', end)) {
      const start = startOfRun(text, dot, end);
      end = endOfRun(text, dot);
      if (end - start >= shortest) addAll(found, tokensIn(text.slice(start, end), start));
    }
    return found;
  },
};

/** Runs of what tokens are written with are as long as images are, which is too long for a regular expression. */
function startOfRun(text: string, within: number, from: number): number {
  let at = within;
  while (at > from && isOfToken(text.charCodeAt(at - 1))) at--;
  return at;
}

function endOfRun(text: string, within: number): number {
  let at = within;
  while (at < text.length && isOfToken(text.charCodeAt(at))) at++;
  return at;
}

/** A letter, a digit, or one of `-._`. */
function isOfToken(char: number): boolean {
  const letter = char | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    (char >= 0x30 && char <= 0x39) ||
    char === 0x2d ||
    char === 0x2e ||
    char === 0x5f
  );
}

function tokensIn(run: string, offset: number): Span[] {
  const found: Span[] = [];
  const parts = run.split('.');
  let at = offset;
  for (let index = 0; index + 2 < parts.length; index++) {
    const [header = '', payload = '', signature = ''] = parts.slice(index, index + 3);
    const start = payload === '' ? -1 : headerStart(header);
    if (start >= 0) {
      const end = at + header.length + payload.length + signature.length + 2;
      found.push({ start: at + start, end });
      at = end + 1;
      index += 2;
    } else at += header.length + 1;
  }
  return found;
}

/** Where the header begins; other words may be joined to it by what base64url has, too. */
function headerStart(part: string): number {
  if (part.length > maxHeader) return -1;
  const starts = new Set([0, part.search(/ey[A-Z]|ew[0-9A-Za-z]/), part.lastIndexOf('eyJ')]);
  for (const start of starts) if (start >= 0 && isHeader(part.slice(start))) return start;
  return -1;
}

function isHeader(part: string): boolean {
  if (!/^e[yw]/.test(part)) return false;
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isMembers(header) && typeof header.alg === 'string';
  } catch {
    return false;
  }
}
