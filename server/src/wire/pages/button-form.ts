import { html } from 'hono/html';
import type { Html } from './page.ts';

/** One button that changes something. `about`: what, for who does not see the page. */
export function buttonForm(of: {
  readonly action: string;
  readonly formToken: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly text: string;
  readonly about?: string;
  /** It is what one came for. */
  readonly isMain?: boolean;
}): Html {
  const { action, formToken, fields = {}, text, about = '', isMain = false } = of;
  return html`<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${formToken}">${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button${isMain ? '' : html` class="quiet"`}${about === '' ? '' : html` aria-label="${text}: ${about}"`}>${text}</button></form>`;
}
