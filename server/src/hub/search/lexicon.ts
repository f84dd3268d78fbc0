import { stem } from 'porter2';
import type { NearWord, NearWords } from './near-words.ts';
import { createWordTable } from './word-table.ts';
import { eachSpan } from './words.ts';

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

/** As texts are compared by; `null`: a stop word. */
export const stemOf = (word: string): string | null => (stopWords.has(word) ? null : stem(word));

export interface Word {
  readonly text: string;
  /** As the postings have it; `null`: a stop word. */
  readonly stem: string | null;
  /** The same for words with the same stem; -1: it has none, or too many words are known. */
  readonly stemNumber: number;
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
  /** Its words, in their order, into an array that is emptied first. */
  read(text: string, into: Word[]): Word[];
  others(word: Word): readonly OtherStem[];
}

export function createLexicon(rowsOf: (word: string) => readonly number[], nearWords: NearWords): Lexicon {
  const known = createWordTable<Word>();
  const stemNumbers = new Map<string, number>();
  /** Only of words that the embedding has: it takes long to find out, and nobody can bring more of them. */
  const asked = new Map<string, readonly OtherStem[]>();

  const newWord = (text: string): Word => {
    const stemmed = stemOf(text);
    const isKept = known.size < MAX_KEPT;
    if (stemmed !== null && isKept && !stemNumbers.has(stemmed)) stemNumbers.set(stemmed, stemNumbers.size);
    const stemNumber = stemNumbers.get(stemmed ?? '') ?? -1;
    const word = { text, stem: stemmed, stemNumber, rows: rowsOf(text) };
    if (isKept) known.add(word);
    return word;
  };
  const wordOf = (text: string): Word => known.find(text, 0, text.length) ?? newWord(text);
  let read: Word[] = [];
  const takePlain = (text: string, start: number, end: number) => {
    read.push(known.find(text, start, end) ?? newWord(text.slice(start, end).toLowerCase()));
  };
  const takeOther = (word: string) => void read.push(wordOf(word));
  const othersOf = (word: Word, found: readonly NearWord[]): readonly OtherStem[] => {
    const others = new Map<string, number>();
    for (const { word: near, like } of found) {
      const { stem: other } = wordOf(near);
      if (other !== null && other !== word.stem && !others.has(other)) others.set(other, like);
    }
    return [...others].slice(0, MOST_OTHERS).map(([stem, like]) => ({ stem, like }));
  };
  return {
    read(text, into) {
      into.length = 0;
      read = into;
      eachSpan(text, takePlain, takeOther);
      return into;
    },
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
