import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrayItems, memberItems, notAnArray } from './json-array.ts';

/** The items, or null where it is no array. */
function itemsOf(text: string): unknown {
  try {
    return [...arrayItems(Buffer.from(text))];
  } catch (error) {
    assert.equal(error, notAnArray);
    return null;
  }
}

function whole(text: string): unknown {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

test('an array is read item by item as it is read as a whole', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = ` ${JSON.stringify(value, null, space)}\n`;
      assert.deepEqual(itemsOf(text), whole(text));
    }),
  );
});

test('what is no array is none, wherever it goes wrong', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('[', ']', '{', '}', ',', '"', '1', 'a', ':', ' ', '\\', 'null'), {
        maxLength: 12,
      }),
      (parts) => {
        const text = `[${parts.join('')}`;
        assert.deepEqual(itemsOf(text), whole(text), text);
        assert.deepEqual(itemsOf(parts.join('')), whole(parts.join('')), parts.join(''));
      },
    ),
    { numRuns: 3000 },
  );
});

test('of several members with one name, the last one counts', () => {
  const json = Buffer.from('{"tools": [1], "other": {"tools": [2]}, "tools" : [ {"a": [3]} ] }');
  assert.deepEqual([...memberItems(json, 'tools')], [{ a: [3] }]);
});
