import { html } from 'hono/html';
import type { Page } from './page.ts';

export function signedOutPage(): Page {
  const title = 'You are signed out';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>The applications that were connected by this session are disconnected. You may still be signed in at your company's own sign-in service.</p>
<p class="actions"><a class="button quiet" href="/oauth2/sessions?other">Sign in again</a></p>`,
  };
}
