import { html } from 'hono/html';
import type { Html, Page } from './page.ts';
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
<div class="actions">${form('/oauth2/sign_out', formToken, {}, 'Sign out of this browser', '')}</div>
<h2>Where you are signed in</h2>
<p class="soft">Ending a session disconnects the applications that were connected by it.</p>
<ul class="rows">${of.signIns.map(
      (
        one,
      ) => html`<li><span>${plainText(one.where)}${one.isThis ? html` <strong>(this browser)</strong>` : ''}
<small>since ${instant(one.createdAt)}, by ${plainText(one.by)}</small></span>
${form('/oauth2/sessions/end', formToken, { id: one.id }, 'End', plainText(one.where))}</li>`,
    )}</ul>
${
  of.signIns.length < 2
    ? ''
    : html`<div class="actions">${form('/oauth2/sessions/end_all', formToken, {}, 'End all of them, and sign out', '')}</div>`
}
<h2>Applications that you allowed</h2>
${
  of.consents.length === 0
    ? html`<p class="soft">None.</p>`
    : html`<ul class="rows">${of.consents.map(
        (one) => html`<li><span>${plainText(one.client, 200)}
<small>${one.host === null ? '' : `published by ${plainText(one.host)}, `}uses ${plainText(one.gateway)}, since ${instant(one.createdAt)}</small></span>
${form('/oauth2/sessions/withdraw', formToken, { client: one.clientId, gateway: one.gatewayId }, 'Withdraw', plainText(one.client))}</li>`,
      )}</ul>`
}`,
  };
}

function form(
  action: string,
  formToken: string,
  fields: Readonly<Record<string, string>>,
  text: string,
  about: string,
): Html {
  return html`<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${formToken}">${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="quiet"${about === '' ? '' : html` aria-label="${text}: ${about}"`}>${text}</button></form>`;
}

function instant(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
