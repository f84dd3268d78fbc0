import { stem } from 'porter2';
import type { NearWord, NearWords } from './near-words.ts';
import { eachWord } from './words.ts';

/** Known words; past this many the rest are looked up each time they come. */
const MAX_KEPT = 131_072;
/** Each other word costs a walk through its postings. */
const MOST_OTHERS = 6;

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

const none: readonly OtherStem[] = [];

/** A stem that may stand for another. */
export interface OtherStem {
  readonly stem: string;
  /** How well it does: above 0, below 1. */
  readonly like: number;
}

/** Words as they are searched by; each is worked out once. */
export interface Lexicon {
  each(text: string, take: (word: Word) => void): void;
  others(word: Word): readonly OtherStem[];
}

export function createLexicon(rowsOf: (word: string) => readonly number[], nearWords: NearWords): Lexicon {
  const known = new Map<string, Word>();
  /** Only of words that the embedding has: it takes long to find out, and nobody can bring more of them. */
  const asked = new Map<string, readonly OtherStem[]>();

  const wordOf = (text: string): Word => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const word = { text, stem: stopWords.has(text) ? null : stem(text), rows: rowsOf(text) };
    if (known.size < MAX_KEPT) known.set(text, word);
    return word;
  };
  const othersOf = (word: Word, found: readonly NearWord[]): readonly OtherStem[] => {
    const others = new Map<string, number>();
    for (const { word: near, like } of found) {
      const { stem: other } = wordOf(near);
      if (other !== null && other !== word.stem && !others.has(other)) others.set(other, like);
    }
    return [...others].slice(0, MOST_OTHERS).map(([stem, like]) => ({ stem, like }));
  };
  return {
    each: (text, take) => eachWord(text, (found) => take(wordOf(found))),
    others(word) {
      const found = asked.get(word.text);
      if (found !== undefined) return found;
      const near = nearWords(word.text);
      if (near === null) return none;
      const others = othersOf(word, near);
      asked.set(word.text, others);
      return others;
    },
  };
}
