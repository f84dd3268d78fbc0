import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Nameless, nameAll } from './wire-names.ts';

const nameless = (id: string, plain: string, more: Partial<Nameless> = {}): Nameless => ({
  id: `tool_${id.padStart(24, '0')}`,
  chosen: null,
  plain,
  isOwner: true,
  firstSeenMs: 0,
  ...more,
});

test('a name of exactly 64 characters stays, one of 65 is cut and told apart', () => {
  const names = [...nameAll([nameless('1', 'a'.repeat(64)), nameless('2', 'b'.repeat(65))]).values()];
  assert.deepEqual(names, ['a'.repeat(64), `${'b'.repeat(55)}_00000002`]);
});

test('a name that somebody chose to look like a suffixed one takes nothing from anybody', () => {
  const names = nameAll([
    nameless('1', 'Github_Star', { firstSeenMs: 1 }),
    nameless('2', 'Github_Star', { firstSeenMs: 2 }),
    nameless('3', 'Github_Star_00000002', { firstSeenMs: 0 }),
  ]);
  assert.deepEqual(
    [...names.values()].sort(),
    ['Github_Star', 'Github_Star_00000002', 'Github_Star_00000002_2'].sort(),
  );
});

test('any names become as many names, and the same whatever their order', () => {
  const one = fc.record({
    plain: fc.constantFrom('a', 'b', 'a_00000001', 'b'.repeat(70)),
    isOwner: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), (these) => {
      const all = these.map(({ plain, isOwner }, at) => nameless(String(at), plain, { isOwner }));
      const names = nameAll(all);
      assert.equal(new Set(names.values()).size, all.length);
      assert.deepEqual(nameAll(all.toReversed()), names);
    }),
  );
});
