import { html } from 'hono/html';
import { labelOf } from './asked-account.ts';
import type { Page } from './page.ts';

interface Done {
  readonly label: string;
  /** Whether somebody is signed in, who can see their connections. */
  readonly isSignedIn: boolean;
}

export function accountDonePage({ label, isSignedIn }: Done): Page {
  const title = `${firstUpper(labelOf({ label }))} is connected`;
  return {
    title,
    body: html`<h1>${title}</h1>
<p>You can close this page, and go back to your agent: what it tried works now.</p>
${isSignedIn ? html`<p class="soft">You see and end it under <a href="/connect">your connections</a>.</p>` : ''}`,
  };
}

/** It was allowed, and the project's own application has not said yet who was at the browser. */
export function accountVerifyingPage({ label }: Pick<Done, 'label'>): Page {
  const title = 'Almost done';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>You allowed it at ${labelOf({ label })}. The application that you came from still has to confirm that it was you.</p>
<p>Go back to it. If it does not confirm it within ten minutes, nothing is connected, and it can ask you again.</p>`,
  };
}

/** Nothing has come of it yet, and the browser is here all the same. */
export function accountPendingPage({ label }: Pick<Done, 'label'>): Page {
  const title = 'Not done yet';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>You have not allowed it at ${labelOf({ label })} yet. Go on in the window where you were asked, or let your agent try again.</p>`,
  };
}

function firstUpper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
