import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Front } from '../http/server.ts';
import { scripts } from '../pages/scripts.ts';
import { type AttemptLimit, createAttemptLimit } from './attempt-limit.ts';
import { createAttempts } from './attempts.ts';
import { createCookies } from './cookies.ts';
import { createFormGuard } from './form-guard.ts';
import type { PageDeps, SignInDeps } from './front.ts';
import { interaction } from './interaction.ts';
import { showLink, useLink } from './link-routes.ts';
import { createOnward } from './onward.ts';
import { createProblems } from './problems.ts';
import { changeSessions, showSessions } from './session-routes.ts';
import { backFromSource, beginAtSource } from './source-routes.ts';

/** The pages by which people sign in, allow applications, and see what they allowed. */
export function createSignIn(deps: SignInDeps): readonly Front[] {
  const cookies = createCookies(deps.issuer);
  const page: PageDeps = {
    ...deps,
    cookies,
    attempts: createAttempts(cookies, deps.sealer, deps.clock),
    forms: createFormGuard({ ...deps, cookies }),
    onward: createOnward(deps.sealer, deps.clock),
    problems: createProblems(deps),
  };
  const limit = createAttemptLimit(deps.clock);
  const serve: Front['serve'] = async (request, response) => {
    try {
      await route(request, response, limit, page);
    } catch (error) {
      await page.problems.fail(response, error);
    }
  };
  return ['interaction/', 'sign_in/', 'callback/', 'link', 'sessions', 'sign_out', 'assets/'].map((path) => ({
    at: `/oauth2/${path}`,
    serve,
  }));
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  limit: AttemptLimit,
  deps: PageDeps,
): Promise<void> {
  const url = ownUrl(request, deps.issuer());
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (url === null || (!isRead && request.method !== 'POST'))
    return await deps.problems.nothingHere(response);
  const { pathname: path, searchParams: query } = url;
  const parts = partsOf(path);
  if (parts[0] === 'interaction' && parts.length === 2) {
    return await interaction(request, response, { path, query }, deps);
  }
  if (!isRead) {
    return path === '/oauth2/link'
      ? await useLink(request, response, limit, deps)
      : await changeSessions(request, response, path, deps);
  }
  const [first, second = '', third = ''] = parts;
  if (first === 'sign_in' && parts.length === 3) {
    return await beginAtSource(request, response, { projectId: second, sourceId: third, query }, deps);
  }
  if (first === 'callback' && parts.length === 2) {
    return await backFromSource(request, response, { sourceId: second, url }, deps);
  }
  if (path === '/oauth2/link') return await showLink(request, response, deps);
  if (path === '/oauth2/sessions' || path === '/oauth2/sign_out') {
    return await showSessions(request, response, query, deps);
  }
  const script = scripts.get(path);
  if (script === undefined) return await deps.problems.nothingHere(response);
  response.writeHead(200, {
    'content-type': 'text/javascript; charset=utf-8',
    'content-length': Buffer.byteLength(script),
    'cache-control': 'max-age=3600',
    'x-content-type-options': 'nosniff',
  });
  response.end(script);
}

/** The address as it was asked for, at our own origin: `Host` says nothing. */
function ownUrl({ url = '/' }: IncomingMessage, issuer: string): URL | null {
  return url.startsWith('/') && URL.canParse(issuer + url) ? new URL(issuer + url) : null;
}

/** Of `/oauth2/…`, decoded. */
function partsOf(path: string): readonly string[] {
  try {
    return path.slice('/oauth2/'.length).split('/').map(decodeURIComponent);
  } catch {
    return [];
  }
}
