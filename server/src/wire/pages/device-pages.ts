import { html, raw } from 'hono/html';
import type { Gateway } from '#domain';
import type { PendingAuthorization } from '../oauth/contract.ts';
import { askingClient, clientName } from './asking-client.ts';
import type { Page } from './page.ts';
import { plainText } from './plain-text.ts';
import { allowedWords } from './scope-words.ts';

/** Asks for the code that a device shows. `form` is the authorization server's own, named `op.deviceInputForm`. */
export function deviceCodePage(of: { readonly form: string; readonly problem: string | null }): Page {
  const title = 'Connect a device';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>Enter the code that the device or the terminal shows you.</p>
${raw(of.form)}
<label for="user_code">Code</label>
<input type="text" id="user_code" name="user_code" form="op.deviceInputForm" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40">
${of.problem === null ? '' : html`<p class="bad" role="alert">${plainText(of.problem, 200)}</p>`}
<div class="actions"><button form="op.deviceInputForm">Continue</button></div>`,
  };
}

/** Asks whether it is the same code, and whose. `form` is the authorization server's own, named `op.deviceConfirmForm`. */
export function deviceConfirmPage(of: {
  readonly form: string;
  readonly userCode: string;
  readonly client: Pick<PendingAuthorization['client'], 'id' | 'name' | 'host'>;
  readonly scopes: readonly string[];
  readonly gateway: Gateway | null;
}): Page {
  const client = { ...of.client, redirectHost: 'the device that shows this code' };
  const title = `Connect ${clientName(client)}?`;
  return {
    title,
    body: html`<h1>${title}</h1>
<p>Does the device show exactly this code?</p>
<p class="code big">${plainText(of.userCode)}</p>
<dl>${askingClient(client)}
<div><dt>Wants to use</dt><dd>${of.gateway === null ? html`<strong>this server itself</strong>` : html`the gateway <strong>${of.gateway.slug}</strong>`}</dd></div></dl>
<p>It wants to:</p>
<ul>${allowedWords(of.scopes, of.gateway).map((words) => html`<li>${words}</li>`)}</ul>
<p class="soft">Go on only if you started this yourself. Whoever sent you a code to enter here would get in as you.</p>
${raw(of.form)}
<div class="actions">
<button form="op.deviceConfirmForm">It is the same code, continue</button>
<button class="quiet" form="op.deviceConfirmForm" name="abort" value="yes">Cancel</button>
</div>`,
  };
}

export function deviceDonePage(of: { readonly clientName: string }): Page {
  const title = 'The device is connected';
  return {
    title,
    body: html`<h1>${title}</h1>
<p>${plainText(of.clientName) || 'The application'} goes on by itself. You can close this page.</p>`,
  };
}
