import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { type Answer, rpcFailure } from './ask.ts';
import type { Link } from './link.ts';
import { modernMeta } from './protocol.ts';

/** The owner of the session in which the list is asked for; no user has this name, as theirs begin otherwise. */
export const catalogueOwner = 'catalogue';
const maxPages = 1000;

export interface ToolPages {
  readonly entries: readonly unknown[];
  /** The same whenever the server says the same. */
  readonly digest: string;
  readonly answer: Answer;
}

/** All pages of `tools/list`. An empty cursor is a cursor; only its absence ends the list. */
export async function fetchTools(
  link: Link,
  timeoutMs: number,
  maxBytes: number,
): Promise<Result<ToolPages, CallFailure>> {
  const entries: unknown[] = [];
  const digest = createHash('sha256');
  const cursors = new Set<string>();
  let bytes = 0;
  let cursor: string | undefined;
  for (;;) {
    const answer = await askForPage(link, cursor, timeoutMs);
    if (!answer.ok) return answer;
    const { reply, offer } = answer.value;
    if (reply.kind === 'error') {
      // A server that says it has no tools need not know the method.
      if (!offer.tools) return ok({ entries, digest: 'none', answer: answer.value });
      return err(rpcFailure(reply.error, { method: 'tools/list', step: 'tools_fetched' }));
    }
    bytes += reply.bytes.length;
    if (bytes > maxBytes)
      return invalid(`the pages of tools/list are together larger than ${maxBytes} bytes`);
    const { tools, nextCursor = null } = reply.result;
    if (!Array.isArray(tools)) return invalid('the answer to tools/list holds no array "tools"');
    for (const tool of tools) entries.push(tool);
    digest.update(reply.bytes);
    if (nextCursor === null) return ok({ entries, digest: digest.digest('base64'), answer: answer.value });
    const problem = cursorProblem(nextCursor, cursors);
    if (problem !== null) return invalid(problem);
    cursor = nextCursor as string;
    cursors.add(cursor);
  }
}

function cursorProblem(cursor: unknown, seen: ReadonlySet<string>): string | null {
  if (typeof cursor !== 'string') return 'the cursor of tools/list is not text';
  if (seen.has(cursor)) return 'tools/list goes in circles: it gives a cursor for the second time';
  return seen.size + 1 >= maxPages ? `tools/list has more than ${maxPages} pages` : null;
}

function askForPage(
  link: Link,
  cursor: string | undefined,
  timeoutMs: number,
): Promise<Result<Answer, CallFailure>> {
  const page = cursor === undefined ? {} : { cursor };
  return link.ask({
    owner: catalogueOwner,
    method: 'tools/list',
    params: (era) => (era === 'modern' ? { ...page, _meta: modernMeta } : page),
    modernHeaders: '',
    timeoutMs,
    signal: null,
    onNotification: null,
    step: 'tools_fetched',
  });
}

function invalid(message: string): Result<never, CallFailure> {
  return err({ code: 'source.tool_list_invalid', message, step: 'tools_fetched' });
}
