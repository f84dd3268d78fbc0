import type { SyntaxProblem } from './json/json-path.ts';

interface Token {
  readonly kind: 'anchor' | 'class' | 'quoted' | 'escape' | 'group' | 'other';
  readonly text: string;
  readonly at: number;
}

/** The pieces of an RE2 pattern, as far as one must tell them apart to see which characters are anchors. */
function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const token = tokenAt(pattern, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function tokenAt(pattern: string, at: number): Token {
  const char = pattern[at] as string;
  if (char === '\\') return escapeAt(pattern, at);
  if (char === '[') return { kind: 'class', text: pattern.slice(at, endOfClass(pattern, at)), at };
  if (char === '^' || char === '$') return { kind: 'anchor', text: char, at };
  const group = char === '(' ? /^\(\?(?:P?<[^>]*>|[a-zA-Z-]*[:)]|<?[=!]|>)?/.exec(pattern.slice(at)) : null;
  if (group !== null) return { kind: 'group', text: group[0], at };
  return { kind: 'other', text: char, at };
}

function escapeAt(pattern: string, at: number): Token {
  const char = pattern[at + 1] ?? '';
  if (char === 'Q') {
    const end = pattern.indexOf('\\E', at);
    return { kind: 'quoted', text: pattern.slice(at, end < 0 ? pattern.length : end + 2), at };
  }
  const kind = char === 'A' || char === 'z' || char === 'Z' ? 'anchor' : 'escape';
  return { kind, text: pattern.slice(at, at + 2), at };
}

function endOfClass(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === '^') at++;
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\') at += 2;
    else if (pattern.startsWith('[:', at)) {
      const end = pattern.indexOf(':]', at + 2);
      at = end < 0 ? at + 1 : end + 2;
    } else at++;
  }
  return Math.min(at + 1, pattern.length);
}

/** A pattern that matches wherever this one does, and no matter what stands around the match. */
export function withoutAnchors(pattern: string): string {
  return tokensOf(pattern)
    .map(({ kind, text }) => (kind === 'anchor' ? '(?:)' : text))
    .join('');
}

/** What other engines have and RE2, for the sake of its linear time, has not. */
export function unsupportedIn(pattern: string): SyntaxProblem | null {
  for (const { kind, text, at } of tokensOf(pattern)) {
    if (kind === 'group' && /^\(\?<?[=!]/.test(text))
      return { at, message: `${text}…) looks around, which RE2 has not: match what stands there instead` };
    if (kind === 'group' && text === '(?>')
      return { at, message: '(?>…) is an atomic group, which RE2 has not' };
    if (kind === 'escape' && /^\\[1-9k]/.test(text))
      return { at, message: `${text} refers back to a group, which RE2 has not` };
  }
  return null;
}
