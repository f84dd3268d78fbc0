import type { GrantRequest } from '@sallyport/contracts';
import { compileGlob, foldName, literalPrefix, type ToolTraits } from '#domain';
import { traitsMatcher } from '../matching.ts';

export type Metadata = GrantRequest['metadata'];

/** A glob and what the tools that it matches must say of themselves; with the grants that hold it. */
export interface Clause {
  /** Folded. */
  readonly glob: string;
  /** The same for the same metadata; empty where any tool fits. */
  readonly traitsKey: string;
  readonly hasTraits: ((traits: ToolTraits) => boolean) | null;
  readonly grantIds: Set<string>;
}

/**
 * Finds a grant for a tool among many: by its exact name, then under every beginning of its name that globs have before their
 * first wildcard. A grant comes and goes at the cost of its own globs.
 */
export interface ToolMatcher {
  add(grantId: string, globs: readonly string[], metadata: Metadata): void;
  remove(grantId: string, globs: readonly string[], metadata: Metadata): void;
  /** One of the grants that match, or null; `name` is folded. */
  find(name: string, traits: ToolTraits): string | null;
  clauses(): Iterable<Clause>;
  isEmpty(): boolean;
}

/** The clauses of one glob, by what they want of tools. */
type Clauses = Map<string, Clause>;

export function createToolMatcher(): ToolMatcher {
  const byGlob = new Map<string, Clauses>();
  const wild = createPrefixes();

  function clauseOf(glob: string, metadata: Metadata): Clause {
    let clauses = byGlob.get(glob);
    if (clauses === undefined) {
      clauses = new Map();
      byGlob.set(glob, clauses);
      if (isWild(glob)) wild.add(glob);
    }
    const traitsKey = keyOf(metadata);
    let clause = clauses.get(traitsKey);
    if (clause === undefined) {
      const hasTraits = metadata === undefined ? null : traitsMatcher(metadata);
      clause = { glob, traitsKey, hasTraits, grantIds: new Set() };
      clauses.set(traitsKey, clause);
    }
    return clause;
  }

  function find(name: string, traits: ToolTraits): string | null {
    const exact = byGlob.get(name);
    const found = exact === undefined ? null : grantIn(exact, traits);
    if (found !== null) return found;
    return wild.first(name, (glob) => grantIn(byGlob.get(glob) as Clauses, traits));
  }

  return {
    add(grantId, globs, metadata) {
      for (const glob of globs) clauseOf(foldName(glob), metadata).grantIds.add(grantId);
    },
    remove(grantId, globs, metadata) {
      const traitsKey = keyOf(metadata);
      for (const glob of globs.map(foldName)) {
        const clauses = byGlob.get(glob);
        const clause = clauses?.get(traitsKey);
        if (clauses === undefined || clause === undefined) continue;
        clause.grantIds.delete(grantId);
        if (clause.grantIds.size === 0) clauses.delete(traitsKey);
        if (clauses.size > 0) continue;
        byGlob.delete(glob);
        if (isWild(glob)) wild.remove(glob);
      }
    },
    find,
    *clauses() {
      for (const clauses of byGlob.values()) yield* clauses.values();
    },
    isEmpty: () => byGlob.size === 0,
  };
}

function keyOf(metadata: Metadata): string {
  return metadata === undefined ? '' : JSON.stringify(metadata);
}

function isWild(glob: string): boolean {
  return literalPrefix(glob).length < glob.length;
}

function grantIn(clauses: Clauses, traits: ToolTraits): string | null {
  for (const { hasTraits, grantIds } of clauses.values()) {
    if (hasTraits !== null && !hasTraits(traits)) continue;
    for (const grantId of grantIds) return grantId;
  }
  return null;
}

/** Globs by what stands before their first wildcard. */
function createPrefixes() {
  const byPrefix = new Map<string, Map<string, (name: string) => boolean>>();
  const countByLength = new Map<number, number>();
  let lengths: readonly number[] = [];

  function count(length: number, change: 1 | -1): void {
    const counted = (countByLength.get(length) ?? 0) + change;
    if (counted === 0) countByLength.delete(length);
    else countByLength.set(length, counted);
    if (counted === 0 || (counted === 1 && change === 1))
      lengths = [...countByLength.keys()].sort((a, b) => a - b);
  }

  return {
    add(glob: string): void {
      const prefix = literalPrefix(glob);
      const globs = byPrefix.get(prefix);
      const matches = glob === `${prefix}*` ? always : compileGlob(glob);
      if (globs !== undefined) globs.set(glob, matches);
      else {
        byPrefix.set(prefix, new Map([[glob, matches]]));
        count(prefix.length, 1);
      }
    },
    remove(glob: string): void {
      const prefix = literalPrefix(glob);
      const globs = byPrefix.get(prefix);
      if (globs?.delete(glob) !== true || globs.size > 0) return;
      byPrefix.delete(prefix);
      count(prefix.length, -1);
    },
    /** What `of` gives for the first of those that match and for which it gives anything. */
    first<T>(name: string, of: (glob: string) => T | null): T | null {
      for (const length of lengths) {
        if (length > name.length) break;
        for (const [glob, matches] of byPrefix.get(name.slice(0, length)) ?? []) {
          const found = matches(name) ? of(glob) : null;
          if (found !== null) return found;
        }
      }
      return null;
    },
  };
}

const always = () => true;
