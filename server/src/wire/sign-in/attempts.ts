import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, isMembers, type Sealer } from '#foundation';
import type { SignInAttempt } from '#identity';
import type { Cookies } from './cookies.ts';
import type { Way } from './onward.ts';

/** A sign-in under way at an issuer. */
export interface Begun {
  readonly attempt: SignInAttempt;
  readonly way: Way;
  /** Whose address must come back: of an invitation that it answers; `null`: anybody's. */
  readonly invitedEmail: string | null;
}

/** Keeps attempts in the browser that began them, each in a cookie of its own, so that two tabs do not disturb each other. */
export interface Attempts {
  keep(request: IncomingMessage, response: ServerResponse, begun: Begun): void;
  /** The attempt with this state, once; `null`: none, too old, or of another browser or source. */
  take(request: IncomingMessage, response: ServerResponse, state: string, sourceId: string): Begun | null;
}

const beginning = 'sallyport_attempt_';
const lastsMs = 10 * 60_000;
/** A browser is sent back with all of them; more than these are tabs that were left. */
const most = 6;

export function createAttempts(cookies: Cookies, sealer: Sealer, clock: Clock): Attempts {
  return {
    keep(request, response, begun) {
      const before = cookies.named(request, beginning);
      for (const name of before.slice(0, Math.max(0, before.length - most + 1)))
        cookies.clear(response, name);
      const { state, sourceId } = begun.attempt;
      const sealed = sealer.seal(
        'sign-in attempt',
        { begun, until: clock.now() + lastsMs },
        `${sourceId} ${state}`,
      );
      cookies.set(response, cookieOf(state), sealed, lastsMs / 1000);
    },

    take(request, response, state, sourceId) {
      const sealed = cookies.read(request, cookieOf(state));
      if (sealed === null) return null;
      cookies.clear(response, cookieOf(state));
      const opened = sealer.open('sign-in attempt', sealed, `${sourceId} ${state}`);
      if (!isMembers(opened) || typeof opened.until !== 'number' || opened.until <= clock.now()) return null;
      return opened.begun as Begun;
    },
  };
}

function cookieOf(state: string): string {
  return beginning + createHash('sha256').update(state).digest('hex').slice(0, 24);
}
