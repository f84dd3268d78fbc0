import fc from 'fast-check';

const firstSurrogate = 0xd800;
const surrogates = 0x800;
const codePoints = (most: number) => fc.integer({ min: 0, max: most });

/** Any character, and often one of the first. What fast-check has for this makes a table of all of them first, for a second. */
export const anyCharacter = fc
  .oneof(codePoints(0x7f), codePoints(0x7ff), codePoints(0x10ffff - surrogates))
  .map((nth) => String.fromCodePoint(nth < firstSurrogate ? nth : nth + surrogates));
