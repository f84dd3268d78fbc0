import type { Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { createKeptTexts } from './kept-texts.ts';
import { paramsInvalid } from './rpc.ts';

/** Entries on one page. Many clients never ask for a second page, so the first one is generous. */
const pageSize = 1000;

/** The pages of one list: `visible` are those entries of the whole list that this caller may see. */
export type Pager<Entry> = (
  whole: readonly Entry[],
  visible: readonly Entry[],
  cursor: unknown,
) => Result<string, Refusal>;

export interface ListForm<Entry> {
  /** The member of the result that holds the entries; a cursor of one list is none of another. */
  readonly member: string;
  /** An entry as JSON text. */
  readonly textOf: (entry: Entry) => string;
}

/** Of one kind of list: the pages of some thousands of tools. A longer list is written each time that somebody reads it. */
const mostChars = 32 * 1024 * 1024;

/**
 * Pages as the members of a result, as JSON text without its braces: `"tools":[…]` and `"nextCursor"` where there is more.
 * Texts are kept for a while, as long as what they were made of; what everybody sees is one text for all.
 */
export function createPager<Entry extends object>({ member, textOf }: ListForm<Entry>): Pager<Entry> {
  const texts = createKeptTexts(mostChars);
  /** Of lists, what stands for each of their pages. */
  const wholes = new WeakMap<readonly Entry[], Map<number, object>>();

  function page(visible: readonly Entry[], start: number): string {
    const end = start + pageSize;
    const entries = visible.slice(start, end).map((entry) => texts.get(entry, () => textOf(entry)));
    const next = end < visible.length ? `,"nextCursor":"${cursorAt(member, end)}"` : '';
    return `"${member}":[${entries.join(',')}]${next}`;
  }

  function pageOf(whole: readonly Entry[], start: number): object {
    const pages = wholes.get(whole) ?? new Map<number, object>();
    wholes.set(whole, pages);
    const known = pages.get(start) ?? {};
    pages.set(start, known);
    return known;
  }

  return (whole, visible, cursor) => {
    const start = cursor === undefined ? 0 : startOf(member, cursor, visible.length);
    if (start === null) return err(paramsInvalid('params.cursor', 'is not a cursor that this list gave out'));
    const isForAll = visible.length === whole.length && start % pageSize === 0;
    return ok(isForAll ? texts.get(pageOf(whole, start), () => page(visible, start)) : page(visible, start));
  };
}

function cursorAt(member: string, offset: number): string {
  return Buffer.from(`${member}:${offset}`).toString('base64url');
}

function startOf(member: string, cursor: unknown, total: number): number | null {
  if (typeof cursor !== 'string') return null;
  const [name, digits = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(':');
  if (name !== member || !/^\d{1,9}$/.test(digits)) return null;
  const offset = Number(digits);
  return offset > 0 && offset < total + pageSize && cursorAt(member, offset) === cursor ? offset : null;
}
