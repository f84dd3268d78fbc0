import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createPostings, unpackPostings } from './postings.ts';
import { createRows } from './rows.ts';
import { readerOf } from './sample-index.ts';
import { createViews } from './views.ts';
import { createWordScores, keptFrequency } from './word-scores.ts';

const stem = fc.constantFrom('create', 'issu', 'mail', 'weather', 'citi', 'list');
const document = fc.dictionary(stem, fc.integer({ min: 1, max: 9 }), { minKeys: 1 });
const asked = fc.uniqueArray(stem, { minLength: 1 });

/** The formula as books have it. */
function bm25(documents: readonly Record<string, number>[], stems: readonly string[]): number[] {
  const lengths = documents.map((counts) => Object.values(counts).reduce((sum, count) => sum + count, 0));
  const average = lengths.reduce((sum, length) => sum + length, 0) / documents.length;
  const rarity = (wanted: string) => {
    const having = documents.filter((counts) => wanted in counts).length;
    return Math.log(1 + (documents.length - having + 0.5) / (having + 0.5));
  };
  return documents.map((counts, at) =>
    stems
      .filter((wanted) => wanted in counts)
      .map((wanted) => {
        const frequency = counts[wanted] as number;
        const norm = 1.5 * (1 - 0.75 + (0.75 * (lengths[at] as number)) / average);
        return (rarity(wanted) * frequency * 2.5) / (frequency + norm);
      })
      .reduce((sum, score) => sum + score, 0),
  );
}

function indexOf(documents: readonly Record<string, number>[]) {
  const rows = createRows();
  const postings = createPostings();
  for (const [slot, counts] of documents.entries()) {
    const length = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const row = rows.add(slot, { length, nameKey: 0, fullNameKey: 0, twinKey: [slot, slot], orderKey: slot });
    for (const [each, count] of Object.entries(counts)) {
      postings.add(postings.termFor(each), row, keptFrequency(count));
    }
  }
  return { rows, postings };
}

it('scores as BM25 of those that may be seen, whatever else there is', () => {
  const allowed = fc
    .array(document, { minLength: 1, maxLength: 20 })
    .chain((documents) =>
      fc.tuple(
        fc.constant(documents),
        fc.array(fc.boolean(), { minLength: documents.length, maxLength: documents.length }),
        asked,
      ),
    );
  fc.assert(
    fc.property(allowed, ([documents, mayBeSeen, stems]) => {
      const { rows, postings } = indexOf(documents);
      const bits = new Uint8Array(3);
      for (const [slot, may] of mayBeSeen.entries())
        if (may) bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7));
      const words = createWordScores(postings, rows);
      const query = stems.map((each) => ({ stem: each, others: [] }));
      const seen = documents.filter((_, slot) => mayBeSeen[slot]);
      const scores = words.score(query, createViews(rows).of(bits));
      const expected = bm25(seen, stems);
      for (const [slot, may] of mayBeSeen.entries()) {
        const score = may ? (expected.shift() as number) : 0;
        assert.ok(Math.abs((scores[slot] as number) - score) < 1e-9, `${scores[slot]} is not ${score}`);
      }
      assert.ok(words.score([], createViews(rows).of(bits)).every((score) => score === 0));
    }),
  );
});

it('counts a neighbour of a word less than the word, and not besides it', () => {
  const { rows, postings } = indexOf([{ fault: 1, x: 1 }, { bug: 1, x: 1 }, { fault: 1, bug: 1 }, { y: 2 }]);
  const words = createWordScores(postings, rows);
  const view = createViews(rows).of(null);
  const [own = 0, other = 0, both = 0, neither] = words.score(
    [{ stem: 'fault', others: [{ stem: 'bug', like: 0.9 }] }],
    view,
  );
  assert.ok(own > other && other > 0);
  assert.equal(both, own);
  assert.equal(neither, 0);
});

it('keeps every posting of common and rare words, packed or renumbered', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 90_000 }),
      fc.integer({ min: 1, max: 97 }),
      async (count, step) => {
        const postings = createPostings();
        for (let row = 0; row < count; row++) {
          postings.add(postings.termFor('common'), row, 1 + (row % 250));
          if (row % step === 0) postings.add(postings.termFor('rare'), row, 2);
        }
        const collected = (from: typeof postings, stem: string) => {
          const found: (readonly [number, number])[] = [];
          from.each(from.termOf(stem) ?? -1, (lows, frequencies, first, to, base) => {
            for (let at = first; at < to; at++)
              found.push([base + (lows[at] as number), frequencies[at] as number]);
          });
          assert.equal(found.length, from.countOf(from.termOf(stem) ?? -1));
          return found;
        };
        const common = Array.from({ length: count }, (_, row) => [row, 1 + (row % 250)]);
        const unpacked = await unpackPostings(readerOf({ postings: postings.packed() }));
        for (const each of [postings, unpacked]) {
          assert.deepEqual(collected(each, 'common'), common);
          assert.equal(collected(each, 'rare').length, Math.ceil(count / step));
        }
        unpacked.add(unpacked.termFor('common'), count, 3);
        assert.deepEqual(collected(unpacked, 'common').at(-1), [count, 3]);
        const odd = Uint32Array.from({ length: count }, (_, row) => (row % 2 === 1 ? (row + 1) / 2 : 0));
        assert.deepEqual(
          collected(postings.renumbered(odd), 'common'),
          common.filter(([row = 0]) => row % 2 === 1).map(([row = 0, times]) => [(row - 1) / 2, times]),
        );
      },
    ),
    { numRuns: 15 },
  );
});
