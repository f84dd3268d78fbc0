import type { DispatchedCall } from '#domain';
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
      const returned = await sources.call(onlyFresh(call, link));
      if (!link.isFresh()) await atMost(systemClock, freshWithinMs, link.fresh());
      return returned;
    },
  };
}

/** What comes while it is not known what holds now waits for that; a large result is held. */
function onlyFresh(call: DispatchedCall, link: Freshness): DispatchedCall {
  const { large, notify, client } = call;
  const { ask } = client;
  return {
    ...call,
    large: large && { ...large, begin: () => link.isFresh() && large.begin() },
    notify:
      notify &&
      ((said) => {
        if (link.isFresh()) notify(said);
        else void link.fresh().then(() => notify(said));
      }),
    client:
      ask === null
        ? client
        : {
            ...client,
            async ask(request, signal) {
              await link.fresh();
              return await ask(request, signal);
            },
          },
  };
}
