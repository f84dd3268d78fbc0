import { compileGlobs } from '#domain';

/** What a gateway allows, by the names that rules know. */
export interface Allowed {
  passes(ruleName: string): boolean;
  /** Whether every name that begins so passes, by one entry that says so. */
  passesAll(prefix: string): boolean;
}

export function compileAllowed(patterns: readonly string[] | null): Allowed {
  if (patterns === null) return { passes: () => true, passesAll: () => true };
  const globs = compileGlobs(patterns);
  // A pattern that ends with a star and matches the bare prefix matches whatever follows it.
  const open = compileGlobs(patterns.filter((pattern) => pattern.endsWith('*')));
  return { passes: (name) => globs.matches(name), passesAll: (prefix) => open.matches(prefix) };
}
