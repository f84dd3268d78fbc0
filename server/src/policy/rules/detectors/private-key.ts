import type { Span } from '../json/edits.ts';
import type { Finder } from '../pattern.ts';

const marker = /-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g;

/** What follows the first line of one that is cut off: a few characters of base64, whatever headers stand before them. */
const body = /[A-Za-z0-9+/=]{16}/;
/** Between two lines it may be shorter, but nothing else than that. */
const short = /[A-Za-z0-9+/=]{16}|^[A-Za-z0-9+/=\\\s]{4,}$/;

/** Private keys in PEM, whole or cut off, of whatever kind; also where line breaks are written `\n`. */
export const privateKey: Finder = {
  hint: '-----BEGIN [A-Z0-9 ]*PRIVATE KEY',
  find(text) {
    const found: Span[] = [];
    const markers = [...text.matchAll(marker)];
    for (const [nth, { 0: line, 1: word, index }] of markers.entries()) {
      const next = markers[nth + 1];
      const bodyEnd = next?.index ?? text.length;
      const isWhole = next?.[1] === 'END';
      if (word !== 'BEGIN') continue;
      if (!(isWhole ? short : body).test(text.slice(index + line.length, bodyEnd))) continue;
      found.push({ start: index, end: bodyEnd + (isWhole ? next[0].length : 0) });
    }
    return found;
  },
};
