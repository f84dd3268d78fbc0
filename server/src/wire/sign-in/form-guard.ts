import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, isMembers, randomHex, type Sealer } from '#foundation';
import type { Cookies } from './cookies.ts';
import { readForm } from './read-form.ts';

/** Lets through only what a person sent by a form that we showed to this very browser, for this very thing. */
export interface FormGuard {
  /** For a hidden field `form_token`. Marks the browser, where it is not marked yet. */
  token(request: IncomingMessage, response: ServerResponse, about: string): string;
  /** The fields; `null` where it was no such form, about one of these. */
  read(request: IncomingMessage, about: string | readonly string[]): Promise<URLSearchParams | null>;
}

const markCookie = 'sallyport_form';
const lastsMs = 2 * 60 * 60_000;

export function createFormGuard(deps: {
  readonly cookies: Cookies;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly issuer: () => string;
}): FormGuard {
  const { cookies, sealer, clock, issuer } = deps;
  /** Marks that go out with a response, by the request that they answer. */
  const given = new WeakMap<IncomingMessage, string>();

  function markOf(request: IncomingMessage, response: ServerResponse): string {
    const known = given.get(request) ?? cookies.read(request, markCookie);
    if (known !== null && known !== '') return known;
    const mark = randomHex(16);
    given.set(request, mark);
    cookies.set(response, markCookie, mark);
    return mark;
  }

  return {
    token(request, response, about) {
      const mark = markOf(request, response);
      return sealer.seal('page form', { until: clock.now() + lastsMs }, `${mark} ${about}`);
    },

    async read(request, about) {
      if (request.method !== 'POST' || !comesFromUs(request, issuer())) return null;
      const fields = await readForm(request);
      const mark = cookies.read(request, markCookie);
      if (fields === null || mark === null || mark === '') return null;
      const token = fields.get('form_token') ?? '';
      const holds = [about].flat().some((one) => {
        const opened = sealer.open('page form', token, `${mark} ${one}`);
        return isMembers(opened) && typeof opened.until === 'number' && opened.until > clock.now();
      });
      return holds ? fields : null;
    },
  };
}

/** Every browser says of a form from which origin it came; those of today say also that it is this one. */
function comesFromUs({ headers }: IncomingMessage, issuer: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  // On loopback a person may have typed another name of it than ours; `Host` was checked before.
  const isTyped = issuer.startsWith('http:') && headers.origin === `http://${headers.host}`;
  return headers.origin === issuer || isTyped;
}
