import { html } from 'hono/html';
import type { PendingAuthorization } from '../oauth/contract.ts';
import { askingClient, clientName } from './asking-client.ts';
import type { Page } from './page.ts';
import { plainText } from './plain-text.ts';
import { allowedWords, scopeWords } from './scope-words.ts';

export function consentPage(of: {
  readonly pending: PendingAuthorization;
  readonly signedInAs: string;
  readonly action: string;
  readonly formToken: string;
  readonly somebodyElseUrl: string;
}): Page {
  const { client, gateway, scopes, allowedBefore } = of.pending;
  const title = `Allow ${clientName(client)} to act as you?`;
  return {
    title,
    body: html`<h1>${title}</h1>
<dl>
<div><dt>You are</dt><dd><strong>${plainText(of.signedInAs)}</strong>
<small>Not you? <a href="${of.somebodyElseUrl}">Sign in as somebody else</a></small></dd></div>
${askingClient(client)}
<div><dt>Wants to use</dt><dd>${
      gateway === null
        ? html`<strong>this server itself</strong><small>its administration, not one gateway</small>`
        : html`<strong>${plainText(gateway.name) || gateway.slug}</strong><small>gateway ${gateway.slug}</small>`
    }</dd></div>
</dl>
<p>${allowedBefore.length === 0 ? 'It will be able to:' : 'It asks for more. It will also be able to:'}</p>
<ul>${allowedWords(scopes, gateway).map((words) => html`<li>${words}</li>`)}</ul>
${
  allowedBefore.length === 0
    ? ''
    : html`<p class="soft">You allowed before:</p>
<ul class="soft">${allowedBefore.map((scope) => html`<li>${scopeWords(scope, gateway)}</li>`)}</ul>`
}
<p class="soft">Allow this only if you started it yourself, just now. You can take it back at any time under <a href="/oauth2/sessions">your sessions</a>.</p>
<form method="post" action="${of.action}">
<input type="hidden" name="form_token" value="${of.formToken}">
<div class="actions">
<button name="answer" value="allow">Allow</button>
<button class="quiet" name="answer" value="deny">Do not allow</button>
</div>
</form>`,
  };
}
