import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Target } from '#credentials';
import type { Front } from '../http/server.ts';
import { createAttemptLimit } from '../sign-in/attempt-limit.ts';
import { createCookies } from '../sign-in/cookies.ts';
import { createFormGuard } from '../sign-in/form-guard.ts';
import { createOnward } from '../sign-in/onward.ts';
import { showDone, takeAnswer } from './callback-routes.ts';
import { changeConnections, ownActions } from './change-connections.ts';
import { goOn, showLink } from './link-routes.ts';
import { showConnections } from './own-connections.ts';
import type { ConnectDeps, PageDeps } from './page-deps.ts';
import { personHere } from './person-here.ts';
import { type At, tell } from './sending.ts';

/**
 * Where users are sent to consent that their agents act as them somewhere else, and come back; and where they see and mend what
 * they consented to. The browser must be that of the user: signed in as them, or the one that went on after our own page asked.
 */
export function createConnect(given: ConnectDeps): Front {
  const cookies = createCookies(given.issuer);
  const onward = createOnward(given.sealer, given.clock);
  const forms = createFormGuard({ ...given, cookies });
  const deps: PageDeps = { ...given, cookies, onward, forms, refused: createAttemptLimit(given.clock, 10) };
  return {
    at: '/connect',
    async serve(request, response) {
      try {
        await route(request, response, deps);
      } catch (error) {
        deps.log.error({ err: error }, 'a page of a consent failed inside the server');
        if (response.headersSent) response.destroy();
        else await tell({ response }, 'broken');
      }
    },
  };
}

async function route(request: IncomingMessage, response: ServerResponse, deps: PageDeps): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const place = placeOf(request, deps.issuer());
  if (place === null || (!isRead && request.method !== 'POST')) return await tell({ response }, 'unknown');
  const [first = '', ...rest] = place.parts;
  if (first === 'client' && rest.length === 2 && isRead) return sendDocument(response, rest, deps);
  const at: At = { request, response, query: place.query, person: await personHere(request, deps) };
  if (isRead) return await read(at, place.parts, deps);
  if (rest.length === 0 && ownActions.has(first)) return await changeConnections(at, first, deps);
  if (rest.length === 0 && isToken(first)) return await goOn(at, first, deps);
  await tell(at, 'unknown');
}

async function read(at: At, parts: readonly string[], deps: PageDeps): Promise<void> {
  const [first = '', ...rest] = parts;
  if (parts.length === 0) return await showConnections(at, deps);
  const target = first === 'callback' ? targetOf(rest) : null;
  if (target !== null) return await takeAnswer(at, target, deps);
  if (first === 'done' && rest.length === 1) return await showDone(at, rest[0] as string, deps);
  if (rest.length === 0 && isToken(first)) return await showLink(at, first, deps);
  await tell(at, 'unknown');
}

const isToken = (part: string) => /^[\w-]{43}$/.test(part);

/** `{project}/providers/{provider}`, or `{project}/{source}`. */
function targetOf(parts: readonly string[]): Target | null {
  const [projectId = '', second = '', third = ''] = parts;
  if (parts.length === 2) return { projectId, kind: 'source', id: second };
  return parts.length === 3 && second === 'providers' ? { projectId, kind: 'provider', id: third } : null;
}

/** The parts below `/connect`, decoded. */
function placeOf({ url = '/' }: IncomingMessage, issuer: string) {
  const parsed = url.startsWith('/') ? URL.parse(issuer + url) : null;
  if (parsed === null) return null;
  const path = parsed.pathname.replace(/\/$/, '');
  if (path !== '/connect' && !path.startsWith('/connect/')) return null;
  const below = path.slice('/connect/'.length);
  try {
    return {
      parts: below === '' ? [] : below.split('/').map(decodeURIComponent),
      query: parsed.searchParams,
    };
  } catch {
    return null;
  }
}

function sendDocument(response: ServerResponse, parts: readonly string[], { credentials }: PageDeps): void {
  const [projectId = '', sourceId = ''] = parts;
  const text = JSON.stringify(credentials.consents.clientDocument({ projectId, sourceId }));
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'max-age=3600',
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
