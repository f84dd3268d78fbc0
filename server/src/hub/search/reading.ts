import { hash } from 'node:crypto';
import type { SearchDocument } from './contract.ts';
import type { Lexicon } from './lexicon.ts';
import type { StaticEmbedding } from './static-embedding.ts';

/** Frequencies are kept in a byte, in eighths. */
export const FREQUENCY_UNIT = 8;
const MOST = 255 / FREQUENCY_UNIT;
/** However often people came here by a word, it counts as if it stood so often in the description. */
const MOST_LEARNED = 3;

/** What the index keeps of a document. */
export interface Reading {
  /** How often each stem is in it; at most 255 eighths. */
  readonly stems: ReadonlyMap<string, number>;
  /** Of all that was counted. */
  readonly length: number;
  readonly vector: Float32Array;
  /** The same for names that are spelled alike: `create_issue`, `createIssue`. */
  readonly nameKeys: readonly number[];
  /** Two halves; the same for documents with this name and description. */
  readonly twinKey: readonly [number, number];
  /** Decides between equals, whatever else is in the index. */
  readonly orderKey: number;
}

export interface QueryReading {
  /** Each stem with how often it was said. */
  readonly stems: ReadonlyMap<string, number>;
  readonly vector: Float32Array;
  /** Of names that the query may be, or have in it. */
  readonly nameKeys: readonly number[];
}

export interface Reader {
  document(document: SearchDocument): Reading;
  query(text: string): QueryReading;
}

export function createReader(lexicon: Lexicon, embedding: StaticEmbedding): Reader {
  const wordsOf = (text: string): string[] => {
    const words: string[] = [];
    lexicon.each(text, (word) => words.push(word.text));
    return words;
  };

  /** Adds the words of a text to both sides. */
  const read = (text: string, stems: Map<string, number>, sum: Float32Array | null): number => {
    let length = 0;
    lexicon.each(text, (word) => {
      if (word.stem !== null) {
        stems.set(word.stem, (stems.get(word.stem) ?? 0) + 1);
        length++;
      }
      if (sum !== null) for (const row of word.rows) embedding.add(sum, row, 1);
    });
    return length;
  };

  return {
    document(document) {
      const stems = new Map<string, number>();
      const vector = new Float32Array(embedding.dimensions);
      let length = 0;
      for (const text of textsOf(document)) length += read(text, stems, vector);
      length += addLearned(document, lexicon, stems);
      const name = wordsOf(document.name);
      const space = wordsOf(document.namespace.slice(document.namespace.indexOf('://') + 3));
      return {
        stems,
        length,
        vector: normalised(vector),
        nameKeys: [keyOf(name), keyOf([...space, ...name])],
        twinKey: halves(`${name.join(' ')}\n${document.description}`),
        orderKey: halves(document.id)[0],
      };
    },
    query(text) {
      const stems = new Map<string, number>();
      const vector = new Float32Array(embedding.dimensions);
      read(text, stems, vector);
      return { stems, vector: normalised(vector), nameKeys: [keyOf(wordsOf(text))] };
    },
  };
}

function textsOf(document: SearchDocument): string[] {
  return [
    document.name,
    document.namespace.slice(document.namespace.indexOf('://') + 3),
    document.title ?? '',
    document.description,
    ...document.parameters.map(({ name, description }) => `${name} ${description}`),
    ...document.enrichment,
  ];
}

function addLearned(document: SearchDocument, lexicon: Lexicon, stems: Map<string, number>): number {
  const learned = new Map<string, number>();
  for (const { query, weight } of document.learned) {
    lexicon.each(query, ({ stem }) => {
      if (stem !== null) learned.set(stem, (learned.get(stem) ?? 0) + weight);
    });
  }
  let length = 0;
  for (const [stem, times] of learned) {
    const counted = Math.min(times, MOST_LEARNED);
    stems.set(stem, (stems.get(stem) ?? 0) + counted);
    length += counted;
  }
  return length;
}

/** In eighths, as it is kept. */
export const keptFrequency = (times: number): number =>
  Math.max(1, Math.round(Math.min(times, MOST) * FREQUENCY_UNIT));

function normalised(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum === 0) return vector;
  const by = 1 / Math.sqrt(sum);
  return vector.map((value) => value * by);
}

/** Not to be made by hand: a document that pretends to be another's twin would have to find a text with the same digest. */
function halves(text: string): [number, number] {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

function keyOf(words: readonly string[]): number {
  return halves(words.join(' '))[0];
}
