import { html } from 'hono/html';
import { type AskedAccount, askedAccount, labelOf } from './asked-account.ts';
import type { Html, Page } from './page.ts';
import { plainText } from './plain-text.ts';

/** Asks once whether to go on to where the user signs in. */
export function askAccountPage(of: {
  readonly asked: AskedAccount;
  readonly action: string;
  readonly formToken: string;
}): Page {
  const label = labelOf(of.asked);
  const title = `Connect ${label}?`;
  return {
    title,
    body: html`<h1>${title}</h1>
<p>An agent wants to use <strong>${label}</strong> with your account.</p>
${askedAccount(of.asked)}
${warning(of.asked)}
<form method="post" action="${of.action}">
<input type="hidden" name="form_token" value="${of.formToken}">
<div class="actions"><button>Go on to ${plainText(of.asked.host ?? label, 120)}</button></div>
</form>`,
  };
}

export interface EntryField {
  readonly name: string;
  readonly label: string;
  readonly isSecret: boolean;
  /** What is wrong with what was entered. */
  readonly problem?: string;
}

/** What the user enters in place of being sent anywhere. Nothing that was entered is ever shown again. */
export function entryPage(of: {
  readonly asked: AskedAccount;
  readonly action: string;
  readonly formToken: string;
  /** Where to find what is asked for. */
  readonly instructions: string;
  readonly fields: readonly EntryField[];
  /** What is wrong with all of it. */
  readonly problem: string | null;
}): Page {
  const { fields, instructions, problem } = of;
  const title = `Connect ${labelOf(of.asked)}`;
  return {
    title,
    body: html`<h1>${title}</h1>
<p>An agent wants to use <strong>${labelOf(of.asked)}</strong> with your account.</p>
${askedAccount(of.asked)}
${instructions === '' ? '' : html`<p>${plainText(instructions, 600)}</p>`}
<form method="post" action="${of.action}" autocomplete="off">
<input type="hidden" name="form_token" value="${of.formToken}">
${problem === null ? '' : html`<p class="bad" role="alert">${plainText(problem, 400)}</p>`}
${fields.map(entryField)}
${warning(of.asked)}
<div class="actions"><button>Connect</button></div>
</form>`,
  };
}

/** A field is sent under a name of ours, so that none is taken for something else. */
export const entryName = (name: string) => `entry_${name}`;

/** Browsers keep what is entered for this address, and it belongs to another: nothing fills these fields in. */
function entryField({ name, label, isSecret, problem }: EntryField, index: number): Html {
  const id = `entry_${index}`;
  return html`<label for="${id}">${plainText(label, 80)}</label>
<input type="${isSecret ? 'password' : 'text'}" id="${id}" name="${entryName(name)}" required maxlength="8192" autocomplete="${isSecret ? 'new-password' : 'off'}" autocapitalize="off" spellcheck="false"${index === 0 ? html` autofocus` : ''}${problem === undefined ? '' : html` aria-invalid="true" aria-describedby="${id}_problem"`}>
${problem === undefined ? '' : html`<p class="bad" id="${id}_problem" role="alert">${plainText(problem, 200)}</p>`}`;
}

function warning({ userId }: AskedAccount): Html {
  return html`<p class="soft">Go on only if ${userId === '' ? 'you run this server' : 'this user is you'}, and if you asked for this just now: agents of this user can then do what you allow.</p>`;
}
