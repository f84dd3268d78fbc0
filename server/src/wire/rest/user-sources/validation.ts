import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { checkUserSource, type UserSource } from '#identity';
import type { RestDeps } from '../route.ts';

const fieldOf = {
  discovery: 'issuer',
  scopes: 'scopes',
  keys: 'issuer',
  client_authentication: 'client_secret',
} as const;

/**
 * Holds a source to its issuer. What the issuer contradicts is refused; an issuer that does not answer now may be the right one
 * all the same, so that is a warning.
 */
export async function validated(
  deps: RestDeps,
  source: UserSource,
  isSkipped: boolean,
): Promise<Result<readonly string[], Refusal>> {
  const problem = checkUserSource(source);
  if (problem !== null) return err(problem);
  if (isSkipped) return ok([]);
  const report = await deps.identity.userSources.test(source);
  const { failed } = report;
  if (failed === null)
    return ok(report.steps.flatMap(({ ok: isSure, detail }) => (isSure === null ? [detail] : [])));
  if (report.unreachable)
    return ok([`${failed.step}: ${failed.detail}; it was not compared with the issuer`]);
  const field = fieldOf[failed.step];
  const more = { field, details: { steps: report.steps } };
  const message = `${field}: ${failed.detail}; to keep it all the same send skip_validation`;
  return err(refusal('request.params_invalid', message, more));
}
