import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { packVector, unpackVector } from './vector-bytes.ts';

it('a vector that was kept is nearly what it was, in a quarter of the bytes', () => {
  const number = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(number, { minLength: 8, maxLength: 256 }), (numbers) => {
      const length = Math.hypot(...numbers);
      fc.pre(length > 1e-6);
      const vector = Float32Array.from(numbers, (one) => one / length);
      const bytes = packVector(vector);
      assert.equal(bytes.length, vector.length + 4);
      const kept = unpackVector(bytes) as Float32Array;
      assert.ok(vector.reduce((sum, value, at) => sum + value * (kept[at] as number), 0) > 0.999);
    }),
  );
});

it('bytes that are no vector are none', () => {
  const huge = Buffer.alloc(12, 1);
  huge.writeFloatLE(Number.POSITIVE_INFINITY);
  const odd = Buffer.alloc(12, 1);
  odd.writeFloatLE(Number.NaN);
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(12), huge, odd])
    assert.equal(unpackVector(bytes), null);
});
