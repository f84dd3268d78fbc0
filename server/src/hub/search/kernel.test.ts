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
      const likeness = new Float64Array(vectors.length).fill(7);
      kept.compare(Float32Array.from(query), Uint32Array.from(wanted), likeness);
      for (const [row, vector] of vectors.entries()) {
        const exact = vector.reduce((sum, value, at) => sum + value * (query[at] as number), 0);
        const slack = query.reduce((sum, value) => sum + Math.abs(value), 0) / 254 + dimensions / 2000 + 1e-6;
        const said = likeness[row] as number;
        if (wanted.includes(row)) assert.ok(Math.abs(said - exact) <= slack, `${said} is not ${exact}`);
        else assert.equal(said, 7, 'a row that was not asked for was written');
      }
    }),
    { numRuns: 100 },
  );
});

it('adds up texts as plain arithmetic does', () => {
  const embedding = openStaticEmbedding(builtInEmbedding);
  const lexicon = createLexicon(embedding.rowsOf, () => []);
  const vectors = createTextVectors(lexicon, embedding, createVectorMemory());
  for (const text of ['create an issue', 'unheardofword in Zürich', 'the weather, the weather']) {
    const sum = new Float64Array(embedding.dimensions);
    lexicon.each(text, ({ rows }) => {
      for (const row of rows) embedding.add(sum, row, 3);
    });
    const length = Math.hypot(...sum);
    for (const [at, value] of vectors.of([{ text, times: 2 }]).entries()) {
      assert.ok(Math.abs(value - (sum[at] as number) / length) < 1e-5, `${text}: ${at}`);
    }
  }
  assert.ok(vectors.of([{ text: '', times: 1 }]).every((value) => value === 0));
});
