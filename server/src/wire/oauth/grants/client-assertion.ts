import { err, ok, type Result } from '#foundation';

const maxLifeMs = 10 * 60_000;
const maxJtiLength = 256;
/** Parts of a header that bring keys along, or point to some: the keys are the client's own, as we know them. */
const pointers = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

/**
 * What is asked of a client's signed assertion beside what the library asks (signature, issuer, audience, time, and that it is
 * used once): that it is short-lived, so that it is soon forgotten, and brings no key along.
 */
export function checkClientAssertion(
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
  nowMs: number,
): Result<void, string> {
  const pointer = pointers.find((name) => Object.hasOwn(header, name));
  if (pointer !== undefined) return err(`the header of a client assertion must not say ${pointer}`);
  const { jti, exp } = claims;
  if (typeof exp !== 'number' || exp * 1000 > nowMs + maxLifeMs)
    return err('a client assertion must expire within 10 minutes');
  if (typeof jti !== 'string' || jti.length > maxJtiLength)
    return err(`jti must be text of at most ${maxJtiLength} characters`);
  return ok(undefined);
}
