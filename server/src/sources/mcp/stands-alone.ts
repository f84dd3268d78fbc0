import type { Clock } from '#foundation';
import { silentOwner } from './capabilities.ts';
import type { Link } from './link.ts';

/** A server may have been set up anew since. */
const askAgainMs = 5 * 60_000;
/** After a server could not be asked. */
const pauseMs = 10_000;

const owner = silentOwner('whether it keeps sessions');

/**
 * Whether calls need nothing of what was before them, so that any process may make them: at servers of the modern era, and at older
 * ones that give out no session. Each process asks the server itself, beside the calls: what it would have to be told could be over
 * by then, and what a server does is seen by whoever calls it.
 */
export function createStandsAlone(link: Link, clock: Clock): (asksLater: boolean) => boolean | null {
  let keepsSessions = false;
  let isAsking = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;

  async function ask(): Promise<void> {
    isAsking = true;
    await link.reconsider('');
    const place = await link.place(owner);
    isAsking = false;
    if (!place.ok) {
      failedAt = clock.now();
      return;
    }
    place.value.lease?.release();
    keepsSessions = link.stateless() === null;
    if (keepsSessions) link.end(owner.key);
    askedAt = clock.now();
  }

  return (asksLater) => {
    const era = link.stateless();
    const isKnown = era !== null || keepsSessions;
    const dueAt = isKnown ? askedAt + askAgainMs : failedAt + pauseMs;
    if (!isAsking && clock.now() >= dueAt) void ask();
    // An older server waits for the answer in an open request, which is one process's.
    if (era !== null) return era === 'modern' || !asksLater;
    return keepsSessions ? false : null;
  };
}
