import { stem } from 'porter2';
import { eachWord } from './words.ts';

/** Known words; past this many the rest are looked up each time they come. */
const MAX_KEPT = 131_072;

/** In every text, and so saying nothing of any; what people put around what they want is with them. */
const stopWords = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing down during each few for from further had has have having he her here hers him his how i if in into
is it its itself just let me more most my myself no nor not now of off on once only or other our ours out over own please s
same she should so some such t than that the their theirs them then there these they this those through to too under until up
us very was we were what when where which while who whom why will with would you your yours d m ll re ve don im`.split(
    /\s+/,
  ),
);

export interface Word {
  readonly text: string;
  /** As the postings have it; `null`: a stop word. */
  readonly stem: string | null;
  /** Its rows in the embedding table. */
  readonly rows: readonly number[];
}

/** Words as they are searched by; each is worked out once. */
export interface Lexicon {
  each(text: string, take: (word: Word) => void): void;
}

export function createLexicon(rowsOf: (word: string) => readonly number[]): Lexicon {
  const known = new Map<string, Word>();
  const wordOf = (text: string): Word => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const word = { text, stem: stopWords.has(text) ? null : stem(text), rows: rowsOf(text) };
    if (known.size < MAX_KEPT) known.set(text, word);
    return word;
  };
  return {
    each: (text, take) => eachWord(text, (found) => take(wordOf(found))),
  };
}
