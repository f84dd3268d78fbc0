import type { ForWhom } from '#credentials';
import { type Caller, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';

/** For whom an authorization is: a person has to be signed in at the browser, for users of a key its word is enough. */
export function whomOf({ principal, userId }: Caller): Result<ForWhom, Refusal> {
  if (userId === null) {
    const message = 'user_id: is required; an authorization is of a user';
    return err(refusal('identity.user_missing', message, { field: 'user_id' }));
  }
  const { projectId, kind, id } = principal;
  return ok({ projectId, userId, personId: kind === 'person' ? id : null });
}
