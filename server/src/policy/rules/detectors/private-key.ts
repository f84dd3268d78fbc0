import type { Span } from '../edits.ts';
import type { Finder } from '../pattern.ts';

const marker = /-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g;

/** What a key has at least between its lines: a few characters of base64, whatever headers stand before them. */
const body = /[A-Za-z0-9+/=]{16}/;

/** Private keys in PEM, whole or cut off, of whatever kind; also where line breaks are written `\n`. */
export const privateKey: Finder = {
  hint: '-----BEGIN [A-Z0-9 ]*PRIVATE KEY',
  find(text) {
    const found: Span[] = [];
    const markers = [...text.matchAll(marker)];
    for (const [nth, { 0: line, 1: word, index }] of markers.entries()) {
      const next = markers[nth + 1];
      const bodyEnd = next?.index ?? text.length;
      if (word !== 'BEGIN' || !body.test(text.slice(index + line.length, bodyEnd))) continue;
      found.push({ start: index, end: bodyEnd + (next?.[1] === 'END' ? next[0].length : 0) });
    }
    return found;
  },
};
