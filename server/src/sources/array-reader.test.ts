import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArrayReader } from './array-reader.ts';

/** The items of a text that comes in pieces of these sizes, or null where it is no array. */
function itemsOf(text: string, sizes: readonly number[]): unknown {
  const reader = new ArrayReader();
  const bytes = Buffer.from(text);
  const items: unknown[] = [];
  try {
    for (let at = 0, nth = 0; at < bytes.length; nth++) {
      const size = sizes[nth % sizes.length] ?? 1;
      const piece = Buffer.from(bytes.subarray(at, at + size));
      for (const item of reader.read(piece)) items.push(JSON.parse(item.toString('utf8')));
      // What is kept of it must not lie in it.
      piece.fill(0);
      at += size;
    }
  } catch (thrown) {
    assert.ok(thrown instanceof SyntaxError);
    return null;
  }
  return reader.isComplete ? items : null;
}

function whole(text: string): unknown {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

test('an array that comes in pieces is read item by item as it is read as a whole', () => {
  const odd = fc.constantFrom('\\', '"', '\\"', '\\\\', 'é', '😀', '[{', '}],');
  const text = fc.array(fc.oneof(odd, fc.string())).map((parts) => parts.join(''));
  const value = fc.oneof(fc.jsonValue(), text, fc.dictionary(text, text));
  fc.assert(
    fc.property(fc.array(value), fc.constantFrom(undefined, 1, '\t'), sizes, (value, space, sizes) => {
      const text = ` ${JSON.stringify(value, null, space)}\n`;
      assert.deepEqual(itemsOf(text, sizes), whole(text));
    }),
  );
});

test('what is no array is none, wherever it goes wrong and however it comes', () => {
  const part = fc.constantFrom('[', ']', '{', '}', ',', '"', '1', 'a', ':', ' ', '\\', 'null');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), sizes, (parts, sizes) => {
      const text = `[${parts.join('')}`;
      assert.deepEqual(itemsOf(text, sizes), whole(text), text);
      assert.deepEqual(itemsOf(parts.join(''), sizes), whole(parts.join('')), parts.join(''));
    }),
    { numRuns: 3000 },
  );
});
