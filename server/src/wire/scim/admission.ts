import type { IncomingMessage } from 'node:http';
import { type Principal, refusal } from '#domain';
import { err, isMembers, ok, type Result } from '#foundation';
import type { Identity } from '#identity';
import { readBody, tooDeep } from '../http/body.ts';
import { invalid, problemOf, type ScimProblem } from './problem.ts';

/** A group of 50,000 people, each with all that a directory says of a member. */
const maxBodyBytes = 16 * 1024 * 1024;

export interface Allowed {
  readonly principal: Principal;
  readonly organizationId: string;
}

/**
 * Only keys of the organisation that may provision, and that nothing restricts. Owners make them: the directory says whose an
 * address is, so whoever kept it could be anybody.
 */
export function allowedBy(
  identity: Pick<Identity, 'authenticateKey' | 'people'>,
  request: IncomingMessage,
): Result<Allowed, ScimProblem> {
  const principal = identity.authenticateKey(request.headers.authorization);
  if (!principal.ok) return err(problemOf(principal.error));
  const { permissions, users, gateways, tools, projectId } = principal.value;
  const no = (told: string) => err(problemOf(refusal('identity.scope_missing', told)));
  const needed = 'this needs an API key with the scope "provision"';
  if (!permissions.has('provision')) return no(needed);
  if (users !== null || gateways !== null || tools !== null) {
    return no(`${needed} that is not restricted to users, gateways or tools`);
  }
  const project = identity.people.project(projectId);
  if (project === null) return no(`${needed} of a project that is still there`);
  return ok({ principal: principal.value, organizationId: project.organizationId });
}

/** A JSON object; an empty one where the method has no body. */
export async function bodyOf(request: IncomingMessage): Promise<Result<object, ScimProblem>> {
  if (!['POST', 'PUT', 'PATCH'].includes(request.method ?? '')) return ok({});
  const read = await readBody(request, maxBodyBytes);
  if (!read.ok) return err(problemOf(read.error));
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(read.value));
  } catch {
    return invalid('invalidSyntax', 'the body is not valid JSON');
  }
  const deep = tooDeep(value);
  if (deep !== null) return err(problemOf(deep));
  return isMembers(value) ? ok(value) : invalid('invalidSyntax', 'the body must be a JSON object');
}
