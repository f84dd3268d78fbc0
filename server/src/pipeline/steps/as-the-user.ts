import type { Credentials, SourceName } from '#credentials';
import type { Caller, Challenge, ClientSide, Credential } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { CallFailure } from '#sources';
import type { CallRefusal } from '../call.ts';

/** A request to a source, in the name of a user. */
interface ForUser {
  readonly caller: Caller;
  readonly at: SourceName;
  readonly client: ClientSide;
  readonly credential: Credential | null;
  readonly signal: AbortSignal | null;
}

type Send<T> = (credential: Credential | null, client: ClientSide) => Promise<Result<T, CallFailure>>;

/** A token that was renewed by somebody else, then one that we renew. */
const maxTries = 3;

/** Sends a request to a source. A client that comes back from a consent waits for its end first. */
export function begin<T>(
  asked: ForUser,
  credentials: Credentials,
  send: Send<T>,
): Promise<Result<T, CallRefusal & { readonly challenge?: Challenge }>> {
  const { client } = asked;
  if (client.resume === null) return send(asked.credential, client);
  const consented = credentials.resumed(asked.caller, asked.at, client.resume, asked.signal);
  return consented === null ? send(asked.credential, client) : goOn(asked, consented, credentials, send);
}

/** What the client brought was for us: the source knows nothing of it. */
async function goOn<T>(
  asked: ForUser,
  consented: Promise<Result<void, CallRefusal>>,
  credentials: Credentials,
  send: Send<T>,
): Promise<Result<T, CallRefusal>> {
  const ended = await consented;
  if (!ended.ok) return ended;
  const given = await credentials.forSource(asked.caller, asked.at);
  if (!given.ok) return given;
  const client = { ...asked.client, resume: null };
  const anew = { ...asked, client, credential: withSecretsOf(asked.credential, given.value) };
  const returned = await send(anew.credential, client);
  return returned.ok || returned.error.challenge === undefined
    ? returned
    : await again(anew, returned.error, credentials, send);
}

/**
 * After a source refused a request for want of authorization: sends it again with another token, or says where the user consents.
 */
export async function again<T>(
  { caller, at, client, credential: first }: ForUser,
  refused: CallRefusal & { readonly challenge?: Challenge },
  credentials: Credentials,
  send: Send<T>,
): Promise<Result<T, CallRefusal>> {
  let failure = refused;
  let sent = first;
  for (let tries = 1; failure.challenge !== undefined && tries < maxTries; tries++) {
    const given = await credentials.challenged(caller, at, failure.challenge, sent);
    if (given === null) break;
    if (!given.ok) return given;
    sent = withSecretsOf(first, given.value);
    const returned = await send(sent, client);
    if (returned.ok) return ok(returned.value);
    failure = returned.error;
  }
  const { challenge: _, ...told } = failure;
  return err(told);
}

function withSecretsOf(before: Credential | null, given: Credential | null): Credential | null {
  if (before === null || before.secrets.length === 0) return given;
  return { authorization: given?.authorization ?? null, secrets: before.secrets };
}
