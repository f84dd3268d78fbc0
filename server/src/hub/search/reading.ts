import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { SearchDocument } from './contract.ts';
import type { Lexicon, OtherStem } from './lexicon.ts';
import type { TextVectors } from './text-vectors.ts';

/** How much a word counts by where it stands. */
const WEIGHT = { name: 2, namespace: 0.5, text: 1, parameter: 1, parameterText: 0.5 } as const;
/** However often people came here by a word, it counts no more than so many times in the description. */
const MOST_LEARNED = 3;
/** A query with more words than this says too much: the rest is not looked at. */
const MOST_STEMS = 48;
/** Of what in a query looks like a tool's name. */
const MOST_NAMES = 8;
const MAX_NAME = 128;

/** What the index keeps of a document. */
export interface Reading extends DocumentKeys {
  /** How often each stem is in it. */
  readonly stems: ReadonlyMap<string, number>;
  /** Normalised. */
  readonly vector: Float32Array;
}

/** Numbers that say what is alike, and how long it is. */
export interface DocumentKeys {
  /** Of all that was counted. */
  readonly length: number;
  /** The same for names that are spelled alike: `create_issue`, `createIssue`. */
  readonly nameKey: number;
  /** The same with the namespace before it. */
  readonly fullNameKey: number;
  /** Two halves; the same for documents with this name and description. */
  readonly twinKey: readonly [number, number];
  /** Decides between equals, whatever else is in the index. */
  readonly orderKey: number;
}

export interface QueryStem {
  readonly stem: string;
  readonly others: readonly OtherStem[];
}

export interface QueryReading {
  readonly stems: readonly QueryStem[];
  /** `null`: nothing that means anything was said. */
  readonly vector: Float32Array | null;
  /** Of names that the query may be, or have in it. */
  readonly nameKeys: ReadonlySet<number>;
}

export interface Reader {
  document(document: SearchDocument): Reading;
  query(text: string): QueryReading;
}

export function createReader(lexicon: Lexicon, textVectors: TextVectors): Reader {
  const wordsOf = (text: string): string[] => {
    const words: string[] = [];
    lexicon.each(text, (word) => words.push(word.text));
    return words;
  };
  return {
    document(document) {
      const stems = new Map<string, number>();
      const space = document.namespace.slice(document.namespace.indexOf('://') + 3);
      let length = 0;
      const count = (text: string, weight: number) => {
        lexicon.each(text, ({ stem }) => {
          if (stem === null) return;
          stems.set(stem, (stems.get(stem) ?? 0) + weight);
          length += weight;
        });
      };
      count(document.name, WEIGHT.name);
      count(space, WEIGHT.namespace);
      count(document.title ?? '', WEIGHT.text);
      count(document.description, WEIGHT.text);
      for (const { name, description } of document.parameters) {
        count(name, WEIGHT.parameter);
        count(description, WEIGHT.parameterText);
      }
      for (const text of document.enrichment) count(text, WEIGHT.text);
      length += addLearned(document, lexicon, stems);
      const name = wordsOf(document.name);
      return {
        stems,
        length: Math.round(length),
        vector: textVectors.of([
          { text: document.name, times: 2 },
          { text: document.description, times: 1 },
        ]),
        nameKey: keyOf(name),
        fullNameKey: keyOf([...wordsOf(space), ...name]),
        twinKey: halvesOf(`${name.join(' ')}\n${document.description}`),
        orderKey: crc32(document.id),
      };
    },
    query(text) {
      const stems = new Map<string, readonly OtherStem[]>();
      lexicon.each(text, (word) => {
        if (word.stem === null || stems.has(word.stem) || stems.size === MOST_STEMS) return;
        stems.set(word.stem, lexicon.others(word));
      });
      const names = text.split(/\s+/).filter((part) => part.length <= MAX_NAME && looksLikeName.test(part));
      return {
        // What was said itself stands for nothing else.
        stems: [...stems].map(([stem, others]) => ({
          stem,
          others: others.filter((other) => !stems.has(other.stem)),
        })),
        vector: stems.size === 0 ? null : textVectors.of([{ text, times: 1 }]),
        nameKeys: new Set([text, ...names.slice(0, MOST_NAMES)].map((name) => keyOf(wordsOf(name)))),
      };
    },
  };
}

/** What nobody writes who does not mean a name: `create_issue`, `createIssue`, `Mail.Send`. */
const looksLikeName = /\w[_.:/-]\w|[a-z][A-Z]/;

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

/** Not to be made by hand: who pretends to be another's twin would have to find a text with the same digest. */
function halvesOf(text: string): readonly [number, number] {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

const keyOf = (words: readonly string[]): number => crc32(words.join(' '));
