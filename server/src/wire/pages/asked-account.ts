import { html } from 'hono/html';
import type { Html } from './page.ts';
import { plainText } from './plain-text.ts';
import { providerScopeWords } from './provider-scope-words.ts';

/** What an agent wants to do for a user in another system. */
export interface AskedAccount {
  /** What users know the system by. */
  readonly label: string;
  /** `''`: nobody in particular. */
  readonly userId: string;
  /** Where the user signs in; `null`: what they enter here is kept. */
  readonly host: string | null;
  readonly scopes: readonly string[];
  /** Which of several accounts is meant; `null`: any. */
  readonly account: string | null;
}

/** More than these are no help to anybody. */
const mostScopes = 30;

export function labelOf({ label }: Pick<AskedAccount, 'label'>): string {
  return plainText(label, 60) || 'an account';
}

export function askedAccount(asked: AskedAccount): Html {
  const { userId, host, account } = asked;
  return html`<dl>
${
  userId === ''
    ? html`<div><dt>For</dt><dd>this server itself<small>it will see which tools ${labelOf(asked)} has</small></dd></div>`
    : html`<div><dt>For the user</dt><dd><strong>${plainText(userId, 256)}</strong></dd></div>`
}
${host === null ? '' : html`<div><dt>You sign in at</dt><dd><strong>${plainText(host, 120)}</strong></dd></div>`}
${account === null ? '' : html`<div><dt>With the account</dt><dd><strong>${plainText(account, 120)}</strong></dd></div>`}
${asked.scopes.length === 0 ? '' : html`<div><dt>It asks for</dt><dd>${scopeList(host, asked.scopes)}</dd></div>`}
</dl>`;
}

export function scopeList(host: string | null, scopes: readonly string[]): Html {
  const shown = scopes.slice(0, mostScopes);
  const more = scopes.length - shown.length;
  return html`<ul class="scopes">${shown.map((scope) => {
    const words = providerScopeWords(host, scope);
    const code = html`<code>${plainText(scope, 160)}</code>`;
    return words === null ? html`<li>${code}</li>` : html`<li>${words}<small>${code}</small></li>`;
  })}${more === 0 ? '' : html`<li class="soft">and ${more} more</li>`}</ul>`;
}
