/** As much of a browser as signing in takes: cookies, forms, and where pages send it. */
export interface Browser {
  /** Opens a page, and goes where it is sent. */
  open(url: string): Promise<string>;
  /** Sends the first form of the page, with these fields beside the hidden ones. */
  submit(fields: Readonly<Record<string, string>>): Promise<string>;
}

const mostHops = 15;

export function createBrowser(): Browser {
  const cookies = new Map<string, string>();
  let at = '';
  let page = '';

  async function go(url: string, body?: URLSearchParams): Promise<string> {
    let target = url;
    let sent = body;
    for (let hop = 0; hop < mostHops; hop++) {
      const response = await fetch(target, {
        method: sent === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          origin: new URL(target).origin,
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        },
        ...(sent === undefined ? {} : { body: sent }),
      });
      for (const set of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        cookies.set(name, value);
      }
      at = target;
      page = await response.text();
      const onward =
        response.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]+)"/.exec(page)?.[1];
      if (onward === undefined || onward === null) return page;
      target = new URL(onward.replaceAll('&amp;', '&'), target).href;
      sent = undefined;
    }
    throw new Error('sent around in a circle');
  }

  return {
    open: (url) => go(url.replace(/#.*$/, '')),
    submit(fields) {
      const action = /<form [^>]*action="([^"]+)"/.exec(page)?.[1];
      if (action === undefined) throw new Error(`there is no form at ${at}: ${page}`);
      const hidden = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      const all = {
        ...Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
        ...fields,
      };
      return go(new URL(action, at).href, new URLSearchParams(all));
    },
  };
}
