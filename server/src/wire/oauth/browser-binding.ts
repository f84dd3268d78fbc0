import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Sealer } from '#foundation';
import type { Cookies } from '../sign-in/cookies.ts';

const beginning = 'sallyport_authorization_';
const purpose = 'authorizations of a browser';
/** A browser need not carry more than the latest of them. */
const maxAtOnce = 10;

/** An authorization that waits belongs to the browser that began it: each has a cookie of its own, so tabs do not mix. */
export interface BrowserBinding {
  bind(request: IncomingMessage, response: ServerResponse, uid: string, maxAgeSeconds: number): void;
  release(response: ServerResponse, uid: string): void;
  /** The authorization that the path names, where it is this browser's. */
  uidOf(request: IncomingMessage): string | null;
}

export function createBrowserBinding(cookies: Cookies, sealer: Sealer): BrowserBinding {
  return {
    bind(request, response, uid, maxAgeSeconds) {
      const others = cookies.named(request, beginning);
      for (const name of others.slice(0, Math.max(0, others.length - maxAtOnce + 1))) {
        cookies.clear(response, name);
      }
      cookies.set(response, beginning + uid, sealer.seal(purpose, 1, uid), maxAgeSeconds);
    },
    release: (response, uid) => cookies.clear(response, beginning + uid),
    uidOf(request) {
      const uid = /^\/oauth2\/(?:interaction|authorize|device)\/([\w-]{1,64})(?:[/?]|$)/.exec(
        request.url ?? '',
      )?.[1];
      if (uid === undefined) return null;
      const sealed = cookies.read(request, beginning + uid);
      return sealed !== null && sealer.open(purpose, sealed, uid) !== null ? uid : null;
    },
  };
}
