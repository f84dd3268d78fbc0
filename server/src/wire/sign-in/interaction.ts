import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SignIn } from '#identity';
import type { PendingAuthorization } from '../oauth/contract.ts';
import { clientName } from '../pages/asking-client.ts';
import { consentPage } from '../pages/consent-page.ts';
import { goOnPage } from '../pages/go-on-page.ts';
import { linkForm, linkInstead } from '../pages/link-page.ts';
import { sendPage } from '../pages/page.ts';
import { signInPage } from '../pages/sign-in-page.ts';
import { sourcesFor } from './admission.ts';
import { browserSignIn, nameOf } from './browser.ts';
import type { PageDeps } from './front.ts';
import type { Way } from './onward.ts';
import { signInUrl } from './source-routes.ts';

/** `/oauth2/interaction/{uid}`: an application waits until somebody has signed in, and said yes or no. */
export async function interaction(
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly path: string; readonly query: URLSearchParams },
  deps: PageDeps,
): Promise<void> {
  const pending = await deps.authorizations.pending(request, response);
  if (pending === null) {
    const reason = 'an authorization was opened that is over, too old, or of another browser';
    return await deps.problems.show(response, { code: 'sign_in.expired', reason });
  }
  const { signIn, waitsFor } = pending;
  if (request.method === 'POST') return await answered(request, response, pending, at.path, deps);
  if (signIn === null || at.query.has('choose') || at.query.has('other'))
    return await askWho(request, response, pending, at, deps);
  if (waitsFor === 'sign_in') {
    const location = await deps.authorizations.signedIn(request, response, signIn);
    response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
    return;
  }
  await sendPage(
    response,
    200,
    consentPage({
      pending,
      signedInAs: nameOf(signIn, deps.identity.people),
      action: at.path,
      formToken: deps.forms.token(request, response, consentOf(pending, signIn)),
      somebodyElseUrl: `${at.path}?other`,
    }),
  );
}

/** One form is for one authorization, by one sign-in: what one person was shown, another never answers. */
function consentOf({ uid }: PendingAuthorization, { id }: SignIn): string {
  return `consent ${uid} ${id}`;
}

async function askWho(
  request: IncomingMessage,
  response: ServerResponse,
  pending: PendingAuthorization,
  at: { readonly path: string; readonly query: URLSearchParams },
  deps: PageDeps,
): Promise<void> {
  const way: Way = {
    goOnAt: `${at.path}?back`,
    asSomebodyElse: at.query.has('other'),
    into:
      pending.gateway === null
        ? { kind: 'api' }
        : { kind: 'gateway', projectId: pending.gateway.projectId, gatewayId: pending.gateway.id },
  };
  const sources = sourcesFor(pending.gateway, deps.identity);
  const isAsked = ['choose', 'other', 'back'].some((name) => at.query.has(name));
  const signedIn = await browserSignIn(request, deps);
  if (at.query.has('back') && signedIn !== null) {
    return await notHere(response, pending, signedIn, at.path, deps);
  }
  const [only] = sources;
  if (only !== undefined && sources.length === 1 && !isAsked) {
    response.writeHead(303, { location: signInUrl(only, way, deps), 'cache-control': 'no-store' }).end();
    return;
  }
  const takesLinks = pending.gateway === null || pending.gateway.authTypes.includes('arcade');
  const link =
    sources.length > 0 || !takesLinks
      ? null
      : linkInstead(
          linkForm({ formToken: deps.forms.token(request, response, 'link'), to: deps.onward.seal(way) }),
        );
  await sendPage(
    response,
    200,
    signInPage({
      pending,
      choices: sources.map((source) => ({
        name: source.name || source.id,
        url: signInUrl(source, way, deps),
      })),
      signedInAs: signedIn === null ? null : nameOf(signedIn, deps.identity.people),
      link,
    }),
  );
}

/** Whoever has signed in, comes back, and still may not come in, is not sent around in a circle. */
async function notHere(
  response: ServerResponse,
  { gateway }: PendingAuthorization,
  signIn: SignIn,
  path: string,
  { identity, problems }: PageDeps,
): Promise<void> {
  const admitted = gateway === null ? null : identity.accessTokens.admits(signIn, gateway);
  const reason = admitted === null || admitted.ok ? 'may not come in here' : admitted.error.reason;
  await problems.show(response, {
    code: 'sign_in.not_allowed',
    reason: `${signIn.id} of ${signIn.personId}: ${reason ?? 'may not come in here'}`,
    userId: signIn.userId,
    retryUrl: `${path}?other`,
    ...(gateway === null ? {} : { gateway: gateway.slug, projectId: gateway.projectId }),
  });
}

async function answered(
  request: IncomingMessage,
  response: ServerResponse,
  pending: PendingAuthorization,
  path: string,
  deps: PageDeps,
): Promise<void> {
  const { signIn, waitsFor, client, gateway, scopes } = pending;
  // Another tab signed in meanwhile: the question is asked anew.
  if (signIn !== null && waitsFor === 'sign_in') {
    response.writeHead(303, { location: path, 'cache-control': 'no-store' }).end();
    return;
  }
  const fields = signIn === null ? null : await deps.forms.read(request, consentOf(pending, signIn));
  const answer = fields?.get('answer');
  if (signIn === null || (answer !== 'allow' && answer !== 'deny')) {
    const reason = 'an answer about consent came from elsewhere than the form that was shown';
    return await deps.problems.show(response, { code: 'sign_in.expired', reason });
  }
  const allows = answer === 'allow';
  const admitted = gateway === null ? null : deps.identity.accessTokens.admits(signIn, gateway);
  await deps.audit.record({
    kind: 'sign_in',
    decision: allows ? 'allowed' : 'refused',
    projectId: gateway?.projectId ?? 'default',
    userId: admitted?.ok === true ? admitted.value.userId : signIn.userId,
    principal: signIn.personId,
    gateway: gateway?.slug ?? null,
    clientId: client.id,
    reason: `${allows ? 'allowed' : 'did not allow'} the application to act with ${scopes.join(' ')}, going back to ${client.redirectHost}`,
  });
  const url = allows
    ? await deps.authorizations.consented(request, response)
    : await deps.authorizations.denied(request, response);
  const name = clientName(client);
  await sendPage(
    response,
    200,
    goOnPage({
      url,
      title: allows ? `${name} is allowed` : `${name} is not allowed`,
      words: `You are taken back to ${name}. You can close this page when it is there.`,
    }),
  );
}
