import type { OfferIndex } from './offer-index.ts';
import type { Section } from './section.ts';

/** Places of a section's tools that would have one plain name on a gateway with others of these sections, and of those that may not have theirs. */
export function contestedIn(sections: readonly Section[]): OfferIndex['contested'] {
  let hashes: readonly number[] | null = null;
  const known = new Map<Section, ReadonlySet<number>>();
  return (section) => {
    let contested = known.get(section);
    if (contested === undefined) {
      hashes ??= repeatedHashes(sections);
      const alike = hashes.flatMap((hash) => section.names.at(hash));
      contested = alike.length === 0 ? section.names.odd : new Set([...section.names.odd, ...alike]);
      known.set(section, contested);
    }
    return contested;
  };
}

/** Counting them in a map would take more memory than all else that is known of names. */
function repeatedHashes(sections: readonly Section[]): readonly number[] {
  const all = new Int32Array(sections.reduce((sum, { latest }) => sum + latest.length, 0));
  let at = 0;
  for (const { names, latest } of sections)
    for (let place = 0; place < latest.length; place++) all[at++] = names.hashOf(place);
  all.sort();
  const repeated = new Set<number>();
  for (let place = 1; place < all.length; place++)
    if (all[place] === all[place - 1]) repeated.add(all[place] as number);
  return [...repeated];
}
