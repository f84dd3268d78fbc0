const maxSteps = 20;

/** A person at a browser without a screen: keeps cookies, follows redirects and pages that send on, runs no script. */
export interface Person {
  /** Opens the address, signs in by the link where a page asks who it is, and allows what is asked for. */
  allow(url: string): Promise<void>;
}

interface Page {
  readonly url: string;
  readonly html: string;
}

/** Somebody who was invited, and has the link. */
export function createPerson(link: string): Person {
  const cookies = new Map<string, Map<string, string>>();

  async function step(url: string, fields: URLSearchParams | null): Promise<Page | string> {
    const { host, origin } = new URL(url);
    const jar = cookies.get(host) ?? new Map<string, string>();
    cookies.set(host, jar);
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: [...jar].map((pair) => pair.join('=')).join('; '), origin },
      ...(fields === null ? {} : { method: 'POST', body: fields }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const html = await answer.text();
    const onward =
      answer.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]+)"/.exec(html)?.[1];
    if (onward !== undefined) return new URL(plain(onward), url).href;
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${html}`);
    return { url, html };
  }

  return {
    async allow(url) {
      let next: { url: string; fields: URLSearchParams | null } = { url, fields: null };
      for (let count = 0; count < maxSteps; count++) {
        const came = await step(next.url, next.fields);
        if (typeof came === 'string') next = { url: came, fields: null };
        else if (!came.html.includes('<form method="post"')) return;
        else next = answered(came, link);
      }
      throw new Error(`sent around in a circle, last to ${next.url}`);
    },
  };
}

/** The form of a page, as somebody fills it in who has this link and means to allow what is asked. */
function answered({ url, html }: Page, link: string): { url: string; fields: URLSearchParams } {
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1] ?? '';
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
  const fields = new URLSearchParams();
  for (const [, name = '', value = ''] of hidden) fields.append(name, plain(value));
  if (html.includes('name="link"') && !fields.has('link')) fields.set('link', link);
  if (html.includes('name="answer" value="allow"')) fields.set('answer', 'allow');
  return { url: new URL(plain(action), url).href, fields };
}

function plain(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}
