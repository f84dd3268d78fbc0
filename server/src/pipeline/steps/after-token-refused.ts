import type { Credentials } from '#credentials';
import type { Credential, SourceReturn } from '#domain';
import { err, type MaybePromise, ok, type Result } from '#foundation';
import type { CallRefusal, Credentialed } from '../call.ts';
import { aboutOf } from './attach-credential.ts';

type Outcome = Result<SourceReturn, CallRefusal>;

/**
 * A tool that says its provider refused the token: it may have been revoked, or be over sooner than was said. Once another one is
 * there, the tool runs again where it may run twice; where the user has to consent anew, they are told so. Never more than once.
 */
export function afterTokenRefused(
  call: Credentialed,
  returned: SourceReturn,
  credentials: Credentials,
  again: Again,
): MaybePromise<Outcome> {
  const sent = call.credential?.authorization;
  if (sent?.provider == null || !saysTokenRefused(returned)) return ok(returned);
  return withAnother(call, sent, returned, credentials, again);
}

type Again = (credential: NonNullable<Credentialed['credential']>) => Promise<Outcome>;

async function withAnother(
  call: Credentialed,
  sent: NonNullable<Credential['authorization']>,
  returned: SourceReturn,
  credentials: Credentials,
  again: Again,
): Promise<Outcome> {
  const { secrets: given } = call.admission;
  const another = await credentials.attach({ ...aboutOf(call), given, refused: sent.token });
  if (!another.ok)
    return another.error.code === 'credentials.consent_required'
      ? err({ ...another.error, ran: true })
      : ok(returned);
  const { value: credential } = another;
  const isAnother = credential?.authorization != null && credential.authorization.token !== sent.token;
  return isAnother && mayRunTwice(call) ? again(credential) : ok(returned);
}

function saysTokenRefused(returned: SourceReturn): boolean {
  if (returned.form !== 'worker' || !returned.isError) return false;
  const { error } = returned.output;
  return error?.kind === 'UPSTREAM_RUNTIME_AUTH_ERROR' && error.status_code === 401;
}

function mayRunTwice({ shown: { tool } }: Credentialed): boolean {
  const behavior = tool.metadata?.behavior;
  return behavior?.idempotent === true || behavior?.read_only === true;
}
