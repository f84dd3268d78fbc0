import { html } from 'hono/html';
import type { Page } from './page.ts';

/**
 * Sends the browser on by a page of ours, not by a redirect: a page's `form-action` holds for everywhere its form's answer
 * redirects to, and that is other hosts.
 */
export function goOnPage(to: { readonly url: string; readonly title: string; readonly words: string }): Page {
  return {
    title: to.title,
    goesOnAt: to.url,
    body: html`<h1>${to.title}</h1>
<p>${to.words}</p>
<p class="soft">If nothing happens, <a href="${to.url}">continue here</a>.</p>`,
  };
}
