import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorCodes } from '@sallyport/contracts';
import type { Credentials } from '#credentials';
import { type Principal, type Refusal, refusal } from '#domain';
import { err, messageOf, ok, type Result } from '#foundation';
import type { Project } from '#identity';
import type { Log } from '#telemetry';
import type { Front } from '../../http/server.ts';
import { cliClientId } from '../../oauth/targets.ts';
import type { RestRefusal } from '../answer.ts';
import { challengeOf } from '../challenge.ts';
import type { ServeDeps } from '../serve.ts';
import { confirmUser } from './confirm-user.ts';

export interface CoordinatorDeps extends Omit<ServeDeps, 'publicUrl'> {
  readonly credentials: Pick<Credentials, 'authorizations'>;
  readonly log: Log;
}

/** Below `/api/v1/`: what Arcade's command line asks before it speaks to the engine. Its words are not those of `/v1/`. */
export function createCoordinator(deps: CoordinatorDeps): Front {
  return {
    at: '/api/v1/',
    async serve(request, response) {
      let answered: Result<unknown, RestRefusal>;
      try {
        answered =
          pathOf(request) === '/api/v1/oauth/confirm_user'
            ? await confirmUser(deps, request)
            : await answer(deps, request);
      } catch (error) {
        deps.log.error({ error: messageOf(error), path: pathOf(request) }, 'a request failed');
        answered = err(refusal('internal', 'something went wrong here'));
      }
      if (answered.ok) send(response, 200, answered.value);
      else refuse(deps, response, answered.error);
    },
  };
}

async function answer(deps: CoordinatorDeps, request: IncomingMessage): Promise<Result<unknown, Refusal>> {
  const path = pathOf(request);
  const known = /^\/api\/v1\/(auth\/cli_config|auth\/whoami|orgs|orgs\/([^/]+)\/projects)\/?$/.exec(path);
  if (known === null) return err(refusal('resource.unknown', `there is nothing at ${path.slice(0, 200)}`));
  if (request.method !== 'GET') {
    return err(refusal('request.method_not_allowed', 'this address takes GET'));
  }
  const [, asked, org] = known;
  if (asked === 'auth/cli_config') return ok(cliConfig(deps));
  const person = await personOf(deps, request);
  if (!person.ok) return person;
  const { organizationId, principal, email } = person.value;
  const organization = deps.identity.people.organization(organizationId);
  const organizations = [
    {
      organization_id: organizationId,
      org_id: organizationId,
      name: organization?.name ?? '',
      is_default: true,
    },
  ];
  if (asked === 'orgs') return ok(success({ items: organizations }));
  if (org !== undefined && org !== organizationId) {
    return err(refusal('resource.unknown', 'there is no such organization'));
  }
  const projects = await openProjects(deps, request, organizationId);
  if (asked !== 'auth/whoami') return ok(success({ items: projects }));
  return ok(success({ account_id: principal.id, email, organizations, projects }));
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.replace(/\?.*$/s, '');
}

function cliConfig({ issuer }: CoordinatorDeps) {
  return {
    client_id: cliClientId,
    authorization_endpoint: `${issuer()}/oauth2/authorize`,
    token_endpoint: `${issuer()}/oauth2/token`,
  };
}

interface SignedInPerson {
  readonly principal: Principal;
  readonly organizationId: string;
  readonly email: string;
}

/** Only of people, and never of keys. */
async function personOf(
  { identity }: CoordinatorDeps,
  { headers }: IncomingMessage,
): Promise<Result<SignedInPerson, Refusal>> {
  const principal = await identity.authenticate(headers.authorization);
  if (!principal.ok) return principal;
  const standing = identity.people.standing(principal.value.id);
  if (principal.value.kind !== 'person' || standing === null) {
    return err(
      refusal('identity.token_invalid', 'this takes the access token of a person', {
        field: 'Authorization',
      }),
    );
  }
  const { organizationId, email } = standing;
  return ok({ principal: principal.value, organizationId, email });
}

/** Those in which this very token is good for something. */
async function openProjects(
  { identity }: CoordinatorDeps,
  { headers }: IncomingMessage,
  organizationId: string,
) {
  const open: Project[] = [];
  for (const project of identity.people.projects(organizationId)) {
    const place = { organizationId, projectId: project.id };
    if ((await identity.authenticate(headers.authorization, place)).ok) open.push(project);
  }
  return open.map(({ id, name }, index) => ({
    project_id: id,
    organization_id: organizationId,
    name,
    is_default: index === 0,
  }));
}

function success(data: object) {
  return { code: 200, msg: 'Request successful', data };
}

function refuse({ issuer }: CoordinatorDeps, response: ServerResponse, refused: RestRefusal): void {
  const { code, message, allow = 'GET' } = refused;
  const { status } = errorCodes[code];
  if (status === 401) response.setHeader('www-authenticate', challengeOf(issuer(), code));
  if (status === 405) response.setHeader('allow', allow);
  // What was sent along is not read: the connection must not take it for the next request.
  response.setHeader('connection', 'close');
  // The one that those who call it look for.
  const error = code === 'credentials.user_mismatch' ? 'user_mismatch' : code;
  send(response, status, { code: status, msg: message, error });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
