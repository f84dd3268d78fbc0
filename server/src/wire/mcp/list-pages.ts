import type { Refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
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

/**
 * Pages as the members of a result, as JSON text without its braces: `"tools":[…]` and `"nextCursor"` where there is more.
 * Texts are kept as long as what they were made of; what everybody sees is one text for all.
 */
export function createPager<Entry extends object>({ member, textOf }: ListForm<Entry>): Pager<Entry> {
  const texts = new WeakMap<Entry, string>();
  const wholes = new WeakMap<readonly Entry[], Map<number, string>>();

  function keptTextOf(entry: Entry): string {
    let text = texts.get(entry);
    if (text === undefined) {
      text = textOf(entry);
      texts.set(entry, text);
    }
    return text;
  }

  function page(visible: readonly Entry[], start: number): string {
    const end = start + pageSize;
    const entries = visible.slice(start, end).map(keptTextOf).join(',');
    const next = end < visible.length ? `,"nextCursor":"${cursorAt(member, end)}"` : '';
    return `"${member}":[${entries}]${next}`;
  }

  return (whole, visible, cursor) => {
    const start = cursor === undefined ? 0 : startOf(member, cursor, visible.length);
    if (start === null) return err(paramsInvalid('params.cursor', 'is not a cursor that this list gave out'));
    const isForAll = visible.length === whole.length && start % pageSize === 0;
    if (!isForAll) return ok(page(visible, start));
    const pages = wholes.get(whole) ?? new Map<number, string>();
    wholes.set(whole, pages);
    let text = pages.get(start);
    if (text === undefined) {
      text = page(visible, start);
      pages.set(start, text);
    }
    return ok(text);
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
