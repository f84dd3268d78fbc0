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
  const wild = folded.filter(isWild).map(compileGlob);
  return {
    patterns,
    matches(name) {
      const key = fold(name);
      return exact.has(key) || wild.some((matches) => matches(key));
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

/** Whether a name matches the glob; both as they are, or both folded. */
export function compileGlob(glob: string): (name: string) => boolean {
  return glob.includes('?') ? (name) => matchesByCharacter(glob, name) : piecesMatcher(glob.split('*'));
}

/** For what stands between the stars of a glob: the first found is as good as any other, as all that follows has more room. */
function piecesMatcher(pieces: readonly string[]): (name: string) => boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return (name) => name === first;
  return (name) => {
    const end = name.length - last.length;
    let at = first.length;
    if (at > end || !name.startsWith(first) || !name.endsWith(last)) return false;
    for (const piece of others) {
      const found = name.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}

function matchesByCharacter(pattern: string, name: string): boolean {
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
