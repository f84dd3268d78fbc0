import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IssuerTokens, SignedInPerson, SignedInUser, SignInProblem, UserSource } from '#identity';
import { goOnPage } from '../pages/go-on-page.ts';
import { sendPage } from '../pages/page.ts';
import { plainText } from '../pages/plain-text.ts';
import { gatewayOf, whyNot } from './admission.ts';
import type { Begun } from './attempts.ts';
import { finishSignIn } from './finish-sign-in.ts';
import type { PageDeps } from './front.ts';
import { ownSessions, type Way } from './onward.ts';
import type { Problem } from './problems.ts';

/** Where somebody starts at this source, to go this way. */
export function signInUrl(source: UserSource, way: Way, { onward }: PageDeps): string {
  const at = `/oauth2/sign_in/${encodeURIComponent(source.projectId)}/${encodeURIComponent(source.id)}`;
  return `${at}?to=${onward.seal(way)}`;
}

/** `GET /oauth2/sign_in/{project}/{source}` */
export async function beginAtSource(
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly projectId: string; readonly sourceId: string; readonly query: URLSearchParams },
  deps: PageDeps,
): Promise<void> {
  const to = at.query.get('to');
  const way = to === null ? ownSessions : deps.onward.open(to);
  const source = deps.identity.userSources.get(at.projectId, at.sourceId);
  if (way === null || source?.status !== 'active') {
    const reason =
      way === null ? 'the way to go on is too old, or not ours' : 'there is no such active user source';
    return await deps.problems.show(response, { code: 'sign_in.expired', reason });
  }
  await sendToSource(request, response, { source, way, invitedEmail: null }, deps);
}

export async function sendToSource(
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly source: UserSource; readonly way: Way; readonly invitedEmail: string | null },
  deps: PageDeps,
): Promise<void> {
  const { source, way, invitedEmail } = to;
  const begun = await deps.identity.userSources.begin(source, {
    redirectUri: deps.identity.userSources.redirectUri(source.id),
    goOnAt: way.goOnAt,
    asSomebodyElse: way.asSomebodyElse === true,
    ...(invitedEmail === null ? {} : { loginHint: invitedEmail }),
  });
  if (!begun.ok) {
    return await deps.problems.show(response, {
      ...toldBy(source, way, begun.error, deps),
      retryUrl: signInUrl(source, way, deps),
    });
  }
  deps.attempts.keep(request, response, { attempt: begun.value.attempt, way, invitedEmail });
  const name = plainText(source.name) || source.id;
  await sendPage(
    response,
    200,
    goOnPage({
      url: begun.value.url,
      title: `Going on to ${name}`,
      words: 'You sign in there, and come back.',
    }),
  );
}

/** `GET /oauth2/callback/{source}` */
export async function backFromSource(
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly sourceId: string; readonly url: URL },
  deps: PageDeps,
): Promise<void> {
  const state = at.url.searchParams.get('state') ?? '';
  const begun = deps.attempts.take(request, response, state, at.sourceId);
  const source = begun === null ? null : deps.identity.userSources.get(begun.attempt.projectId, at.sourceId);
  if (begun === null || source?.status !== 'active') {
    const reason =
      begun === null
        ? `an answer for user source ${plainText(at.sourceId)} came without the cookie of its sign-in`
        : `user source ${source?.id ?? plainText(at.sourceId)} went away during a sign-in`;
    return await deps.problems.show(response, { code: 'sign_in.expired', reason });
  }
  const finished = await deps.identity.userSources.finish(source, begun.attempt, at.url);
  if (finished.ok) return await comeIn(request, response, begun, finished.value, deps);
  await deps.problems.show(response, {
    ...toldBy(source, begun.way, finished.error, deps),
    retryUrl: retryUrl(begun.way, finished.error.code),
  });
}

function toldBy(
  { id, projectId }: UserSource,
  way: Way,
  { code, message, reason }: SignInProblem,
  { catalog }: PageDeps,
): Pick<Problem, 'code' | 'reason' | 'message' | 'advice' | 'projectId' | 'gateway'> {
  const gateway = gatewayOf(way, catalog)?.slug;
  const known = {
    code,
    projectId,
    reason: `user source ${id}: ${reason}`,
    ...(gateway === undefined ? {} : { gateway }),
  };
  // Who is not let in is not told why.
  if (code === 'sign_in.not_allowed') return known;
  return { ...known, message, advice: 'If it goes on, tell whoever runs this server the reference below.' };
}

async function comeIn(
  request: IncomingMessage,
  response: ServerResponse,
  { way, invitedEmail }: Begun,
  user: SignedInUser & { readonly tokens: IssuerTokens },
  deps: PageDeps,
): Promise<void> {
  const { people } = deps.identity;
  const { source } = user;
  const gateway = gatewayOf(way, deps.catalog)?.slug ?? null;
  const again = { retryUrl: retryUrl(way, 'sign_in.not_allowed') };
  const refuse = (reason: string, told: Partial<Problem> = again) =>
    deps.problems.show(response, {
      code: 'sign_in.not_allowed',
      reason: `user source ${source.id}: ${reason}`,
      projectId: source.projectId,
      userId: user.userId,
      ...(gateway === null ? {} : { gateway }),
      ...told,
    });

  const said = personOf(user, people.project(source.projectId)?.organizationId ?? null);
  if (said === null) return await refuse(`there is no project ${source.projectId}`);
  if (invitedEmail !== null && invitedEmail !== user.email.toLowerCase()) {
    return await refuse('the invitation is for another e-mail address', {
      title: 'This invitation is for another account',
      message: `It is for ${invitedEmail}, and you signed in with an account that does not have that address.`,
      advice: 'Open the invitation again, and sign in with the right account. It has not been used up.',
    });
  }
  const person = await people.signedIn(said);
  if (!person.ok) return await refuse(person.error.reason ?? person.error.message);
  const reason = await whyNot(person.value, source, way, deps);
  if (reason !== null) return await refuse(reason);
  await finishSignIn(
    request,
    response,
    { person: person.value, said, by: `at user source ${source.id}`, gateway, tokens: user.tokens },
    deps,
  );
  response.writeHead(303, { location: way.goOnAt, 'cache-control': 'no-store' }).end();
}

function personOf(user: SignedInUser, organizationId: string | null): SignedInPerson | null {
  if (organizationId === null) return null;
  const { source, issuer, subject, userId, email, name, groups, claims } = user;
  const { projectId, id: sourceId } = source;
  return { organizationId, projectId, sourceId, issuer, subject, userId, email, name, groups, claims };
}

/** The page from which one begins anew; it sends nobody on by itself. Who may not come in may be somebody else. */
function retryUrl({ goOnAt }: Way, code: SignInProblem['code']): string {
  const [path = '', query = ''] = goOnAt.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.delete('back');
  parameters.set(code === 'sign_in.not_allowed' ? 'other' : 'choose', '');
  return `${path}?${parameters}`;
}
