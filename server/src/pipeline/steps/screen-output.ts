import { err, ok, type Result } from '#foundation';
import type { Policy } from '#policy';
import type { CallRefusal, Returned, Screened } from '../call.ts';

/** What may come out. Every answer passes here, errors included. */
export async function screenOutput(
  returned: Returned,
  policy: Policy,
): Promise<Result<Screened, CallRefusal>> {
  const release = await policy.release(returned.admission, returned.asked, returned.returned);
  if (!release.ok) return err({ ...release.error, ran: true });
  return ok({ ...returned, returned: release.value.returned, release: release.value });
}
