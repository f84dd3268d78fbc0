import type { Credentials, SourceName } from '#credentials';
import type { Caller, ClientSide, Refusal } from '#domain';
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
  { caller, client, signal }: Returning,
  at: SourceName,
  credentials: Pick<Credentials, 'resumed'>,
): MaybePromise<Result<ClientSide, Refusal>> {
  const ending = client.resume === null ? null : credentials.resumed(caller, at, client.resume, signal);
  if (ending === null) return ok(client);
  return ending.then((ended) => (ended.ok ? ok({ ...client, resume: null }) : ended));
}
