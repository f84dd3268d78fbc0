import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectProblem, Credentials, SourceName, Verifier } from '#credentials';
import type { Clock, Sealer } from '#foundation';
import type { Identity } from '#identity';
import type { Log } from '#telemetry';
import type { Front } from '../http/server.ts';
import { goOnPage } from '../pages/go-on-page.ts';
import { sendPage } from '../pages/page.ts';
import { problemPage } from '../pages/problem-page.ts';
import { type Cookies, createCookies, signInCookie } from '../sign-in/cookies.ts';
import { createFormGuard, type FormGuard } from '../sign-in/form-guard.ts';
import { createOnward, type Onward } from '../sign-in/onward.ts';
import { askPage, donePage, problemOf, signInFirstPage } from './pages.ts';

export interface ConnectDeps {
  readonly credentials: Pick<Credentials, 'consents'>;
  readonly identity: Pick<Identity, 'signIns' | 'userSources'>;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
}

interface PageDeps extends ConnectDeps {
  readonly cookies: Cookies;
  readonly forms: FormGuard;
  readonly onward: Onward;
}

const lastsSeconds = 10 * 60;

/**
 * Where users are sent to consent that their agents use a source, and come back. The browser must be that of the user: signed in
 * as the person who called, or the one that opened the address which an API key vouches for.
 */
export function createConnect(given: ConnectDeps): Front {
  const cookies = createCookies(given.issuer);
  const onward = createOnward(given.sealer, given.clock);
  const deps: PageDeps = { ...given, cookies, onward, forms: createFormGuard({ ...given, cookies }) };
  return {
    at: '/connect/',
    async serve(request, response) {
      try {
        await route(request, response, deps);
      } catch (error) {
        deps.log.error({ err: error }, 'a page of a consent failed inside the server');
        if (response.headersSent) response.destroy();
        else await sendPage(response, 500, problemPage(broken));
      }
    },
  };
}

const broken = {
  title: 'Something went wrong here',
  words: 'The server could not do this. It is not your fault.',
  advice: 'Let your agent try again.',
  reference: null,
};

async function route(request: IncomingMessage, response: ServerResponse, deps: PageDeps): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const at = placeOf(request, deps.issuer());
  const [first = '', ...rest] = at?.parts ?? [];
  const source = rest.length === 2 ? { projectId: rest[0] as string, sourceId: rest[1] as string } : null;
  if (at === null) return await show(response, unknown);
  if (first === 'client' && source !== null && isRead) return sendDocument(response, source, deps);
  if (first === 'callback' && source !== null && isRead) {
    return await takeAnswer(request, response, source, at.query, deps);
  }
  if (rest.length > 0 || !/^[\w-]{43}$/.test(first)) return await show(response, unknown);
  if (isRead) return await showLink(request, response, first, deps);
  return await goOn(request, response, first, deps);
}

const unknown: ConnectProblem = { kind: 'unknown', reference: null, words: '' };

/** The parts below `/connect/`, decoded. */
function placeOf({ url = '/' }: IncomingMessage, issuer: string) {
  const parsed = url.startsWith('/') ? URL.parse(issuer + url) : null;
  if (parsed === null) return null;
  try {
    const parts = parsed.pathname.slice('/connect/'.length).split('/').map(decodeURIComponent);
    return { parts, query: parsed.searchParams };
  } catch {
    return null;
  }
}

async function show(response: ServerResponse, problem: ConnectProblem): Promise<void> {
  const { status, page } = problemOf(problem);
  await sendPage(response, status, page);
}

async function verifierOf(request: IncomingMessage, { cookies, identity }: PageDeps): Promise<Verifier> {
  const cookie = cookies.read(request, signInCookie);
  const signIn = cookie === null || cookie === '' ? null : await identity.signIns.ofBrowser(cookie);
  return {
    personId: signIn?.personId ?? null,
    isSameBrowser(id, browserHash) {
      const mark = cookies.read(request, cookieOf(id));
      return mark !== null && hash('sha256', mark, 'hex') === browserHash;
    },
  };
}

/** One for each consent, so that several can be under way. */
const cookieOf = (id: string) => `sallyport_connect_${id.slice(-12)}`;

async function showLink(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  deps: PageDeps,
): Promise<void> {
  const verifier = await verifierOf(request, deps);
  const looked = await deps.credentials.consents.look(token, verifier);
  if (!looked.ok) {
    if (looked.error.kind === 'sign_in') return await askToSignIn(response, token, looked.error, deps);
    return await show(response, looked.error);
  }
  // Whoever is signed in as that person was asked by their own agent.
  if (looked.value.personId !== null && request.method === 'GET') {
    const url = await opened(request, response, token, looked.value.id, verifier, deps);
    if (url !== null) response.writeHead(303, { location: url, ...plainHeaders }).end();
    return;
  }
  const formToken = deps.forms.token(request, response, `connect ${token}`);
  await sendPage(response, 200, askPage({ opened: looked.value, action: `/connect/${token}`, formToken }));
}

const plainHeaders = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

async function askToSignIn(
  response: ServerResponse,
  token: string,
  { projectId = 'default' }: ConnectProblem,
  { identity, onward }: PageDeps,
): Promise<void> {
  const to = onward.seal({ goOnAt: `/connect/${token}`, asSomebodyElse: false, into: { kind: 'own' } });
  const choices = identity.userSources
    .list(projectId)
    .filter(({ status }) => status === 'active')
    .map(({ id, name }) => ({
      name: name || id,
      url: `/oauth2/sign_in/${encodeURIComponent(projectId)}/${encodeURIComponent(id)}?to=${to}`,
    }));
  await sendPage(response, 403, signInFirstPage(choices));
}

/** Marks the browser as the one that goes on; `null` where it was told why it may not. */
async function opened(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  id: string,
  verifier: Verifier,
  { credentials, cookies }: PageDeps,
): Promise<string | null> {
  const mark = cookies.read(request, cookieOf(id)) ?? randomBytes(32).toString('base64url');
  const url = await credentials.consents.open(token, verifier, mark);
  if (!url.ok) {
    await show(response, url.error);
    return null;
  }
  cookies.set(response, cookieOf(id), mark, lastsSeconds);
  return url.value;
}

async function goOn(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  deps: PageDeps,
): Promise<void> {
  const verifier = await verifierOf(request, deps);
  const looked = await deps.credentials.consents.look(token, verifier);
  if (!looked.ok) return await show(response, looked.error);
  const fields = await deps.forms.read(request, `connect ${token}`);
  // Not sent by our own page: it is shown again.
  if (fields === null)
    return void response.writeHead(303, { location: `/connect/${token}`, ...plainHeaders }).end();
  const url = await opened(request, response, token, looked.value.id, verifier, deps);
  if (url === null) return;
  const to = looked.value.issuerHost;
  await sendPage(
    response,
    200,
    goOnPage({ url, title: `Going on to ${to}`, words: 'You allow it there, and come back.' }),
  );
}

async function takeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  at: SourceName,
  answer: URLSearchParams,
  deps: PageDeps,
): Promise<void> {
  const verifier = await verifierOf(request, deps);
  const finished = await deps.credentials.consents.finish(at, answer, verifier);
  if (!finished.ok) return await show(response, finished.error);
  deps.cookies.clear(response, cookieOf(finished.value.id));
  await sendPage(response, 200, donePage(finished.value));
}

function sendDocument(response: ServerResponse, source: SourceName, { credentials }: PageDeps): void {
  const text = JSON.stringify(credentials.consents.clientDocument(source));
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'max-age=3600',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
