import { type Comparison, comparisons } from '#identity';

export type Literal = string | number | boolean | null;

const maxLength = 10_000;
const maxTokens = 1_000;

type Token = { readonly kind: 'word' | 'mark' | 'text'; readonly text: string; readonly at: number };

/** What is wrong, with the place. */
export class Wrong extends Error {}

const form = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/sy;

function tokensOf(text: string): Token[] {
  if (text.length > maxLength) throw new Wrong(`is longer than ${maxLength} characters`);
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  form.lastIndex = 0;
  while (form.lastIndex < end) {
    const from = form.lastIndex;
    const found = form.exec(text);
    if (found === null) throw new Wrong(`cannot be read from character ${from + 1} on`);
    const [, mark, quoted, word] = found;
    const at = form.lastIndex - (mark ?? quoted ?? word ?? '').length + 1;
    if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, at });
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted, at });
    else tokens.push({ kind: 'word', text: word ?? '', at });
    if (tokens.length > maxTokens) throw new Wrong('asks for too much at once');
  }
  return tokens;
}

export type Cursor = ReturnType<typeof createCursor>;

/** Takes the words of a filter from the left; throws what is wrong. */
export function createCursor(filter: string) {
  const tokens = tokensOf(filter);
  let next = 0;

  function wrong(wanted: string): never {
    const token = tokens[next];
    throw new Wrong(
      token === undefined ? `ends where ${wanted} should stand` : `needs ${wanted} at character ${token.at}`,
    );
  }

  function isWord(word: string): boolean {
    const token = tokens[next];
    return token?.kind === 'word' && token.text.toLowerCase() === word;
  }

  function takes(mark: string): boolean {
    const token = tokens[next];
    if (token?.kind !== 'mark' || token.text !== mark) return false;
    next++;
    return true;
  }

  function takesWord(word: string): boolean {
    if (!isWord(word)) return false;
    next++;
    return true;
  }

  function expect(mark: string): void {
    if (!takes(mark)) wrong(mark);
  }

  function word(wanted: string): string {
    const token = tokens[next];
    if (token?.kind !== 'word' || !/^[a-z][\w$:.-]*$/i.test(token.text)) wrong(wanted);
    next++;
    return (token as Token).text;
  }

  /** `.value` behind a bracket; `null` where nothing follows. */
  function subName(): string | null {
    const token = tokens[next];
    if (token?.kind !== 'word' || !/^\.[a-z$][\w$-]*$/i.test(token.text)) return null;
    next++;
    return token.text.slice(1);
  }

  function operator(): Comparison | 'pr' {
    const folded = word('an operator').toLowerCase();
    const found = [...comparisons, 'pr' as const].find((known) => known === folded);
    if (found !== undefined) return found;
    next--;
    return wrong('one of the operators eq, ne, co, sw, ew, gt, ge, lt, le, pr');
  }

  function literal(): Literal {
    const token = tokens[next];
    if (token === undefined || token.kind === 'mark') wrong('a value');
    const { kind, text } = token as Token;
    const value = literalOf(kind === 'word' ? text.toLowerCase() : text);
    if (value === undefined) wrong('a value: a text in double quotes, true, false, null or a number');
    next++;
    return value as Literal;
  }

  function end(): void {
    if (next < tokens.length) wrong('nothing, or "and" or "or",');
  }

  /** `not (`: a name may be "not", too. */
  function takesNot(): boolean {
    return tokens[next + 1]?.text === '(' && takesWord('not');
  }

  return { word, takes, takesWord, takesNot, expect, subName, operator, literal, end };
}

function literalOf(text: string): Literal | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value === null || ['string', 'number', 'boolean'].includes(typeof value)
      ? (value as Literal)
      : undefined;
  } catch {
    return undefined;
  }
}
