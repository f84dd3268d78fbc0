import { html } from 'hono/html';
import { sentenceOf } from './account-problem-page.ts';
import { scopeList } from './asked-account.ts';
import { buttonForm } from './button-form.ts';
import { instant } from './instant.ts';
import type { Html, Page } from './page.ts';
import { plainText } from './plain-text.ts';

export interface ShownAccount {
  readonly id: string;
  readonly label: string;
  /** What the user calls it. */
  readonly name: string;
  readonly userId: string;
  readonly works: boolean;
  readonly isDefault: boolean;
  /** Of several at one provider, one is the default. */
  readonly isOneOfSeveral: boolean;
  /** Where one signs in there; `null`: nowhere. */
  readonly host: string | null;
  readonly scopes: readonly string[];
  readonly gateways: readonly string[];
  readonly tools: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  /** What is wrong with what was entered for it. */
  readonly problem?: string;
}

export interface ShownProvider {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** By which names the person is known in the project. */
  readonly userIds: readonly string[];
  readonly isConnected: boolean;
}

export interface ShownFailure {
  readonly id: string;
  readonly label: string;
  readonly reason: string;
  readonly advice: string;
  readonly code: string;
  /** ISO 8601. */
  readonly endedAt: string;
}

export interface ShownProject {
  readonly id: string;
  readonly name: string;
  readonly accounts: readonly ShownAccount[];
  readonly providers: readonly ShownProvider[];
  readonly failures: readonly ShownFailure[];
}

export interface Notice {
  readonly isBad: boolean;
  readonly text: string;
}

/** One's accounts at other systems, as agents use them. */
export function connectionsPage(of: {
  readonly signedInAs: string;
  readonly formToken: string;
  readonly projects: readonly ShownProject[];
  readonly notice: Notice | null;
}): Page {
  const title = 'Your connections';
  const { projects, notice, formToken } = of;
  const shown = projects.filter(
    ({ accounts, providers, failures }) => accounts.length + providers.length + failures.length > 0,
  );
  return {
    title,
    isWide: true,
    body: html`<h1>${title}</h1>
<p class="soft">You are signed in as ${plainText(of.signedInAs, 254)}. With these accounts agents of yours act as you in other systems. See also <a href="/oauth2/sessions">your sessions</a>.</p>
${notice === null ? '' : html`<p class="notice${notice.isBad ? ' bad' : ''}" role="status">${plainText(notice.text, 600)}</p>`}
${shown.length === 0 ? html`<p>Nothing can be connected here yet. Ask whoever runs this server to set up a provider.</p>` : ''}
${shown.map((project) => projectPart(project, formToken, shown.length > 1))}`,
  };
}

function projectPart(project: ShownProject, formToken: string, isOneOfSeveral: boolean): Html {
  const { id, name, accounts, providers, failures } = project;
  return html`${isOneOfSeveral ? html`<h2 class="place">${plainText(name) || id}</h2>` : ''}
${
  accounts.length === 0
    ? html`<p class="soft">You have connected nothing here.</p>`
    : accounts.map((account) => accountPart(account, id, formToken))
}
${
  providers.length === 0
    ? ''
    : html`<h2>Connect an account</h2>
<ul class="rows">${providers.map((provider) => providerRow(provider, id, formToken))}</ul>`
}
${
  failures.length === 0
    ? ''
    : html`<h2>What did not work lately</h2>
<ul class="rows">${failures.map(failureRow)}</ul>`
}`;
}

function accountPart(account: ShownAccount, project: string, formToken: string): Html {
  const { id, works, isDefault, isOneOfSeveral, scopes, userId } = account;
  const label = plainText(account.label, 60) || id;
  const name = plainText(account.name, 120) || label;
  const about = `${label}, ${name}`;
  const fields = { project, id };
  return html`<section class="account" aria-label="${about}">
<h3>${label} <span class="state ${works ? 'good' : 'bad'}">${works ? 'works' : 'needs you again'}</span></h3>
<p>${name}${isOneOfSeveral && isDefault ? html` <span class="soft">(used unless another one is chosen)</span>` : ''}</p>
${works ? '' : html`<p class="bad">It is not accepted there any more. Connect it again, and your agents can go on.</p>`}
<dl>
<div><dt>Connected</dt><dd>${instant(account.createdAt)}${userId === '' ? html`<small>for this server itself: to see which tools there are</small>` : html`<small>for the user ${plainText(userId, 256)}</small>`}</dd></div>
<div><dt>Last used</dt><dd>${account.lastUsedAt === null ? 'never' : instant(account.lastUsedAt)}</dd></div>
${scopes.length === 0 ? '' : html`<div><dt>May</dt><dd>${scopeList(account.host, scopes)}</dd></div>`}
${chosenFor(account)}
</dl>
<div class="actions row">
${buttonForm({ action: '/connect/again', formToken, fields, text: 'Connect again', about, isMain: !works })}
${isOneOfSeveral && !isDefault ? buttonForm({ action: '/connect/default', formToken, fields, text: 'Use by default', about }) : ''}
${buttonForm({ action: '/connect/disconnect', formToken, fields, text: 'Disconnect', about })}
</div>
${changePart(account, project, formToken)}
</section>`;
}

function chosenFor({ gateways, tools }: ShownAccount): Html | string {
  if (gateways.length + tools.length === 0) return '';
  const list = (words: string, names: readonly string[]) =>
    names.length === 0 ? '' : html`<small>${words} ${plainText(names.join(', '), 400)}</small>`;
  return html`<div><dt>Chosen for</dt><dd>${list('gateways:', gateways)}${list('tools:', tools)}</dd></div>`;
}

function changePart(account: ShownAccount, project: string, formToken: string): Html {
  const { id, problem } = account;
  const field = (
    name: string,
    label: string,
    value: string,
    help: string,
  ) => html`<label for="${name}_${id}">${label}</label>
<input type="text" id="${name}_${id}" name="${name}" value="${value}" maxlength="2000" autocomplete="off" autocapitalize="off" spellcheck="false">
${help === '' ? '' : html`<p class="soft help">${help}</p>`}`;
  return html`<details${problem === undefined ? '' : html` open`}><summary>Name, gateways and tools</summary>
<form method="post" action="/connect/change">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="project" value="${project}"><input type="hidden" name="id" value="${id}">
${problem === undefined ? '' : html`<p class="bad" role="alert">${plainText(sentenceOf(problem), 400)}</p>`}
${field('name', 'What you call it', account.name, '')}
${field('gateways', 'Use it at these gateways', account.gateways.join(', '), 'Their names as in their addresses, with commas between. Your default account is used at all others.')}
${field('tools', 'Use it for these tools', account.tools.join(', '), 'Such as Mail.Send. A tool counts more than a gateway. A name that no tool has does nothing.')}
<div class="actions row"><button>Save</button></div>
</form></details>`;
}

function providerRow(provider: ShownProvider, project: string, formToken: string): Html {
  const label = plainText(provider.label, 60) || provider.id;
  const description = plainText(provider.description, 200);
  const text = provider.isConnected ? 'Connect another account' : 'Connect';
  const [only = ''] = provider.userIds;
  return html`<li><span>${label}${description === '' || description === label ? '' : html`<small>${description}</small>`}</span>
<form method="post" action="/connect/another">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="project" value="${project}"><input type="hidden" name="provider" value="${provider.id}">
${
  provider.userIds.length < 2
    ? html`<input type="hidden" name="user" value="${only}">`
    : html`<select name="user" aria-label="For which user: ${label}">${provider.userIds.map(
        (userId) => html`<option value="${userId}">${plainText(userId, 60)}</option>`,
      )}</select>`
}<button class="quiet" aria-label="${text}: ${label}">${text}</button></form></li>`;
}

function failureRow({ id, label, reason, advice, code, endedAt }: ShownFailure): Html {
  return html`<li><span>${plainText(label, 60)}: ${plainText(sentenceOf(reason), 400) || 'It did not work.'}
${advice === '' ? '' : html`<small>${plainText(sentenceOf(advice), 400)}</small>`}
<small>${instant(endedAt)}, <code>${plainText(code, 60)}</code>, reference <code>${id}</code></small></span></li>`;
}
