import { html } from 'hono/html';
import { buttonForm } from './button-form.ts';
import { instant } from './instant.ts';
import type { Page } from './page.ts';
import { plainText } from './plain-text.ts';

export interface ShownSignIn {
  readonly id: string;
  readonly where: string;
  readonly by: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly isThis: boolean;
}

export interface ShownConsent {
  readonly clientId: string;
  readonly client: string;
  /** That vouches for it. */
  readonly host: string | null;
  readonly gatewayId: string;
  readonly gateway: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Where somebody is signed in, and what they allowed. */
export function sessionsPage(of: {
  readonly signedInAs: string;
  readonly formToken: string;
  readonly signIns: readonly ShownSignIn[];
  readonly consents: readonly ShownConsent[];
}): Page {
  const { formToken } = of;
  return {
    title: 'Your sessions',
    isWide: true,
    body: html`<h1>You are signed in as ${plainText(of.signedInAs)}</h1>
<p class="soft">Which of your accounts agents may use, you see under <a href="/connect">your connections</a>.</p>
<div class="actions">${buttonForm({ action: '/oauth2/sign_out', formToken, text: 'Sign out of this browser' })}</div>
<h2>Where you are signed in</h2>
<p class="soft">Ending a session disconnects the applications that were connected by it.</p>
<ul class="rows">${of.signIns.map(
      (
        one,
      ) => html`<li><span>${plainText(one.where)}${one.isThis ? html` <strong>(this browser)</strong>` : ''}
<small>since ${instant(one.createdAt)}, by ${plainText(one.by)}</small></span>
${buttonForm({ action: '/oauth2/sessions/end', formToken, fields: { id: one.id }, text: 'End', about: plainText(one.where) })}</li>`,
    )}</ul>
${
  of.signIns.length < 2
    ? ''
    : html`<div class="actions">${buttonForm({ action: '/oauth2/sessions/end_all', formToken, text: 'End all of them, and sign out' })}</div>`
}
<h2>Applications that you allowed</h2>
${
  of.consents.length === 0
    ? html`<p class="soft">None.</p>`
    : html`<ul class="rows">${of.consents.map(
        (one) => html`<li><span>${plainText(one.client, 200)}
<small>${one.host === null ? '' : `published by ${plainText(one.host)}, `}uses ${plainText(one.gateway)}, since ${instant(one.createdAt)}</small></span>
${buttonForm({ action: '/oauth2/sessions/withdraw', formToken, fields: { client: one.clientId, gateway: one.gatewayId }, text: 'Withdraw', about: plainText(one.client) })}</li>`,
      )}</ul>`
}`,
  };
}
