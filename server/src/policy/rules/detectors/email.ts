import type { Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';

/** Lengths of a mailbox's name and of a domain, as RFC 5321 bounds them. */
const maxLocal = 64;
const maxDomain = 255;

const localEnd = /(?:[\p{L}\p{N}_][\p{L}\p{M}\p{N}_%+-]*)(?:\.[\p{L}\p{M}\p{N}_%+-]+)*$/u;
const domainStart = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*(?:\.[\p{L}\p{N}][\p{L}\p{M}\p{N}-]*)+/u;
const topLevel = /^(?:\p{L}[\p{L}\p{M}]{1,62}|xn--[a-z0-9-]+)$/iu;
/** `icon@2x.png` is a file. */
const fileType =
  /^(?:png|jpe?g|gif|svg|webp|ico|bmp|tiff?|avif|css|s[ac]ss|js|mjs|cjs|ts|tsx|jsx|json|html?|pdf|txt|md)$/i;

/** Addresses of mailboxes. */
export const email: Finder = {
  hint: '[^ \\t\\r\\n"@]@[^ \\t\\r\\n"@]',
  find(text) {
    const found: Span[] = [];
    for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
      const span = addressAround(text, at);
      if (span !== null && span.start >= (found.at(-1)?.end ?? 0)) found.push(span);
    }
    return found;
  },
};

function addressAround(text: string, at: number): Span | null {
  const local = localEnd.exec(text.slice(Math.max(0, at - maxLocal), at))?.[0];
  const domain = domainStart.exec(text.slice(at + 1, at + 1 + maxDomain))?.[0];
  if (local === undefined || domain === undefined) return null;
  const labels = domain.replace(/-+$/, '').split('.');
  while (labels.length > 1 && !topLevel.test(labels.at(-1) as string)) labels.pop();
  const last = labels.at(-1) as string;
  if (labels.length < 2 || fileType.test(last)) return null;
  return { start: at - local.length, end: at + 1 + labels.join('.').length };
}
