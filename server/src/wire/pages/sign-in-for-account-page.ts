import { html } from 'hono/html';
import type { Html, Page } from './page.ts';
import { plainText } from './plain-text.ts';
import type { SignInChoice } from './sign-in-page.ts';

/** Somebody has to be signed in: the one for whom an agent asked (`link`), or whoever wants to see their connections (`own`). */
export function signInForAccountPage(of: {
  readonly what: 'link' | 'own';
  /** Who is signed in, and is not the one who is meant; `null`: nobody is. */
  readonly signedInAs: string | null;
  readonly choices: readonly SignInChoice[];
  /** Where there is nobody to ask: the form for a one-time link. */
  readonly link: Html | null;
  readonly reference: string | null;
}): Page {
  const { what, signedInAs, choices, link, reference } = of;
  const title =
    signedInAs !== null
      ? 'This link is for somebody else'
      : what === 'own'
        ? 'Sign in to see your connections'
        : 'Sign in first';
  return {
    title,
    body: html`<h1>${title}</h1>
${wordsFor(what, signedInAs)}
${
  choices.length === 0
    ? ''
    : html`<div class="actions stacked">${choices.map(
        ({ name, url }) => html`<a class="button" href="${url}">Continue with ${plainText(name)}</a>`,
      )}</div>`
}
${link ?? ''}
${
  choices.length === 0 && link === null
    ? html`<p>Nobody can sign in here at the moment. Ask whoever runs this server to set up a way to sign in.</p>`
    : ''
}
${reference === null ? '' : html`<p class="soft">Reference: <code>${reference}</code></p>`}`,
  };
}

function wordsFor(what: 'link' | 'own', signedInAs: string | null): Html {
  if (what === 'own')
    return html`<p>You see there which accounts of yours agents may use, and can end it at any time.</p>`;
  if (signedInAs === null)
    return html`<p>This link is for one person only. Sign in as the one for whom your agent asked.</p>`;
  return html`<p>You are signed in as <strong>${plainText(signedInAs, 254)}</strong>, and an agent asked for another person.</p>
<p>If somebody sent you this link, do not use it. If the agent is yours, sign in as the person it acts for.</p>`;
}
