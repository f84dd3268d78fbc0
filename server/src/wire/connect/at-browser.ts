import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Verifier } from '#credentials';
import type { PageDeps } from './page-deps.ts';
import type { PersonHere } from './person-here.ts';

/** One cookie for each consent, so that several can be under way. */
const beginning = 'sallyport_connect_';
const cookieOf = (id: string) => `${beginning}${id.replace(/[^\w]/g, '').slice(-24)}`;
const lastsSeconds = 15 * 60;
/** A browser is sent back with all of them; more than these are consents that were left. */
const most = 8;

export const newMark = () => randomBytes(32).toString('base64url');

/** Who is at the browser, and which consents it opened. */
export function verifierOf(
  request: IncomingMessage,
  person: PersonHere | null,
  { cookies }: Pick<PageDeps, 'cookies'>,
): Verifier {
  return {
    person: person === null ? null : { id: person.id, isUser: person.isUser },
    isSameBrowser(id, browserHash) {
      const mark = cookies.read(request, cookieOf(id));
      return mark !== null && mark !== '' && hash('sha256', mark, 'hex') === browserHash;
    },
  };
}

/** The browser is known as the one that opened this consent. */
export function markBrowser(
  request: IncomingMessage,
  response: ServerResponse,
  of: { readonly id: string; readonly mark: string },
  { cookies }: Pick<PageDeps, 'cookies'>,
): void {
  const own = cookieOf(of.id);
  const others = cookies.named(request, beginning).filter((name) => name !== own);
  for (const name of others.slice(0, Math.max(0, others.length - most + 1))) cookies.clear(response, name);
  cookies.set(response, own, of.mark, lastsSeconds);
}

/** Browsers that load ahead of a click, and say so. */
export function isAhead({ headers }: IncomingMessage): boolean {
  return ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /prefetch|preview|prerender/i.test(String(headers[name] ?? '')),
  );
}

/**
 * Whether a person opened this address: not a frame, an image or a script of another page, and nothing that loads ahead. What says
 * none of it is let on: an older browser, or a program that walks through a consent; whoever opens the link after it goes on instead.
 */
export function isOpenedByPerson(request: IncomingMessage): boolean {
  if (request.method !== 'GET' || isAhead(request)) return false;
  const into = request.headers['sec-fetch-dest'];
  return into === undefined || into === 'document';
}
