import { joined, type Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';
import { addAll, candidates, digitsOf, spanOf, spanOfGroup, standsAlone } from './candidates.ts';

const gap = '[ .\\-\u00a0\u2011/()]';

/** What looks like a number that is dialled; how many digits it then has. */
const forms: readonly { readonly looks: RegExp; readonly digits: readonly [from: number, to: number] }[] = [
  // +49 (0)30 123456, +14155550123, and the same with 00 instead of +
  { looks: new RegExp(`\\+[1-9](?:${gap}{0,3}[0-9]){6,15}`, 'g'), digits: [8, 16] },
  { looks: new RegExp(`00[1-9][0-9]{0,2}(?:${gap}{1,2}[0-9]{1,9}){2,6}`, 'g'), digits: [10, 17] },
  // (415) 555-2671, 415.555.2671, 1-415-555-2671; made-up ones, too: 123-456-7890
  { looks: /(?:1[ .-])?\([0-9]{3}\) ?[0-9]{3}[ .-]?[0-9]{4}/g, digits: [10, 11] },
  { looks: /(?:1[ .-])?[0-9]{3}([.-])[0-9]{3}\1[0-9]{4}/g, digits: [10, 11] },
  { looks: /(?:1[ .-])?[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}/g, digits: [10, 11] },
  // 020 7946 0958, 0171/123 45 67, (030) 123456
  { looks: /0[1-9][0-9]{1,4}(?: ?\/ ?| )[0-9]{2,8}(?: [0-9]{2,8}){0,3}/g, digits: [9, 12] },
  { looks: /\(0[1-9][0-9]{0,4}\)[ /-]?[0-9]{2,8}(?:[ -][0-9]{2,8}){0,3}/g, digits: [9, 12] },
  { looks: /0[1-9][0-9]{1,4}-[0-9]{5,8}/g, digits: [9, 12] },
  // 06 12 34 56 78, 01.23.45.67.89, 02 1234 5678
  { looks: /0[1-9](?:([ .])[0-9]{2})(?:\1[0-9]{2}){3}/g, digits: [10, 10] },
  { looks: /0[2-478] [0-9]{4} [0-9]{4}/g, digits: [10, 10] },
];

const spoken = '(?:phone|mobile|whatsapp|\\b(?:tel|fax|cell))(?:[ _-]?(?:number|num|no|nr|#))?';
const named = `${spoken}[^0-9A-Za-z+]{0,8}`;
/** Digits in one piece are one only where words say so. */
const told = new RegExp(`${named}([0-9]{7,15})`, 'gi');
const isName = new RegExp(`${spoken}$`, 'i');

/** Telephone numbers: international ones, and national ones as they are commonly written. */
export const phone: Finder = {
  hint: [
    '\\+[1-9]',
    '\\b00[1-9]',
    '\\([0-9]{2,6}\\)',
    '[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}',
    '\\b0[1-9][0-9]{1,4}(?: ?/ ?| )[0-9]{2}',
    '\\b0[1-9][0-9]{1,4}-[0-9]{5}',
    '\\b0[1-9](?:[ .][0-9]{2}){4}',
    '\\b0[2-478] [0-9]{4} [0-9]{4}',
    `(?i:${named}[0-9]{7}|${spoken}"[ \\t\\r\\n]*:[ \\t\\r\\n]*"?[0-9][0-9 .\\-/()]{5})`,
  ].join('|'),
  find(text, name) {
    const found: Span[] = [];
    for (const { looks, digits } of forms)
      addAll(
        found,
        candidates(text, looks, (match) => checked(text, spanOf(match), digits)),
      );
    addAll(
      found,
      candidates(text, told, (match) => checked(text, spanOfGroup(match, match[1] as string), [7, 15])),
    );
    if (found.length === 0 && isName.test(name) && /^[0-9][0-9 .\-/()]{5,20}[0-9]$/.test(text))
      return candidates(text, /^.+$/g, (match) => checked(text, spanOf(match), [7, 15]));
    return joined(found);
  },
};

function checked(text: string, span: Span, [from, to]: readonly [number, number]): Span | null {
  const digits = digitsOf(text.slice(span.start, span.end)).length;
  if (digits < from || digits > to) return null;
  return text[span.start - 1] !== '+' && standsAlone(text, span) ? span : null;
}
