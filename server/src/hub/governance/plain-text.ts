import { privatePieces } from '#policy';

/** Longer ones tell of one case, and not of what a tool is for. */
const maxLearnedLength = 300;
const maxNeedLength = 500;

/** One wording for what differs in case, spaces and the mark at its end only. */
export function normalised(text: string): string {
  return plain(text)
    .toLowerCase()
    .replace(/[\s.,;:!?…]+$/u, '');
}

/** As the database takes it. */
function plain(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
}

/** What follows is nobody's business. */
const givesAway = /(?:passw(?:or)?d|passphrase|pin|secret|token|key)\s*(?:is\b|[:=])/i;
/** Longer than what has a name, or a number of somebody or something. */
const longNumber = /\p{N}(?:[ ./-]?\p{N}){5,}/u;
const looksRandom = /(?=\S*\p{N}\S*\p{N})(?=\S*\p{L})\S{16,}/u;

/** The query in one wording; `null` where it may hold personal data or a secret, or is too long to be about any but one case. */
export function learnable(query: string): string | null {
  if (query.length > 2 * maxLearnedLength) return null;
  const text = plain(query);
  const wording = normalised(text);
  if (wording === '' || wording.length > maxLearnedLength) return null;
  const isPrivate =
    givesAway.test(text) || longNumber.test(text) || looksRandom.test(text) || privatePieces(text).length > 0;
  return isPrivate ? null : wording;
}

/** With three dots for what may not be kept. */
export function withoutPrivate(need: string): string {
  let text = plain(need);
  for (const { start, end } of privatePieces(text).toReversed())
    text = `${text.slice(0, start)}…${text.slice(end)}`;
  return text.slice(0, maxNeedLength).toWellFormed();
}
