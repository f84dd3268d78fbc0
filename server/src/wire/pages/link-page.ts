import { html } from 'hono/html';
import type { Html, Page } from './page.ts';
import { plainText } from './plain-text.ts';

const script = '/oauth2/assets/link.js';

/** Takes a one-time link: from the address of the page (by a script), or pasted. */
export function linkForm(of: {
  readonly formToken: string;
  /** Sealed: where to go on. */
  readonly to: string;
  readonly problem?: string;
}): Html {
  return html`<form method="post" action="/oauth2/link" data-link-form>
<input type="hidden" name="form_token" value="${of.formToken}">
<input type="hidden" name="to" value="${of.to}">
<label for="link">Your one-time link</label>
<input type="text" id="link" name="link" required autocomplete="off" autocapitalize="off" spellcheck="false">
${of.problem === undefined ? '' : html`<p class="bad" role="alert">${of.problem}</p>`}
<div class="actions"><button>Sign in</button></div>
</form>`;
}

export function linkPage(form: Html): Page {
  const title = 'Sign in with a one-time link';
  return {
    title,
    script,
    body: html`<h1>${title}</h1>
<p>A link works once. Whoever uses it signs in as the person it was made for, so use only a link that was given to you.</p>
${form}`,
  };
}

/** Words for who has to sign in where nobody set up a company sign-in. */
export function linkInstead(form: Html): Html {
  return html`<p>No company sign-in is set up on this server. You sign in with a one-time link: the server prints one when it starts, and
administrators can make one for you.</p>
${form}`;
}

/** The link is good, and says nobody's e-mail address. */
export function linkEmailPage(of: {
  readonly formToken: string;
  readonly to: string;
  readonly link: string;
  readonly problem?: string;
}): Page {
  const title = 'Who are you?';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>It becomes your name on this server: tools act for it, and records name it.</p>
<form method="post" action="/oauth2/link">
<input type="hidden" name="form_token" value="${of.formToken}">
<input type="hidden" name="to" value="${of.to}">
<input type="hidden" name="link" value="${of.link}">
<label for="email">E-mail address</label>
<input type="email" id="email" name="email" required maxlength="254" autocomplete="email" autofocus>
${of.problem === undefined ? '' : html`<p class="bad" role="alert">${plainText(of.problem, 200)}</p>`}
<div class="actions"><button>Sign in</button></div>
</form>`,
  };
}

/** An invitation where people sign in with accounts of the company, of more than one issuer. */
export function linkSourcesPage(of: {
  readonly formToken: string;
  readonly to: string;
  readonly link: string;
  readonly email: string;
  readonly choices: readonly { readonly name: string; readonly value: string }[];
}): Page {
  const title = 'You are invited';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>Sign in with the account that has the address <strong>${plainText(of.email, 254)}</strong>.</p>
<form method="post" action="/oauth2/link">
<input type="hidden" name="form_token" value="${of.formToken}">
<input type="hidden" name="to" value="${of.to}">
<input type="hidden" name="link" value="${of.link}">
<div class="actions stacked">${of.choices.map(
      ({ name, value }) =>
        html`<button name="source" value="${value}">Continue with ${plainText(name)}</button>`,
    )}</div>
</form>`,
  };
}
