import { privatePieces } from '#policy';

/** Longer ones tell of one case, and not of what a tool is for. */
export const maxLearnedLength = 300;
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

/** Whether it may be kept: no address, number of a person, or secret, and no long number that could be one. */
export function maySay(query: string): boolean {
  return (
    query.length > 0 &&
    query.length <= maxLearnedLength &&
    !/\p{N}(?:[ ./-]?\p{N}){5,}/u.test(query) &&
    privatePieces(query).length === 0
  );
}

/** With three dots for what may not be kept. */
export function withoutPrivate(need: string): string {
  let text = plain(need);
  for (const { start, end } of privatePieces(text).toReversed())
    text = `${text.slice(0, start)}…${text.slice(end)}`;
  return text.slice(0, maxNeedLength).toWellFormed();
}
