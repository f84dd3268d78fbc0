import { type Ok, ok } from '#foundation';
import type { Returned, Screened } from '../call.ts';

/** What may come out. Every answer passes here, errors included. */
export function screenOutput(returned: Returned): Ok<Screened> {
  return ok({ ...returned, outputScreened: true });
}
