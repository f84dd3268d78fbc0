import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#foundation';
import type { CallFailure } from '../../contract.ts';
import { memberItems } from '../../json-array.ts';
import { type Answer, type Ask, rpcFailure } from '../ask.ts';
import type { Link } from '../link.ts';
import { modernMeta } from '../protocol.ts';

/** The owner of the session in which the lists are asked for; no user has this name, as theirs begin otherwise. */
const catalogueOwner = 'catalogue';
const maxPages = 1000;

/** The lists that a server may have, and the member of a page that holds the entries. */
const memberOf = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
} as const;
export type ListMethod = keyof typeof memberOf;

export interface ListPages {
  /** Reads the entries of all pages, one after another. */
  readonly entries: () => Iterable<unknown>;
  /** The same whenever the server says the same. */
  readonly digest: string;
}

export interface ListBounds {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** The header line with which it is asked for; `''`: none. */
  readonly authorization: string;
}

/** All pages of a list that is never long. */
export async function fetchList(
  link: Link,
  method: ListMethod,
  bounds: ListBounds,
): Promise<Result<ListPages, CallFailure>> {
  const member = memberOf[method];
  // What was read of them would be many times as large.
  const pages: Buffer[] = [];
  const digest = createHash('sha256');
  const answer = await eachPage(method, bounds, async (cursor) => {
    const answer = await link.ask(askForPage(method, cursor, bounds));
    if (!answer.ok || answer.value.reply.kind === 'error') return answer;
    const { result, bytes } = answer.value.reply;
    if (!Array.isArray(result[member])) return holdsNoArray(method);
    pages.push(bytes);
    digest.update(bytes);
    return answer;
  });
  if (!answer.ok) return answer;
  return ok({ entries: () => entriesOf(pages, member), digest: digest.digest('base64') });
}

/** Has each page asked for, up to the last. An empty cursor is a cursor; only its absence ends the list. */
export async function eachPage(
  method: ListMethod,
  { maxBytes }: ListBounds,
  ask: (cursor: string | undefined) => Promise<Result<Answer & { readonly bytes?: number }, CallFailure>>,
): Promise<Result<Answer, CallFailure>> {
  const cursors = new Set<string>();
  let bytes = 0;
  let cursor: string | undefined;
  for (;;) {
    const answer = await ask(cursor);
    if (!answer.ok) return answer;
    const { reply } = answer.value;
    if (reply.kind === 'error') return err(rpcFailure(reply.error, { method, step: 'tools_fetched' }));
    bytes += answer.value.bytes ?? reply.bytes.length;
    if (bytes > maxBytes) return invalid(`the pages of ${method} are together larger than ${maxBytes} bytes`);
    const { nextCursor = null } = reply.result;
    if (nextCursor === null) return answer;
    const problem = cursorProblem(method, nextCursor, cursors);
    if (problem !== null) return invalid(problem);
    cursor = nextCursor as string;
    cursors.add(cursor);
  }
}

export function holdsNoArray(method: ListMethod): Result<never, CallFailure> {
  return invalid(`the answer to ${method} holds no array "${memberOf[method]}"`);
}

function* entriesOf(pages: readonly Buffer[], member: string): Generator<unknown> {
  for (const page of pages) yield* memberItems(page, member);
}

function cursorProblem(method: ListMethod, cursor: unknown, seen: ReadonlySet<string>): string | null {
  if (typeof cursor !== 'string') return `the cursor of ${method} is not text`;
  if (seen.has(cursor)) return `${method} goes in circles: it gives a cursor for the second time`;
  return seen.size + 1 >= maxPages ? `${method} has more than ${maxPages} pages` : null;
}

export function askForPage(
  method: ListMethod,
  cursor: string | undefined,
  { timeoutMs, authorization }: ListBounds,
): Ask {
  const page = cursor === undefined ? {} : { cursor };
  return {
    owner: catalogueOwner,
    authorization,
    method,
    params: (era) => (era === 'modern' ? { ...page, _meta: modernMeta } : page),
    modernHeaders: '',
    timeoutMs,
    signal: null,
    onNotification: null,
    step: 'tools_fetched',
  };
}

function invalid(message: string): Result<never, CallFailure> {
  return err({ code: 'source.tool_list_invalid', message, step: 'tools_fetched' });
}
