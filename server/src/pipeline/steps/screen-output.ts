import { err, type MaybePromise, ok, type Result } from '#foundation';
import type { Policy } from '#policy';
import type { CallRefusal, Returned, Screened } from '../call.ts';

/** What may come out. Every answer passes here, errors included. */
export function screenOutput(
  returned: Returned,
  policy: Policy,
): MaybePromise<Result<Screened, CallRefusal>> {
  const goOn = (release: Awaited<ReturnType<Policy['release']>>): Result<Screened, CallRefusal> =>
    release.ok
      ? ok({ ...returned, returned: release.value.returned, release: release.value })
      : err({ ...release.error, ran: true });
  const release = policy.release(returned.admission, returned.asked, returned.returned);
  return release instanceof Promise ? release.then(goOn) : goOn(release);
}
