import { type Clock, err, isMembers, ok, type Result } from '#foundation';
import type { Origins } from '../origins.ts';

/** Who is in which group, by the word of somebody else. */
export interface Directory {
  /** Ids and names of the user's groups; none for a user that it does not know. */
  groupsOf(login: string): Promise<Result<readonly string[], string>>;
}

export interface DirectoryDeps {
  readonly origins: Origins;
  readonly clock: Clock;
}

const maxBytes = 4 * 1024 * 1024;
const requestTimeoutMs = 5000;
const lookupTimeoutMs = 15_000;
const maxPages = 50;

export interface JsonAnswer {
  readonly status: number;
  readonly value: unknown;
  readonly link: string | undefined;
}

interface JsonRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: string;
  readonly body?: string;
}

/** What came with HTTP 200, 401 or 404; anything else is a failure. */
export async function fetchJson(
  { origins }: DirectoryDeps,
  request: JsonRequest,
): Promise<Result<JsonAnswer, string>> {
  const answer = await origins.request({ ...request, timeoutMs: requestTimeoutMs, maxBytes });
  if (!answer.ok) return err(answer.error.reason);
  const { status } = answer.value;
  if (status === 404 || status === 401) return ok({ status, value: null, link: undefined });
  if (status !== 200) return err(`the directory answered HTTP ${status}`);
  try {
    return ok({
      status,
      value: JSON.parse(answer.value.body.toString('utf8')),
      link: answer.value.header('link'),
    });
  } catch {
    return err('the directory answered with something that is no JSON');
  }
}

export interface PageOfGroups {
  readonly groups: readonly string[];
  readonly next: string | null;
}

/** All pages; each must be on the origin of the first, which alone was chosen by an administrator. */
export async function walkPages(
  { clock }: DirectoryDeps,
  first: string,
  read: (url: string) => Promise<Result<PageOfGroups, string>>,
): Promise<Result<readonly string[], string>> {
  const { origin } = new URL(first);
  const endMs = clock.monotonic() + lookupTimeoutMs;
  const groups: string[] = [];
  let url: string | null = first;
  for (let page = 0; url !== null; page++) {
    if (page >= maxPages) return err(`the directory names more than ${maxPages} pages of groups`);
    if (clock.monotonic() >= endMs) return err('the directory took too long');
    const part = await read(url);
    if (!part.ok) return part;
    groups.push(...part.value.groups);
    url = part.value.next;
    if (url !== null && URL.parse(url)?.origin !== origin)
      return err('the directory names a next page elsewhere, which is not followed');
  }
  return ok(groups);
}

export const texts = (...values: readonly unknown[]) =>
  values.filter((value): value is string => typeof value === 'string' && value !== '');

export const listIn = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter(isMembers) : [];
