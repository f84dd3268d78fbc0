/**
 * A browser without a screen, for tests: keeps cookies by host, path and Secure as browsers do, follows redirects and pages that
 * send on, reads forms and links of a page, and submits them. Runs no script.
 */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** The words of the page, without tags. */
  readonly text: string;
  readonly forms: readonly Form[];
  readonly links: readonly { readonly href: string; readonly text: string }[];
}

export interface Form {
  readonly action: string;
  readonly method: 'GET' | 'POST';
  readonly fields: Readonly<Record<string, string>>;
  /** Its buttons: what is submitted when they are pressed. */
  readonly buttons: readonly { readonly text: string; readonly name: string; readonly value: string }[];
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly secure: boolean;
}

export interface Browser {
  /** Follows redirects until one leads to where `stopAt` says, which is not asked: `url` tells it, `status` is 0. */
  open(
    url: string,
    options?: { readonly stopAt?: StopAt; readonly headers?: Record<string, string> },
  ): Promise<Page>;
  /** Presses the button with this text, or the first, with these fields filled in. */
  submit(page: Page, options?: SubmitOptions): Promise<Page>;
  cookies(url: string): readonly Cookie[];
  /** Keeps a cookie as if this address had set it: the line of `Set-Cookie`. */
  plant(url: string, line: string): void;
}

/** What an address begins with, or whether it is the one. */
export type StopAt = string | ((url: URL) => boolean);

export interface SubmitOptions {
  readonly button?: string | RegExp;
  readonly fields?: Readonly<Record<string, string>>;
  readonly stopAt?: StopAt;
  readonly headers?: Record<string, string>;
}

const maxHops = 30;

export function createBrowser(): Browser {
  const jar = new Map<string, Map<string, Cookie>>();

  function fitting(url: URL): Cookie[] {
    const isSafe = url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
    return [...(jar.get(url.hostname)?.values() ?? [])].filter(
      ({ path, secure }) =>
        (url.pathname === path || url.pathname.startsWith(path.replace(/\/?$/, '/'))) && (!secure || isSafe),
    );
  }

  function keep(url: URL, lines: readonly string[]): void {
    const cookies = jar.get(url.hostname) ?? new Map<string, Cookie>();
    jar.set(url.hostname, cookies);
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const attribute = (name: string) =>
        attributes.find((one) => one.toLowerCase().split('=')[0] === name)?.slice(name.length + 1) ?? null;
      const path = attribute('path') || url.pathname.replace(/\/[^/]*$/, '') || '/';
      const name = pair.slice(0, at);
      const key = `${name} ${path}`;
      const ended = attribute('max-age') === '0' || Date.parse(attribute('expires') ?? '9999') < Date.now();
      if (ended) cookies.delete(key);
      else cookies.set(key, { name, value: pair.slice(at + 1), path, secure: attribute('secure') !== null });
    }
  }

  async function go(
    first: { url: string; method: string; body?: URLSearchParams; headers?: Record<string, string> },
    stopAt: StopAt | undefined,
  ): Promise<Page> {
    const isEnd = (at: string) =>
      typeof stopAt === 'string' ? at.startsWith(stopAt) : stopAt?.(new URL(at)) === true;
    let { url, method, body } = first;
    for (let hop = 0; hop < maxHops; hop++) {
      if (isEnd(url)) return pageOf(url, 0, new Headers(), '');
      const at = new URL(url);
      const cookie = fitting(at)
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ');
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          accept: 'text/html,application/xhtml+xml',
          'user-agent': 'Mozilla/5.0 (test)',
          'sec-fetch-dest': 'document',
          ...(cookie === '' ? {} : { cookie }),
          ...first.headers,
        },
        body: body ?? null,
      });
      keep(at, response.headers.getSetCookie());
      const location = response.headers.get('location');
      const isRedirect = location !== null && response.status >= 300 && response.status <= 399;
      const html = isRedirect ? '' : await response.text();
      const onward = isRedirect ? location : refreshOf(html);
      if (onward === null) return pageOf(url, response.status, response.headers, html);
      if (isRedirect) await response.body?.cancel();
      url = new URL(onward, url).href;
      if (response.status !== 307 && response.status !== 308) {
        method = 'GET';
        body = undefined as never;
      }
    }
    throw new Error(`more than ${maxHops} redirects; the last led to ${url}`);
  }

  return {
    open: (url, { stopAt, headers } = {}) => go({ url, method: 'GET', ...(headers && { headers }) }, stopAt),
    submit(page, { button, fields, stopAt, headers } = {}) {
      const fits = (text: string) =>
        button === undefined || (typeof button === 'string' ? text === button : button.test(text));
      const form = page.forms.find(
        ({ buttons }) => button === undefined || buttons.some(({ text }) => fits(text)),
      );
      if (form === undefined)
        throw new Error(`no form with the button ${button} on ${page.url}:\n${page.text}`);
      const pressed = form.buttons.find(({ text }) => fits(text));
      const body = new URLSearchParams({
        ...form.fields,
        ...(pressed !== undefined && pressed.name !== '' ? { [pressed.name]: pressed.value } : {}),
        ...fields,
      });
      const said = { origin: new URL(page.url).origin, 'sec-fetch-site': 'same-origin', ...headers };
      return form.method === 'POST'
        ? go({ url: form.action, method: 'POST', body, headers: said }, stopAt)
        : go({ url: `${form.action.split('?')[0]}?${body}`, method: 'GET' }, stopAt);
    },
    cookies: (url) => fitting(new URL(url)),
    plant: (url, line) => keep(new URL(url), [line]),
  };
}

/** Where a page sends the browser by itself, as soon as it is there. */
function refreshOf(html: string): string | null {
  const content = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(html)?.[1];
  return content === undefined ? null : unescaped(content);
}

function pageOf(url: string, status: number, headers: Headers, html: string): Page {
  return {
    url,
    status,
    headers,
    html,
    text: wordsOf(html.replace(/<(style|script|head)\b[\s\S]*?<\/\1>/gi, ' ')),
    forms: [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = '', inner = '']) =>
      formOf(url, attributesOf(head), inner),
    ),
    links: [...html.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/gi)].map(([, head = '', inner = '']) => ({
      href: new URL(attributesOf(head).href ?? '', url).href,
      text: wordsOf(inner),
    })),
  };
}

function formOf(url: string, { action, method }: Record<string, string>, inner: string): Form {
  const inputs = [...inner.matchAll(/<input\b([^>]*)>/gi)].map(([, head = '']) => attributesOf(head));
  const chosen = [...inner.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/gi)].map(
    ([, head = '', options = '']): [string, string] => {
      const [first = ''] = /<option\b[^>]*>/i.exec(options) ?? [];
      return [attributesOf(head).name ?? '', attributesOf(first).value ?? ''];
    },
  );
  const buttons = [...inner.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(
    ([, head = '', text = '']) => ({
      ...attributesOf(head),
      text: wordsOf(text),
    }),
  ) as { name?: string; value?: string; text: string }[];
  const submits = inputs
    .filter(({ type }) => type === 'submit')
    .map(({ name, value = '' }) => ({ name, value, text: value }));
  return {
    action: new URL(action || url, url).href,
    method: method?.toUpperCase() === 'POST' ? 'POST' : 'GET',
    fields: Object.fromEntries([
      ...chosen,
      ...inputs
        .filter(
          ({ type = 'text', name, checked }) =>
            name !== undefined &&
            type !== 'submit' &&
            (!['radio', 'checkbox'].includes(type) || checked !== undefined),
        )
        .map(({ name, value = '' }) => [name, value]),
    ]),
    buttons: [...buttons, ...submits].map(({ name = '', value = '', text }) => ({ name, value, text })),
  };
}

function attributesOf(head: string): Record<string, string> {
  return Object.fromEntries(
    [...head.matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)].map(
      ([, name = '', one, two, three]) => [name.toLowerCase(), unescaped(one ?? two ?? three ?? '')],
    ),
  );
}

function wordsOf(html: string): string {
  return unescaped(html.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

const entities: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
  nbsp: ' ',
};

function unescaped(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => entities[name.toLowerCase()] ?? whole);
}
