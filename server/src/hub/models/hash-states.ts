/** How far it is with what a model makes, by the hash of what it is made of. */
export interface HashStates {
  readonly made: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  /** Of what is missing: nothing can be made of these for now. */
  readonly hopeless: Set<string>;
  /** Whether it is new here. */
  add(hash: string): boolean;
  remove(hash: string): void;
  /** Of what is missing, at most so many of which nobody knows whether they are there. */
  unknownOnes(most: number): string[];
  known(hashes: readonly string[]): void;
  /** These are there; returns those that were missing. */
  settle(hashes: readonly string[]): string[];
}

export function createHashStates(hashes: Iterable<string>): HashStates {
  const made = new Set<string>();
  const missing = new Set(hashes);
  const unknown = new Set(missing);
  const hopeless = new Set<string>();
  return {
    made,
    missing,
    hopeless,
    add(hash) {
      if (made.has(hash) || missing.has(hash)) return false;
      missing.add(hash);
      unknown.add(hash);
      return true;
    },
    remove(hash) {
      for (const set of [made, missing, unknown, hopeless]) set.delete(hash);
    },
    unknownOnes(most) {
      const some: string[] = [];
      for (const hash of unknown) {
        if (some.length >= most) break;
        some.push(hash);
      }
      return some;
    },
    known(hashes) {
      for (const hash of hashes) unknown.delete(hash);
    },
    settle(hashes) {
      const came = hashes.filter((hash) => missing.delete(hash));
      for (const hash of came) {
        unknown.delete(hash);
        made.add(hash);
      }
      return came;
    },
  };
}
