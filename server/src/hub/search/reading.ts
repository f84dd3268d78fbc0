import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { SearchDocument } from './contract.ts';
import type { Lexicon, OtherStem, Word } from './lexicon.ts';
import { createStemCounter, type StemCount, type StemCounter } from './stem-counter.ts';
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
  readonly stems: readonly StemCount[];
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
  const counter = createStemCounter();
  const [name, described, words]: [Word[], Word[], Word[]] = [[], [], []];
  const count = (text: string, weight: number) => counter.add(lexicon.read(text, words), weight);

  return {
    document(document) {
      lexicon.read(document.name, name);
      lexicon.read(document.description, described);
      const space = lexicon.read(spaceOf(document), words).slice();
      counter.add(name, WEIGHT.name);
      counter.add(space, WEIGHT.namespace);
      count(document.title ?? '', WEIGHT.text);
      counter.add(described, WEIGHT.text);
      for (const parameter of document.parameters) {
        count(parameter.name, WEIGHT.parameter);
        count(parameter.description, WEIGHT.parameterText);
      }
      for (const text of document.enrichment) count(text, WEIGHT.text);
      addLearned(document, lexicon, counter);
      const { stems, length } = counter.take();
      return {
        stems,
        length: Math.round(length),
        vector: textVectors.of([
          { words: name, times: 2 },
          { words: described, times: 1 },
        ]),
        nameKey: keyOf(name),
        fullNameKey: keyOf([...space, ...name]),
        twinKey: halvesOf(`${textOf(name)}\n${document.description}`),
        orderKey: crc32(document.id),
      };
    },
    query(text) {
      const stems = new Map<string, readonly OtherStem[]>();
      const asked = lexicon.read(text, words).slice();
      for (const word of asked) {
        if (word.stem === null || stems.has(word.stem) || stems.size === MOST_STEMS) continue;
        stems.set(word.stem, lexicon.others(word));
      }
      const names = text.split(/\s+/).filter((part) => part.length <= MAX_NAME && looksLikeName.test(part));
      return {
        // What was said itself stands for nothing else.
        stems: [...stems].map(([stem, others]) => ({
          stem,
          others: others.filter((other) => !stems.has(other.stem)),
        })),
        vector: stems.size === 0 ? null : textVectors.of([{ words: asked, times: 1 }]),
        nameKeys: new Set(
          [text, ...names.slice(0, MOST_NAMES)].map((one) => keyOf(lexicon.read(one, words))),
        ),
      };
    },
  };
}

/** What nobody writes who does not mean a name: `create_issue`, `createIssue`, `Mail.Send`. */
const looksLikeName = /\w[_.:/-]\w|[a-z][A-Z]/;

function addLearned({ learned }: SearchDocument, lexicon: Lexicon, counter: StemCounter): void {
  const times = new Map<string, { readonly number: number; times: number }>();
  for (const { query, weight } of learned) {
    for (const { stem, stemNumber } of lexicon.read(query, [])) {
      if (stem === null) continue;
      const before = times.get(stem)?.times ?? 0;
      times.set(stem, { number: stemNumber, times: before + weight });
    }
  }
  for (const [stem, { number, times: counted }] of times)
    counter.addStem(stem, number, Math.min(counted, MOST_LEARNED));
}

function spaceOf({ namespace }: SearchDocument): string {
  return namespace.slice(namespace.indexOf('://') + 3);
}

/** Not to be made by hand: who pretends to be another's twin would have to find a text with the same digest. */
function halvesOf(text: string): readonly [number, number] {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

const textOf = (words: readonly Word[]): string => words.map(({ text }) => text).join(' ');

const keyOf = (words: readonly Word[]): number => crc32(textOf(words));
