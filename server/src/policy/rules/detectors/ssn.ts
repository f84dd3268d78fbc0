import { joined, type Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';
import { addAll, candidates, spanOf, spanOfGroup, standsAlone } from './candidates.ts';

const separator = '[-\u2010-\u2015\u2212 \u00a0\u202f]';
const grouped = new RegExp(`([0-9]{3})(${separator})([0-9]{2})\\2([0-9]{4})`, 'g');
const spoken = '(?:ssn|social.?security)(?:[ _-]?(?:number|num|no|nr))?';
const named = `${spoken}[^0-9A-Za-z]{0,8}(?:is )?`;
/** Nine digits in one piece are one only where words say so. */
const told = new RegExp(`${named}([0-9]{9})`, 'gi');
const isName = new RegExp(`${spoken}$`, 'i');

/** Social security numbers of the United States that can have been given out. */
export const ssn: Finder = {
  hint: `[0-9]{3}${separator}[0-9]{2}${separator}[0-9]{4}|(?i:${named}[0-9]{9}|${spoken}"[ \\t\\r\\n]*:[ \\t\\r\\n]*"?[0-9]{9})`,
  find(text, name) {
    const found: Span[] = [];
    addAll(
      found,
      candidates(text, grouped, (match) => {
        const [, area = '', , group = '', serial = ''] = match;
        const span = spanOf(match);
        return isGiven(area, group, serial) && standsAlone(text, span) ? span : null;
      }),
    );
    addAll(
      found,
      candidates(text, told, (match) => {
        const digits = match[1] as string;
        const span = spanOfGroup(match, digits);
        return isGivenDigits(digits) && standsAlone(text, span) ? span : null;
      }),
    );
    if (found.length === 0 && isName.test(name) && /^[0-9]{9}$/.test(text) && isGivenDigits(text))
      found.push({ start: 0, end: 9 });
    return joined(found);
  },
};

function isGivenDigits(digits: string): boolean {
  return isGiven(digits.slice(0, 3), digits.slice(3, 5), digits.slice(5));
}

function isGiven(area: string, group: string, serial: string): boolean {
  return area !== '000' && area !== '666' && area[0] !== '9' && group !== '00' && serial !== '0000';
}
