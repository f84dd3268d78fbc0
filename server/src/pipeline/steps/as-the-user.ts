import type { Credentials, SourceName } from '#credentials';
import type { Caller, Credential } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { CallFailure } from '#sources';
import type { CallRefusal } from '../call.ts';

/** A request to a source, in the name of a user. */
interface ForUser {
  readonly caller: Caller;
  readonly at: SourceName;
  readonly credential: Credential | null;
}

type Send<T> = (credential: Credential | null) => Promise<Result<T, CallFailure>>;

/** A token that was renewed by somebody else, then one that we renew. */
const maxTries = 3;

/**
 * Sends a request to a source. Where that refuses it for want of authorization: again with another token, or it is said where the
 * user consents.
 */
export function sendAsTheUser<T>(
  forUser: ForUser,
  credentials: Credentials,
  send: Send<T>,
): Promise<Result<T, CallRefusal>> {
  return send(forUser.credential).then((returned) =>
    returned.ok ? returned : sendAgain(forUser, returned, credentials, send),
  );
}

async function sendAgain<T>(
  { caller, at, credential: first }: ForUser,
  refused: Result<T, CallFailure>,
  credentials: Credentials,
  send: Send<T>,
): Promise<Result<T, CallRefusal>> {
  let sent = first;
  let returned = refused;
  for (let tries = 1; !returned.ok && returned.error.challenge !== undefined && tries < maxTries; tries++) {
    const given = await credentials.challenged(caller, at, returned.error.challenge, sent);
    if (given === null) break;
    if (!given.ok) return given;
    sent = withSecretsOf(first, given.value);
    returned = await send(sent);
  }
  if (returned.ok) return ok(returned.value);
  const { challenge: _, ...told } = returned.error;
  return err(told);
}

function withSecretsOf(before: Credential | null, given: Credential | null): Credential | null {
  if (before === null || before.secrets.length === 0) return given;
  return { authorization: given?.authorization ?? null, secrets: before.secrets };
}
