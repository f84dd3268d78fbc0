import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '#audit';
import { refusal } from '#domain';
import { type Clock, err, newId, ok, type Result } from '#foundation';
import type { Identity } from '#identity';
import type { Log } from '#telemetry';
import type { Front } from '../http/server.ts';
import { allowedBy, bodyOf } from './admission.ts';
import { discoveryRoutes } from './discovery.ts';
import { scimGroups } from './groups.ts';
import { problemBody, type ScimProblem } from './problem.ts';
import { resourceRoutes } from './resource-routes.ts';
import type { ScimAnswer, ScimOutcome, ScimRequest, ScimRoute } from './route.ts';
import { scimUsers } from './users.ts';

export interface ScimDeps {
  readonly identity: Pick<Identity, 'authenticateKey' | 'people' | 'directory'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Our own origin. */
  readonly issuer: () => string;
}

const prefix = '/scim/v2';
const mediaType = 'application/scim+json; charset=utf-8';

/** Every operation of the front. */
export function scimRoutes({ identity: { directory } }: ScimDeps): readonly ScimRoute[] {
  return [
    ...resourceRoutes(scimUsers(directory)),
    ...resourceRoutes(scimGroups(directory)),
    ...discoveryRoutes(),
  ];
}

/** `/scim/v2/…`: a company's directory keeps people and groups here (RFC 7643, RFC 7644). */
export function createScimFront(deps: ScimDeps): Front {
  const routes = scimRoutes(deps);

  async function answer(request: IncomingMessage): Promise<ScimOutcome> {
    const allowed = allowedBy(deps.identity, request);
    if (!allowed.ok) return allowed;
    const url = new URL(request.url ?? '/', 'http://scim');
    const found = routeOf(routes, request.method ?? 'GET', url.pathname.slice(prefix.length));
    if (!found.ok) return found;
    const { route, id } = found.value;
    const asked = {
      ...allowed.value,
      id,
      query: url.searchParams,
      base: deps.issuer() + prefix,
      header: (name: string) => headerOf(request, name),
    };
    const body = await bodyOf(request);
    const outcome = body.ok ? await route.run({ ...asked, body: body.value }) : body;
    if (route.mutates) await record(deps, route, asked, outcome);
    return outcome;
  }

  return {
    at: `${prefix}/`,
    async serve(request, response) {
      let outcome: ScimOutcome;
      try {
        outcome = await answer(request);
      } catch (thrown) {
        const requestId = newId('req', deps.clock.now());
        deps.log.error(
          { request_id: requestId, method: request.method, err: thrown },
          'a SCIM request failed',
        );
        const told = `something went wrong here; the request was ${requestId}`;
        outcome = err({ status: 500, refusal: refusal('internal', told) });
      }
      if (outcome.ok) send(response, outcome.value);
      else refuse(response, outcome.error);
    },
  };
}

function routeOf(
  routes: readonly ScimRoute[],
  method: string,
  path: string,
): Result<{ readonly route: ScimRoute; readonly id: string }, ScimProblem> {
  const [, first = '', second, ...deeper] = path.replace(/\/$/, '').split('/');
  const id = second === undefined ? '' : decoded(second);
  const exact = [first, ...(second === undefined ? [] : [second === '.search' ? second : '{id}']), ...deeper];
  const here = routes.filter((route) => route.path === `/${exact.join('/')}`);
  const route = here.find((one) => one.method === method);
  if (route !== undefined && id !== null) return ok({ route, id });
  if (here.length > 0 && id !== null) {
    const allow = here.map((one) => one.method).join(', ');
    const told = refusal('request.method_not_allowed', `this address takes ${allow}`);
    return err({ status: 405, allow, refusal: told });
  }
  // The RFC has names for what a service may do without.
  const isLeftOut = ['/Bulk', '/Me', '/.search'].includes(`/${first}`);
  const told = isLeftOut ? `${first} is not supported` : 'there is nothing here; see /Users and /Groups';
  return err({ status: isLeftOut ? 501 : 404, refusal: refusal('resource.unknown', told) });
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

async function record(
  { audit }: ScimDeps,
  { operation }: ScimRoute,
  { principal, id }: Pick<ScimRequest, 'principal' | 'id'>,
  outcome: ScimOutcome,
): Promise<void> {
  await audit.record({
    kind: 'admin',
    decision: outcome.ok ? 'allowed' : 'refused',
    projectId: principal.projectId,
    principal: principal.id,
    tool: operation,
    code: outcome.ok ? null : outcome.error.refusal.code,
    reason: outcome.ok ? null : outcome.error.refusal.message,
    changes: outcome.ok ? (outcome.value.changed ?? null) : id === '' ? null : { id: id.slice(0, 100) },
  });
}

function send(response: ServerResponse, { status, body, version, location }: ScimAnswer): void {
  write(response, status, body, {
    ...(version === undefined ? {} : { etag: version }),
    ...(location === undefined ? {} : { location }),
  });
}

function refuse(response: ServerResponse, problem: ScimProblem): void {
  write(response, problem.status, problemBody(problem), {
    ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(problem.status === 413 ? { connection: 'close' } : {}),
    ...(problem.allow === undefined ? {} : { allow: problem.allow }),
  });
}

function write(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  const all = { ...headers, 'cache-control': 'no-store' };
  if (body === undefined) {
    response.writeHead(status, all).end();
    return;
  }
  const text = JSON.stringify(body);
  response
    .writeHead(status, { ...all, 'content-type': mediaType, 'content-length': Buffer.byteLength(text) })
    .end(text);
}
