import type { LargeResult } from '#domain';
import { atMost, systemClock } from '#foundation';
import type { LaneLink } from '#processes';
import type { Sources } from '#sources';

type Freshness = Pick<LaneLink, 'isFresh' | 'fresh'>;

/** As long as this, the answer of a call waits for what changed while it ran. */
const freshWithinMs = 5000;

/** Whatever was taken away, or laid down, while a call ran is known before its answer is looked at, and before any of it goes on. */
export function whileFresh<Calling extends Pick<Sources, 'call'>>(
  sources: Calling,
  link: Freshness,
): Calling {
  return {
    ...sources,
    async call(call) {
      const returned = await sources.call(
        call.large === null ? call : { ...call, large: onlyFresh(call.large, link) },
      );
      if (!link.isFresh()) await atMost(systemClock, freshWithinMs, link.fresh());
      return returned;
    },
  };
}

/** One that comes while it is not known what holds now is held. */
function onlyFresh(large: LargeResult, link: Freshness): LargeResult {
  return { ...large, begin: () => link.isFresh() && large.begin() };
}
