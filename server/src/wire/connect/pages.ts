import { html } from 'hono/html';
import type { ConnectProblem, Opened } from '#credentials';
import type { Page } from '../pages/page.ts';
import { plainText } from '../pages/plain-text.ts';
import { problemPage } from '../pages/problem-page.ts';
import type { SignInChoice } from '../pages/sign-in-page.ts';

/** Asks whether to go on, where only an API key has said who the user is. */
export function askPage(of: {
  readonly opened: Opened;
  readonly action: string;
  readonly formToken: string;
}): Page {
  const { sourceId, userId, scopes, issuerHost } = of.opened;
  const title = `Connect ${sourceId}?`;
  const whom =
    userId === ''
      ? html`<div><dt>For</dt><dd>this server itself<small>it will see which tools ${sourceId} has</small></dd></div>`
      : html`<div><dt>For the user</dt><dd><strong>${plainText(userId, 254)}</strong></dd></div>`;
  return {
    title,
    body: html`<h1>${title}</h1>
<p>An agent wants to use <strong>${sourceId}</strong>, which wants to know for whom.</p>
<dl>
${whom}
<div><dt>You sign in at</dt><dd><strong>${plainText(issuerHost)}</strong></dd></div>
${scopes.length === 0 ? '' : html`<div><dt>It asks for</dt><dd>${plainText(scopes.join(', '), 400)}</dd></div>`}
</dl>
<p class="soft">Go on only if ${userId === '' ? 'you run this server' : 'this user is you'}, and if you asked for this just now: whatever you allow there, agents of this user can do.</p>
<form method="post" action="${of.action}">
<input type="hidden" name="form_token" value="${of.formToken}">
<div class="actions"><button>Go on to ${plainText(issuerHost)}</button></div>
</form>`,
  };
}

export function donePage({ sourceId }: Pick<Opened, 'sourceId'>): Page {
  return {
    title: `${sourceId} is connected`,
    body: html`<h1>${sourceId} is connected</h1>
<p>You can close this page, and go back to your agent: what it tried works now.</p>`,
  };
}

/** The link is for somebody who is to be signed in. */
export function signInFirstPage(choices: readonly SignInChoice[]): Page {
  return {
    title: 'Sign in first',
    body: html`<h1>Sign in first</h1>
<p>This link is for one person only. Sign in as the one for whom your agent asked.</p>
${
  choices.length === 0
    ? html`<p>Open it in the browser in which you signed in to connect your agent.</p>`
    : html`<div class="actions">${choices.map(
        ({ name, url }) => html`<a class="button" href="${url}">Continue with ${plainText(name)}</a>`,
      )}</div>`
}`,
  };
}

const words: Readonly<
  Record<
    Exclude<ConnectProblem['kind'], 'completed'>,
    { status: number; title: string; words: string; advice: string }
  >
> = {
  unknown: {
    status: 404,
    title: 'This link leads nowhere',
    words: 'It is not complete, or it is too old: a link works for ten minutes.',
    advice: 'Let your agent try again; it gets a new link.',
  },
  sign_in: {
    status: 403,
    title: 'Sign in first',
    words: 'This link is for one person only, and nobody is signed in here.',
    advice: 'Open it in the browser in which you signed in to connect your agent.',
  },
  other_person: {
    status: 403,
    title: 'This link is for somebody else',
    words: 'You are signed in as another person than the one for whom an agent asked.',
    advice:
      'If somebody sent you this link, do not use it. If the agent is yours, sign in as the person it acts for.',
  },
  other_browser: {
    status: 403,
    title: 'This link was opened elsewhere',
    words: 'A link works in the one browser in which it was opened first.',
    advice: 'Go on there, or let your agent try again; it gets a new link.',
  },
  answered: {
    status: 409,
    title: 'This was done already',
    words: 'The answer came before; it is taken once.',
    advice: 'Go back to your agent, and let it try again.',
  },
  failed: {
    status: 400,
    title: 'It could not be connected',
    words: '',
    advice:
      'Let your agent try again; it gets a new link. If it fails again, tell whoever runs this server the reference below.',
  },
};

export function problemOf({ kind, reference, words: why }: ConnectProblem): {
  readonly status: number;
  readonly page: Page;
} {
  if (kind === 'completed') return { status: 200, page: donePage({ sourceId: 'It' }) };
  const { status, words: said, ...told } = words[kind];
  const sentence = why === '' ? said : `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
  return { status, page: problemPage({ ...told, words: sentence, reference }) };
}
