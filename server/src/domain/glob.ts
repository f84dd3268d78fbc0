/** A compiled list of globs over one kind of name. An empty list matches nothing. */
export interface GlobSet {
  readonly patterns: readonly string[];
  matches(name: string): boolean;
}

/**
 * Compiles globs where `*` stands for any run of characters and `?` for one. Matching ignores case, as tool names
 * do everywhere. Time is linear in the name for exact entries and in pattern × name for the rest, whatever the
 * patterns are (no regular expressions, so no pattern can stall the process).
 */
export function compileGlobs(patterns: readonly string[]): GlobSet {
  const exact = new Set<string>();
  const wild: string[] = [];
  for (const pattern of patterns) {
    const lower = pattern.toLowerCase();
    if (lower.includes('*') || lower.includes('?')) wild.push(lower);
    else exact.add(lower);
  }
  return {
    patterns,
    matches(name) {
      const lower = name.toLowerCase();
      return exact.has(lower) || wild.some((pattern) => matchesGlob(pattern, lower));
    },
  };
}

function matchesGlob(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (n < name.length) {
    const char = pattern[p];
    if (char === '*') {
      starAt = p++;
      resumeAt = n;
    } else if (char !== undefined && (char === '?' || char === name[n])) {
      p++;
      n++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      n = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
