import type { Credentials, SourceName } from '#credentials';
import {
  type Caller,
  type ClientSide,
  consentIdsOf,
  isConsentState,
  type Refusal,
  stateOfConsent,
} from '#domain';
import { type MaybePromise, ok, type Result } from '#foundation';

interface Returning {
  readonly caller: Caller;
  readonly client: ClientSide;
  readonly signal: AbortSignal | null;
}

/**
 * A client that comes back from a consent waits for its end, so that what the user gave is there in this very call. What it
 * brought was for us: from here on nobody knows of it.
 */
export function awaitConsent(
  returning: Returning,
  at: SourceName,
  credentials: Pick<Credentials, 'resumed'>,
): MaybePromise<Result<ClientSide, Refusal>> {
  const { client } = returning;
  return isConsentState(client.resume?.state ?? null) ? ended(returning, at, credentials) : ok(client);
}

/** All of them, at once; the first that did not end well is what is told. */
async function ended(
  { caller, client, signal }: Returning,
  at: SourceName,
  credentials: Pick<Credentials, 'resumed'>,
): Promise<Result<ClientSide, Refusal>> {
  const { resume } = client;
  const waiting = consentIdsOf(resume?.state ?? '').map((id) =>
    credentials.resumed(caller, at, resume && { ...resume, state: stateOfConsent(id) }, signal),
  );
  const unfinished = (await Promise.all(waiting)).find((outcome) => outcome?.ok === false);
  return unfinished?.ok === false ? unfinished : ok({ ...client, resume: null });
}
