/** A compiled list of globs over one kind of name. An empty list matches nothing. */
export interface GlobSet {
  readonly patterns: readonly string[];
  matches(name: string): boolean;
}

/**
 * Compiles globs where `*` stands for any run of characters and `?` for one. Tool names are the same whatever their case;
 * user ids are not. Time is linear in the name for exact entries and in pattern × name for the rest, whatever the
 * patterns are (no regular expressions, so no pattern can stall the process).
 */
export function compileGlobs(
  patterns: readonly string[],
  letterCase: 'ignored' | 'exact' = 'ignored',
): GlobSet {
  const fold = letterCase === 'exact' ? (text: string) => text : foldName;
  const folded = patterns.map(fold);
  const exact = new Set(folded.filter((pattern) => !isWild(pattern)));
  const wild = folded.filter(isWild);
  return {
    patterns,
    matches(name) {
      const key = fold(name);
      return exact.has(key) || wild.some((pattern) => matchesGlob(pattern, key));
    },
  };
}

/** A name whatever its case; the same wherever in a name a letter stands, as a sigma at the end of a word is another one. */
export function foldName(name: string): string {
  const folded = name.toLowerCase();
  return folded.includes('ς') ? folded.replaceAll('ς', 'σ') : folded;
}

/** The part of a glob before its first wildcard: how every name that it matches begins. */
export function literalPrefix(glob: string): string {
  const at = glob.search(/[*?]/);
  return at < 0 ? glob : glob.slice(0, at);
}

function isWild(glob: string): boolean {
  return glob.includes('*') || glob.includes('?');
}

/** Whether a name matches a glob; both as they are, or both folded. */
export function matchesGlob(pattern: string, name: string): boolean {
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
