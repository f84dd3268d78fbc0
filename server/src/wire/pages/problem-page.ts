import { html } from 'hono/html';
import type { Page } from './page.ts';
import { plainText } from './plain-text.ts';

/** Something did not work: what, what to do now, and a reference by which whoever runs the server finds the cause. */
export interface ProblemWords {
  readonly title: string;
  readonly words: string;
  readonly advice: string;
  readonly retry?: { readonly url: string; readonly text: string };
}

export function problemPage({
  title,
  words,
  advice,
  retry,
  reference,
}: ProblemWords & { readonly reference: string | null }): Page {
  return {
    title,
    body: html`<h1>${title}</h1>
<p>${plainText(words, 600)}</p>
<p>${advice}</p>
${retry === undefined ? '' : html`<p class="actions"><a class="button" href="${retry.url}">${retry.text}</a></p>`}
${reference === null ? '' : html`<p class="soft">Reference: <code>${reference}</code></p>`}`,
  };
}
