import type { IncomingMessage, ServerResponse } from 'node:http';

/** The browser's sign-in: `SignIns.ofBrowser` knows its value. */
export const signInCookie = 'sallyport_sign_in';

/** Our cookies: no script reads them, no other site's form sends them, and over https no other host can have set them. */
export interface Cookies {
  read(request: IncomingMessage, name: string): string | null;
  /** Names of cookies of ours that begin so, in the order in which the browser got them. */
  named(request: IncomingMessage, beginning: string): readonly string[];
  /** Until the browser is closed, where no age is given. */
  set(response: ServerResponse, name: string, value: string, maxAgeSeconds?: number): void;
  clear(response: ServerResponse, name: string): void;
}

export function createCookies(issuer: () => string): Cookies {
  const isSafe = () => issuer().startsWith('https:');
  const prefix = () => (isSafe() ? '__Host-' : '');

  function write(response: ServerResponse, name: string, value: string, age: string): void {
    const secure = isSafe() ? '; Secure' : '';
    response.appendHeader(
      'set-cookie',
      `${prefix()}${name}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${secure}`,
    );
  }

  return {
    read: (request, name) => pairsOf(request).find(([one]) => one === prefix() + name)?.[1] ?? null,
    named: (request, beginning) =>
      pairsOf(request)
        .filter(([name]) => name.startsWith(prefix() + beginning))
        .map(([name]) => name.slice(prefix().length)),
    set: (response, name, value, maxAgeSeconds) =>
      write(response, name, value, maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`),
    clear: (response, name) => write(response, name, '', '; Max-Age=0'),
  };
}

function pairsOf({ headers }: IncomingMessage): [string, string][] {
  return (headers.cookie ?? '').split(';').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair.trim(), ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
}
