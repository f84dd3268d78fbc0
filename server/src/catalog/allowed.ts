import { compileGlobs, foldName, literalPrefix } from '#domain';

/** What a gateway allows, by the names that rules know. */
export interface Allowed {
  passes(ruleName: string): boolean;
  /** Whether every name that begins so passes, by one entry that says so. */
  passesAll(prefix: string): boolean;
  /** Whether any name that begins so may pass. */
  mayPass(prefix: string): boolean;
}

export function compileAllowed(patterns: readonly string[] | null): Allowed {
  if (patterns === null) return { passes: () => true, passesAll: () => true, mayPass: () => true };
  const globs = compileGlobs(patterns);
  // A pattern that ends with a star and matches the bare prefix matches whatever follows it.
  const open = compileGlobs(patterns.filter((pattern) => pattern.endsWith('*')));
  const beginnings = patterns.map((pattern) => foldName(literalPrefix(pattern)));
  return {
    passes: (name) => globs.matches(name),
    passesAll: (prefix) => open.matches(prefix),
    mayPass(prefix) {
      const begins = foldName(prefix);
      return beginnings.some((one) => one.startsWith(begins) || begins.startsWith(one));
    },
  };
}
