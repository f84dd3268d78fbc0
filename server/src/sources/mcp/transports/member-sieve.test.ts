import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemberSieve } from './member-sieve.ts';

function sieved(json: string, places: readonly number[], gathers: Record<string, 'known' | 'taken'> = {}) {
  const bytes = Buffer.from(json);
  const cuts = [...new Set(places.map((place) => 1 + (place % bytes.length)))].sort((a, b) => a - b);
  let passed = '';
  const sieve = new MemberSieve(new Map(Object.entries(gathers)), (part) => {
    passed += part.toString('latin1');
  });
  let rest = '';
  [1, ...cuts].forEach((from, index, all) => {
    const piece = bytes.subarray(from, all[index + 1] ?? bytes.length);
    rest += piece.toString('latin1', sieve.isDone ? 0 : sieve.read(piece, 0));
  });
  return { sieve, passed: Buffer.from(passed, 'latin1').toString('utf8'), rest };
}

const spaced = fc.constantFrom(0, 1);
const places = fc.array(fc.nat(), { maxLength: 12 });
const text = fc.string({
  unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', 'a', 'é', '\n', ' ', 'x'.repeat(40)),
});
// V8 of Node 24.21 reads the name `"` as `\\` where it has met that one before: JSON.parse, with which we compare, would be wrong.
const name = text.filter((one) => one !== '\\');
const object = fc.dictionary(
  fc.oneof(name, fc.constantFrom('isError', '_meta')),
  fc.oneof(fc.jsonValue(), text),
);

test('whatever an object holds and wherever it is cut, all of it comes out, and the bytes after it are not touched', () => {
  fc.assert(
    fc.property(object, spaced, places, (value, indent, cuts) => {
      const { sieve, passed, rest } = sieved(`${JSON.stringify(value, null, indent)}after`, cuts, {
        isError: 'known',
        _meta: 'taken',
      });
      assert.equal(sieve.problem, null);
      assert.equal(sieve.isDone, true);
      assert.equal(rest, 'after');
      const taken = sieve.gathered.get('_meta');
      const members = [...(passed === '' ? [] : [passed]), ...(taken ? [`"_meta":${taken}`] : [])];
      assert.deepEqual(JSON.parse(`{${members.join(',')}}`), JSON.parse(JSON.stringify(value)));
      assert.deepEqual([...sieve.names].sort(), Object.keys(value).sort());
      const known = sieve.gathered.get('isError')?.toString() ?? 'null';
      assert.deepEqual(JSON.parse(known), JSON.parse(JSON.stringify(value.isError ?? null)));
    }),
    { numRuns: 1000 },
  );
});

test('an object that is cut off is not done, wherever that is', () => {
  const json = '{"content":[{"type":"text","text":"a \\"b\\" {c"}],"n":1.5,"isError":false}';
  for (let end = 2; end < json.length; end++) {
    assert.equal(sieved(json.slice(0, end), []).sieve.isDone, false, json.slice(0, end));
  }
});

test('what is no object of members is a problem', () => {
  for (const json of ['{,', '{1:2}', '{"a" 1}', '{"a"::1}', '{"a":}', '{"a\\q":1}'])
    assert.notEqual(sieved(json, []).sieve.problem, null, json);
});

test('names and members that are gathered are bounded', () => {
  const long = 'x'.repeat(1_100_000);
  assert.notEqual(sieved(`{"${long}":1}`, []).sieve.problem, null);
  assert.notEqual(sieved(`{"_meta":"${long}"}`, [], { _meta: 'taken' }).sieve.problem, null);
  assert.equal(sieved(`{"content":"${long}"}`, [], { _meta: 'taken' }).sieve.problem, null);
});
