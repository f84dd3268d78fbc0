import type { Named } from './contract.ts';
import { bitsOf, isIn } from './slot-bits.ts';

/** So many slots that were given up last are remembered; what was named before them is named again. */
const REMEMBERED = 65_536;

/** Knows of slots that were named whether they would be named again. */
export interface Namings {
  /** Some id was given a slot. */
  came(): void;
  /** The slot is given up. */
  went(slot: number): void;
  of(slots: readonly number[], missing: number): Named;
  isCurrent(named: Named): boolean;
  isTrue(named: Named): boolean;
}

export function createNamings(): Namings {
  let came = 0;
  let went = 0;
  const givenUp = new Uint32Array(REMEMBERED);

  const isTrue = (named: Named): boolean => {
    if (went - named.went > REMEMBERED) return false;
    for (let at = named.went; at < went; at++)
      if (isIn(named, givenUp[at % REMEMBERED] as number)) return false;
    return true;
  };
  return {
    came: () => void came++,
    went: (slot) => {
      givenUp[went++ % REMEMBERED] = slot;
    },
    of: (slots, missing) => ({ ...bitsOf(slots), came, went, missing }),
    isCurrent: (named) => (named.missing === 0 || named.came === came) && isTrue(named),
    isTrue,
  };
}
