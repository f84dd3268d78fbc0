import type { Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';
import { candidates, digitsOf } from './candidates.ts';

const looks = /[0-9](?:[ -]?[0-9]){12,18}/g;

/** Beginnings, from and to, and the lengths of numbers that begin so. */
const brands: readonly (readonly [from: string, to: string, lengths: readonly number[]])[] = [
  ['4', '4', [13, 16, 19]],
  ['51', '55', [16]],
  ['2221', '2720', [16]],
  ['34', '34', [15]],
  ['37', '37', [15]],
  ['300', '305', [14]],
  ['36', '36', [14]],
  ['38', '39', [14]],
  ['3528', '3589', [16, 17, 18, 19]],
  ['6011', '6011', [16, 17, 18, 19]],
  ['62', '62', [16, 17, 18, 19]],
  ['644', '649', [16, 17, 18, 19]],
  ['65', '65', [16, 17, 18, 19]],
  ['2200', '2204', [16]],
  ['5018', '5018', [13, 14, 15, 16, 17, 18, 19]],
  ['5020', '5020', [13, 14, 15, 16, 17, 18, 19]],
  ['5038', '5038', [13, 14, 15, 16, 17, 18, 19]],
  ['6304', '6304', [13, 14, 15, 16, 17, 18, 19]],
  ['6759', '6763', [13, 14, 15, 16, 17, 18, 19]],
];

/** As cards print them, or in one piece. */
const grouping =
  /^(?:[0-9]+|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{1,3})?|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})$/;

/** Numbers of payment cards: a known beginning, a length that goes with it, and a right check digit. */
export const paymentCard: Finder = {
  // Not the many digits after a decimal point.
  hint: '(?:^|[^0-9.]|[^0-9][.])[2-6](?:[ -]?[0-9]){12}',
  find: (text) => candidates(text, looks, (match) => cardAt(text, match)),
};

/** More digits may follow, of a date, so that every length must be tried. */
function cardAt(text: string, { index, 0: run }: RegExpExecArray): Span | null {
  if (/[\p{L}\p{N}_]$|\p{N}\.$/u.test(text.slice(Math.max(0, index - 2), index))) return null;
  let digits = 0;
  let found: Span | null = null;
  const all = digitsOf(run);
  const lengths = brands.find(([from, to]) => {
    const beginning = all.slice(0, from.length);
    return beginning >= from && beginning <= to;
  })?.[2];
  if (lengths === undefined) return null;
  for (let at = 0; at < run.length; at++) {
    if (run[at] === ' ' || run[at] === '-') continue;
    digits++;
    const end = index + at + 1;
    if (!lengths.includes(digits) || /^[\p{L}\p{N}_]|^\.\p{N}/u.test(text.slice(end, end + 2))) continue;
    if (grouping.test(run.slice(0, at + 1)) && isLuhn(all.slice(0, digits))) found = { start: index, end };
  }
  return found;
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    sum += index % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9;
  }
  return sum % 10 === 0;
}
