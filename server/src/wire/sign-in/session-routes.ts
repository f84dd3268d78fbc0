import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SignIn } from '#identity';
import { vouchingHost } from '../oauth/client-metadata.ts';
import { linkForm, linkInstead } from '../pages/link-page.ts';
import { sendPage } from '../pages/page.ts';
import { plainText } from '../pages/plain-text.ts';
import { type ShownConsent, sessionsPage } from '../pages/sessions-page.ts';
import { signInPage } from '../pages/sign-in-page.ts';
import { signedOutPage } from '../pages/signed-out-page.ts';
import { sourcesFor } from './admission.ts';
import { browserSignIn, nameOf } from './browser.ts';
import { signInCookie } from './cookies.ts';
import type { PageDeps } from './front.ts';
import { ownSessions } from './onward.ts';
import { signInUrl } from './source-routes.ts';
import { whereOf } from './user-agent.ts';

/** `GET /oauth2/sessions` */
export async function showSessions(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  deps: PageDeps,
): Promise<void> {
  const { identity, forms } = deps;
  const signIn = await browserSignIn(request, deps);
  if (signIn === null) return await askWhoItIs(request, response, query.has('other'), deps);
  const signIns = await identity.signIns.list(signIn.personId);
  await sendPage(
    response,
    200,
    sessionsPage({
      signedInAs: nameOf(signIn, identity.people),
      formToken: forms.token(request, response, formOf(signIn)),
      signIns: signIns.map((one) => ({
        id: one.id,
        where: whereOf(one.userAgent),
        by: identity.userSources.get(one.projectId, one.sourceId)?.name || one.sourceId || 'a one-time link',
        createdAt: one.createdAt,
        isThis: one.id === signIn.id,
      })),
      consents: await shownConsents(signIn, deps),
    }),
  );
}

/** Every change of one's own sessions. The path says which. */
export async function changeSessions(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  deps: PageDeps,
): Promise<void> {
  const { identity, forms, problems, cookies } = deps;
  const signIn = await browserSignIn(request, deps);
  const fields = signIn === null ? null : await forms.read(request, formOf(signIn));
  if (signIn === null || fields === null) {
    const reason = 'a change of sessions came from elsewhere than the form that was shown';
    const retryUrl = '/oauth2/sessions';
    return await problems.show(response, { code: 'sign_in.expired', reason, retryUrl });
  }
  const ended = await change(path, fields, signIn, identity);
  if (ended === null) return await problems.nothingHere(response);
  if (ended.what !== null) await recordEnd(signIn, ended.what, deps);
  if (!ended.isOver) {
    response.writeHead(303, { location: '/oauth2/sessions', 'cache-control': 'no-store' }).end();
    return;
  }
  cookies.clear(response, signInCookie);
  await sendPage(response, 200, signedOutPage());
}

async function change(
  path: string,
  fields: URLSearchParams,
  { id: own, personId }: SignIn,
  { signIns, consents }: PageDeps['identity'],
): Promise<{ readonly what: string | null; readonly isOver: boolean } | null> {
  switch (path) {
    case '/oauth2/sign_out':
      await signIns.end(own);
      return { what: `signed out: ${own}`, isOver: true };
    case '/oauth2/sessions/end_all':
      await signIns.endAllOf(personId);
      return { what: 'ended all sessions', isOver: true };
    case '/oauth2/sessions/end': {
      const theirs = (await signIns.list(personId)).find(({ id }) => id === fields.get('id'));
      if (theirs === undefined) return { what: null, isOver: false };
      await signIns.end(theirs.id);
      return { what: `ended the session ${theirs.id}`, isOver: theirs.id === own };
    }
    case '/oauth2/sessions/withdraw': {
      const clientId = fields.get('client') ?? '';
      const withdrawn = await consents.withdraw(personId, clientId, fields.get('gateway') ?? '');
      return {
        what: withdrawn ? `withdrew the consent for ${plainText(clientId, 200)}` : null,
        isOver: false,
      };
    }
    default:
      return null;
  }
}

function recordEnd(signIn: SignIn, what: string, { audit }: PageDeps): void | Promise<void> {
  return audit.record({
    kind: 'sign_in',
    decision: 'allowed',
    projectId: signIn.projectId || 'default',
    userId: signIn.userId,
    principal: signIn.personId,
    reason: what,
  });
}

function formOf({ id }: SignIn): string {
  return `sessions ${id}`;
}

async function askWhoItIs(
  request: IncomingMessage,
  response: ServerResponse,
  asSomebodyElse: boolean,
  deps: PageDeps,
): Promise<void> {
  const way = { ...ownSessions, asSomebodyElse };
  const sources = sourcesFor(null, deps.identity);
  const link =
    sources.length > 0
      ? null
      : linkInstead(
          linkForm({
            formToken: deps.forms.token(request, response, 'link'),
            to: deps.onward.seal(way),
          }),
        );
  const choices = sources.map((source) => ({
    name: source.name || source.id,
    url: signInUrl(source, way, deps),
  }));
  await sendPage(response, 200, signInPage({ pending: null, choices, signedInAs: null, link }));
}

async function shownConsents(
  { personId }: SignIn,
  { identity, catalog, authorizations }: PageDeps,
): Promise<readonly ShownConsent[]> {
  const organizationId = identity.people.standing(personId)?.organizationId ?? '';
  const gateways = identity.people.projects(organizationId).flatMap(({ id }) => catalog.gateways(id));
  const given = await identity.consents.list(personId);
  return await Promise.all(
    given.map(async ({ clientId, gatewayId, createdAt }) => {
      const gateway = gateways.find(({ id }) => id === gatewayId);
      return {
        clientId,
        client: (await authorizations.clientName(clientId)) ?? clientId,
        host: vouchingHost(clientId),
        gatewayId,
        gateway: gatewayId === '' ? 'this server' : (gateway?.slug ?? 'a gateway that is gone'),
        createdAt,
      };
    }),
  );
}
