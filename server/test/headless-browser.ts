/** What a browser does without a screen: keeps cookies, and follows redirects as far as it is told. */
export interface HeadlessBrowser {
  /** One request, with its cookies; follows nothing. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** GETs, and follows redirects until an answer is none, or until one leads to where `stopAt` says; that one is not fetched. */
  follow(
    url: string,
    stopAt?: (url: URL) => boolean,
  ): Promise<{ readonly url: string; readonly response: Response | null }>;
  /** Its cookies at a place, by name. */
  cookies(url: string): Readonly<Record<string, string>>;
}

interface Cookie {
  readonly origin: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

const maxHops = 20;

export function openBrowser(): HeadlessBrowser {
  const jar = new Map<string, Cookie>();

  function fitting(at: URL): readonly Cookie[] {
    return [...jar.values()].filter(
      ({ origin, path }) =>
        origin === at.origin &&
        (at.pathname === path || at.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)),
    );
  }

  function keep(at: URL, header: string): void {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
    const cut = pair.indexOf('=');
    const [name, value] = [pair.slice(0, cut), pair.slice(cut + 1)];
    const attribute = (key: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const path = attribute('path') ?? '/';
    const expires = attribute('expires');
    const isOver =
      value === '' || attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= 0);
    const id = JSON.stringify([at.origin, path, name]);
    if (isOver) jar.delete(id);
    else jar.set(id, { origin: at.origin, path, name, value });
  }

  async function fetchOnce(url: string, init: RequestInit = {}): Promise<Response> {
    const at = new URL(url);
    const headers = new Headers(init.headers);
    const cookie = fitting(at)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    if (cookie !== '') headers.set('cookie', cookie);
    if (!headers.has('accept')) headers.set('accept', 'text/html,*/*;q=0.8');
    const response = await fetch(at, { ...init, headers, redirect: 'manual' });
    for (const one of response.headers.getSetCookie()) keep(at, one);
    return response;
  }

  return {
    fetch: fetchOnce,
    async follow(url, stopAt = () => false) {
      let here = url;
      for (let hop = 0; hop < maxHops; hop++) {
        if (hop > 0 && stopAt(new URL(here))) return { url: here, response: null };
        const response = await fetchOnce(here);
        const location = response.headers.get('location');
        if (location === null || response.status < 300 || response.status > 399)
          return { url: here, response };
        await response.body?.cancel();
        here = new URL(location, here).href;
      }
      throw new Error(`more than ${maxHops} redirects, the last to ${new URL(here).pathname}`);
    },
    cookies: (url) => Object.fromEntries(fitting(new URL(url)).map(({ name, value }) => [name, value])),
  };
}
