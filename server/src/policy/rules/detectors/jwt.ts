import { isMembers } from '#foundation';
import type { Span } from '../edits.ts';
import type { Finder } from '../pattern.ts';

const runs = /[A-Za-z0-9_.-]{20,}/g;

/** Headers are short; what is longer is none. */
const maxHeader = 8192;

/** JSON web tokens in their compact form: three parts, the first of which decodes to a header. */
export const jwt: Finder = {
  hint: 'e[yw][A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.',
  find(text) {
    const found: Span[] = [];
    for (const { 0: run, index } of text.matchAll(runs)) {
      if (run.includes('.')) found.push(...tokensIn(run, index));
    }
    return found;
  },
};

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
