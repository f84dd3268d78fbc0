import { eachWord } from '@sallyport/gateway/search';
import type { EvalTool } from '../data-sets.ts';

const longestText = 64;

/** Two texts that mean the same operation. */
export interface Pair {
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Whose operation it is: others of the same are what it is hardest to tell from. */
  readonly service: string;
}

export interface Corpus {
  /** The most frequent first. */
  readonly words: readonly string[];
  readonly counts: Float64Array;
  /** Of all words, also of those that are not kept. */
  readonly total: number;
  readonly pairs: readonly Pair[];
}

/** Words that operations are told in, and pairs of texts to learn from: what it does beside all else, and its name beside that. */
export function corpusOf(operations: readonly EvalTool[], mostWords: number): Corpus {
  const counted = new Map<string, number>();
  let total = 0;
  const texts = operations.map((tool) => ({ ...partsOf(tool), service: tool.server ?? '' }));
  for (const { name, first, rest, parameters } of texts) {
    for (const word of wordsOf(`${name} ${first} ${rest} ${parameters}`)) {
      counted.set(word, (counted.get(word) ?? 0) + 1);
      total += 1;
    }
  }
  const kept = [...counted]
    .sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
    .slice(0, mostWords);
  const places = new Map(kept.map(([word], place) => [word, place]));
  const placed = (text: string): Int32Array => {
    const known = wordsOf(text).flatMap((word) => places.get(word) ?? []);
    return Int32Array.from(known.slice(0, longestText));
  };
  const pairs = texts.flatMap(({ name, first, rest, parameters, service }) =>
    [
      { left: placed(first), right: placed(`${name} ${rest} ${parameters}`), service },
      { left: placed(name), right: placed(`${first} ${rest}`), service },
    ].filter(({ left, right }) => left.length > 0 && right.length > 0),
  );
  return {
    words: kept.map(([word]) => word),
    counts: Float64Array.from(kept, ([, count]) => count),
    total,
    pairs,
  };
}

function partsOf({ name, description, server, parameters }: EvalTool) {
  const end = /[.!?](\s|$)|\n/.exec(description)?.index ?? description.length;
  return {
    name: `${name} ${server ?? ''}`,
    first: description.slice(0, end),
    rest: description.slice(end + 1),
    parameters: Object.entries(parameters)
      .map(([parameter, one]) => `${parameter} ${one.description ?? ''}`)
      .join(' '),
  };
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  eachWord(text, (word) => words.push(word));
  return words;
}
