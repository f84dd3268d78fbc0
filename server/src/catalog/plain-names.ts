import type { OfferIndex } from './offer-index.ts';
import type { Section } from './section.ts';

/** Which tools of a project would have one plain name on a gateway: counted, so that what does not change costs nothing. */
export interface PlainNames {
  add(section: Section): void;
  remove(section: Section): void;
  /** As it is now. */
  contested(): OfferIndex['contested'];
}

export function createPlainNames(): PlainNames {
  const counts = new Map<number, number>();
  const shared = new Set<number>();

  function count({ names, latest }: Section, by: 1 | -1): void {
    for (let place = 0; place < latest.length; place++) {
      const hash = names.hashOf(place);
      const now = (counts.get(hash) ?? 0) + by;
      if (now === 0) counts.delete(hash);
      else counts.set(hash, now);
      if (now > 1) shared.add(hash);
      else shared.delete(hash);
    }
  }

  return {
    add: (section) => count(section, 1),
    remove: (section) => count(section, -1),
    contested() {
      const hashes = [...shared];
      const known = new Map<Section, ReadonlySet<number>>();
      return (section) => {
        let contested = known.get(section);
        if (contested === undefined) {
          const alike = hashes.flatMap((hash) => section.names.at(hash));
          contested = alike.length === 0 ? section.names.odd : new Set([...section.names.odd, ...alike]);
          known.set(section, contested);
        }
        return contested;
      };
    },
  };
}
