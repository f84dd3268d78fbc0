import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { html, raw } from 'hono/html';
import type { HttpResponse } from '../http/message.ts';
import { style } from './style.ts';

export type Html = ReturnType<typeof html>;

/** A page that a person sees. Everything that is put into its `html` was escaped by it. */
export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Of `scriptPaths`; without it the page works, too. */
  readonly script?: string;
  /** Where the browser goes on by itself, at once. */
  readonly goesOnAt?: string;
  readonly isWide?: boolean;
}

const styleHash = createHash('sha256').update(style).digest('base64');

const mark = html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><path d="M5 21V10a7 7 0 0 1 14 0v11"/><path d="M9.5 21v-9.5a2.5 2.5 0 0 1 5 0V21"/><path d="M3 21h18"/></svg>`;

export async function documentOf({ title, body, script, goesOnAt, isWide }: Page): Promise<string> {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${goesOnAt === undefined ? '' : html`<meta http-equiv="refresh" content="0;url=${goesOnAt}">`}
<title>${title}</title>
<style>${raw(style)}</style>
${script === undefined ? '' : html`<script src="${script}" defer></script>`}
</head>
<body>
<main${isWide === true ? html` class="wide"` : ''}>
<p class="mark">${mark} Sallyport</p>
<div class="card">
${body}
</div>
</main>
</body>
</html>
`;
  return String(await whole);
}

/**
 * What holds for every page: nothing of it is kept or framed, it loads nothing from elsewhere, runs no script but ours, its
 * forms come back to us, and no other site is told where somebody came from. (`no-referrer` would also keep browsers from saying
 * from which page a form was sent, which we check.)
 */
export function pageHeaders(script?: string): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      ...(script === undefined ? [] : ["script-src 'self'"]),
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}

export async function sendPage(
  response: HttpResponse & { readonly req?: IncomingMessage },
  status: number,
  page: Page,
): Promise<void> {
  const text = await documentOf(page);
  response.writeHead(status, { ...pageHeaders(page.script), 'content-length': Buffer.byteLength(text) });
  response.end(response.req?.method === 'HEAD' ? undefined : text);
}
