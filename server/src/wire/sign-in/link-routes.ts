import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Link, SignedInPerson, UserSource } from '#identity';
import { goOnPage } from '../pages/go-on-page.ts';
import { linkEmailPage, linkForm, linkPage, linkSourcesPage } from '../pages/link-page.ts';
import { sendPage } from '../pages/page.ts';
import { raise } from './admission.ts';
import type { AttemptLimit } from './attempt-limit.ts';
import { finishSignIn } from './finish-sign-in.ts';
import type { PageDeps } from './front.ts';
import { ownSessions, type Way } from './onward.ts';
import { sendToSource } from './source-routes.ts';

/** `GET /oauth2/link`: the token is in the fragment, which no server and no log ever sees. */
export async function showLink(
  request: IncomingMessage,
  response: ServerResponse,
  deps: PageDeps,
): Promise<void> {
  const to = deps.onward.seal(ownSessions);
  const formToken = deps.forms.token(request, response, 'link');
  await sendPage(response, 200, linkPage(linkForm({ formToken, to })));
}

/** `POST /oauth2/link` */
export async function useLink(
  request: IncomingMessage,
  response: ServerResponse,
  limit: AttemptLimit,
  deps: PageDeps,
): Promise<void> {
  const address = request.socket.remoteAddress ?? '';
  const fields = await deps.forms.read(request, 'link');
  if (fields === null) {
    const reason = 'a one-time link came from elsewhere than the form that was shown';
    return await deps.problems.show(response, {
      code: 'sign_in.expired',
      reason,
      retryUrl: '/oauth2/link',
    });
  }
  if (limit.isOver(address)) {
    const reason = `too many one-time links that do not work, from ${address}`;
    return await deps.problems.show(response, { code: 'sign_in.rate_limited', reason });
  }
  const token = tokenOf(fields.get('link') ?? '');
  const link = token === null ? null : await deps.identity.people.linkOf(token);
  if (token === null || link === null) {
    limit.failed(address);
    return await worksNot(response, 'a one-time link is unknown, used or too old', deps);
  }
  const way = deps.onward.open(fields.get('to') ?? '') ?? ownSessions;
  const sources = link.kind === 'invitation' ? sourcesOf(link, deps) : [];
  if (sources.length > 0)
    return await atSource(request, response, { link, token, way, sources, fields }, deps);
  const email = link.email !== '' ? link.email : emailOf(fields.get('email') ?? '');
  if (email === null) {
    const page = linkEmailPage({
      formToken: deps.forms.token(request, response, 'link'),
      to: deps.onward.seal(way),
      link: token,
      ...(fields.has('email') ? { problem: 'This is not an e-mail address.' } : {}),
    });
    return await sendPage(response, 200, page);
  }
  await redeem(request, response, { link, token, email, way }, deps);
}

/** Where people have accounts, an invitation is answered with one: with the address that was invited. */
async function atSource(
  request: IncomingMessage,
  response: ServerResponse,
  by: {
    readonly link: Link;
    readonly token: string;
    readonly way: Way;
    readonly sources: readonly UserSource[];
    readonly fields: URLSearchParams;
  },
  deps: PageDeps,
): Promise<void> {
  const { link, token, way, sources, fields } = by;
  const chosen =
    sources.length === 1
      ? sources[0]
      : sources.find(({ projectId, id }) => `${projectId}/${id}` === fields.get('source'));
  if (chosen !== undefined) {
    return await sendToSource(request, response, { source: chosen, way, invitedEmail: link.email }, deps);
  }
  const page = linkSourcesPage({
    formToken: deps.forms.token(request, response, 'link'),
    to: deps.onward.seal(way),
    link: token,
    email: link.email,
    choices: sources.map(({ projectId, id, name }) => ({ name: name || id, value: `${projectId}/${id}` })),
  });
  await sendPage(response, 200, page);
}

async function redeem(
  request: IncomingMessage,
  response: ServerResponse,
  by: { readonly link: Link; readonly token: string; readonly email: string; readonly way: Way },
  deps: PageDeps,
): Promise<void> {
  const { people } = deps.identity;
  const { link, token, email, way } = by;
  const { organizationId, projectId } = link;
  const said: SignedInPerson = {
    organizationId,
    projectId,
    sourceId: '',
    issuer: 'link',
    subject: email,
    userId: email,
    email,
    name: '',
    groups: [],
    claims: {},
  };
  const person = await people.signedIn(said);
  if (!person.ok) return await worksNot(response, person.error.reason ?? person.error.message, deps);
  const redeemed = await people.redeem(token);
  if (
    redeemed === null ||
    !(await raise(person.value, { organizationId, projectId }, redeemed.role, people))
  ) {
    return await worksNot(response, `the one-time link ${link.id} was used meanwhile`, deps);
  }
  const wording = `by the one-time link ${link.id}`;
  await finishSignIn(request, response, { person: person.value, said, by: wording, gateway: null }, deps);
  await sendPage(
    response,
    200,
    goOnPage({ url: way.goOnAt, title: 'You are signed in', words: `You are signed in as ${email}.` }),
  );
}

function worksNot(response: ServerResponse, reason: string, { problems }: PageDeps): Promise<void> {
  return problems.show(response, {
    code: 'sign_in.expired',
    reason,
    title: 'This link does not work',
    message: 'It was used already, is too old, or was not copied completely.',
    advice:
      'Ask for a new one: the server prints one when it starts, and administrators can make one for you.',
    retryUrl: '/oauth2/link',
  });
}

function sourcesOf({ organizationId, projectId }: Link, { identity }: PageDeps): readonly UserSource[] {
  const places =
    projectId === '' ? identity.people.projects(organizationId).map(({ id }) => id) : [projectId];
  return places
    .flatMap((place) => identity.userSources.list(place))
    .filter(({ status }) => status === 'active');
}

/** Of the whole link, or of its last part alone. */
function tokenOf(pasted: string): string | null {
  const text = pasted.trim();
  const token = text.slice(text.indexOf('#') + 1);
  return /^[\w-]{20,200}$/.test(token) ? token : null;
}

function emailOf(text: string): string | null {
  const email = text.trim().toLowerCase();
  return email.length <= 254 && /^[^\s@<>"\p{C}]+@[^\s@<>"\p{C}]+$/u.test(email) ? email : null;
}
