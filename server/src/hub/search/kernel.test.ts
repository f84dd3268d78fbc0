import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createLexicon } from './lexicon.ts';
import { builtInEmbedding } from './search-engine.ts';
import { openStaticEmbedding } from './static-embedding.ts';
import { createTextVectors } from './text-vectors.ts';
import { createVectorMemory } from './vector-memory.ts';
import { createVectors } from './vectors.ts';

const component = fc.float({ min: -1, max: 1, noNaN: true });
const case_ = fc
  .record({ dimensions: fc.integer({ min: 1, max: 100 }), rows: fc.integer({ min: 1, max: 40 }) })
  .chain(({ dimensions, rows }) => {
    const vector = fc.array(component, { minLength: dimensions, maxLength: dimensions });
    return fc.record({
      dimensions: fc.constant(dimensions),
      query: vector,
      vectors: fc.array(vector, { minLength: rows, maxLength: rows }),
      wanted: fc.uniqueArray(fc.integer({ min: 0, max: rows - 1 }), { minLength: 1 }),
    });
  });

it('says what plain arithmetic says, within what a byte keeps', () => {
  fc.assert(
    fc.property(case_, ({ dimensions, query, vectors, wanted }) => {
      const kept = createVectors(createVectorMemory(), dimensions);
      for (const [row, vector] of vectors.entries()) kept.set(row, Float32Array.from(vector));
      const asked = Float32Array.from(query);
      const likeness = new Map<number, number>();
      kept.each(asked, Uint32Array.from(wanted).sort(), Number.NEGATIVE_INFINITY, (row, like) => {
        assert.ok(!likeness.has(row), 'told once');
        likeness.set(row, like);
        return Number.NEGATIVE_INFINITY;
      });
      assert.equal(likeness.size, wanted.length, 'a row that was not asked for was told');
      for (const [row, vector] of vectors.entries()) {
        const exact = vector.reduce((sum, value, at) => sum + value * (query[at] as number), 0);
        const slack = query.reduce((sum, value) => sum + Math.abs(value), 0) / 254 + dimensions / 2000 + 1e-6;
        const said = kept.like(asked, row);
        assert.ok(Math.abs(said - exact) <= slack, `${said} is not ${exact}`);
        if (wanted.includes(row)) assert.equal(likeness.get(row), said);
      }
    }),
    { numRuns: 100 },
  );
});

it('adds up texts as plain arithmetic does', () => {
  const embedding = openStaticEmbedding(builtInEmbedding);
  const lexicon = createLexicon(embedding.rowsOf, () => []);
  const vectors = createTextVectors(embedding, createVectorMemory());
  for (const text of ['create an issue', 'unheardofword in Zürich', 'the weather, the weather']) {
    const sum = new Float64Array(embedding.dimensions);
    const words = lexicon.read(text, []);
    for (const { rows } of words) for (const row of rows) embedding.add(sum, row, 3);
    const length = Math.hypot(...sum);
    for (const [at, value] of vectors.of([{ words, times: 2 }]).entries()) {
      assert.ok(Math.abs(value - (sum[at] as number) / length) < 1e-5, `${text}: ${at}`);
    }
  }
  assert.ok(vectors.of([{ words: [], times: 1 }]).every((value) => value === 0));
});

it('tells of exactly those that are like enough, by what was wanted last', () => {
  const [dimensions, count] = [16, 9000];
  const kept = createVectors(createVectorMemory(), dimensions);
  const rows = Uint32Array.from({ length: count }, (_, row) => row);
  for (const row of rows)
    kept.set(
      row,
      Float32Array.from({ length: dimensions }, (_, at) => Math.sin(row * 7 + at * at)),
    );
  const query = Float32Array.from({ length: dimensions }, (_, at) => Math.cos(at));
  const likes = [...rows].map((row) => kept.like(query, row));
  const half = [...likes].sort((one, other) => one - other)[count >> 1] as number;
  const told: number[] = [];
  kept.each(query, rows, half, (row) => {
    told.push(row);
    return half;
  });
  assert.deepEqual(
    told,
    [...rows].filter((row) => (likes[row] as number) >= half),
  );
  let best = Number.NEGATIVE_INFINITY;
  kept.each(query, rows, best, (_, like) => {
    assert.ok(like >= best);
    best = like;
    return best;
  });
  assert.equal(best, Math.max(...likes));
});
