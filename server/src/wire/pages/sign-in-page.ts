import { html } from 'hono/html';
import type { PendingAuthorization } from '../oauth/contract.ts';
import { askingClient, clientName } from './asking-client.ts';
import type { Html, Page } from './page.ts';
import { plainText } from './plain-text.ts';

export interface SignInChoice {
  readonly name: string;
  readonly url: string;
}

/** Where somebody signs in: for an application that asks (`pending`), or to see their own sessions. */
export function signInPage(of: {
  readonly pending: Pick<PendingAuthorization, 'client' | 'gateway'> | null;
  readonly choices: readonly SignInChoice[];
  /** Who the browser is signed in as, without a right to come in here. */
  readonly signedInAs: string | null;
  /** Where there is nobody to ask: the form for a one-time link. */
  readonly link: Html | null;
}): Page {
  const { pending, choices } = of;
  const title = pending === null ? 'Sign in' : `Sign in to connect ${clientName(pending.client)}`;
  return {
    title,
    body: html`<h1>${title}</h1>
${pending === null ? html`<p>See where you are signed in, and which applications you allowed.</p>` : asks(pending)}
${
  of.signedInAs === null
    ? ''
    : html`<p role="status">You are signed in as <strong>${plainText(of.signedInAs)}</strong>. Sign in here with an account that may come in.</p>`
}
${
  choices.length === 0
    ? ''
    : html`<div class="actions stacked">${choices.map(
        ({ name, url }) => html`<a class="button" href="${url}">Continue with ${plainText(name)}</a>`,
      )}</div>`
}
${of.link ?? ''}
${
  choices.length === 0 && of.link === null
    ? html`<p>Nobody can sign in here at the moment. Ask whoever runs this server to set up a way to sign in.</p>`
    : ''
}`,
  };
}

function asks({ client, gateway }: Pick<PendingAuthorization, 'client' | 'gateway'>): Html {
  return html`<dl>${askingClient(client)}
<div><dt>Wants to use</dt><dd>${gateway === null ? html`<strong>this server itself</strong>` : html`the gateway <strong>${gateway.slug}</strong>`}</dd></div></dl>
<p class="soft">After you sign in you are asked whether to allow it.</p>`;
}
