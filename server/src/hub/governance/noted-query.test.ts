import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type NotedQuery, noteQuery } from './noted-query.ts';
import { callersOf } from './tally.ts';

const dayOf = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString();

/** Says this as these callers, on these days. */
function saying(
  said: readonly { query: string; caller: string; day: number; outcome?: NotedQuery['outcome'] }[],
): readonly NotedQuery[] {
  let kept: readonly NotedQuery[] = [];
  for (const { query, caller, day, outcome = 'led' } of said) {
    const change = noteQuery(kept, { outcome, query }, caller, dayOf(day));
    if (change === null) continue;
    const { put, drop } = change;
    kept = [
      ...kept.filter(
        (one) => !drop.includes(one) && !(one.query === put.query && one.outcome === put.outcome),
      ),
      put,
    ];
  }
  return kept;
}

describe('what is kept of the queries of a tool', () => {
  it('counts each caller once a day, and different callers each', () => {
    const [noted] = saying([
      ...Array.from({ length: 50 }, () => ({ query: 'q', caller: 'ann', day: 0 })),
      { query: 'q', caller: 'ann', day: 1 },
      { query: 'q', caller: 'bob', day: 1 },
    ]);
    assert.ok(noted);
    assert.deepEqual([noted.uses, callersOf(noted)], [3, 2]);
  });

  it('is at most 30 queries, 8 of which one caller alone may have brought, however many they say', () => {
    const flood = Array.from({ length: 100 }, (_, n) => ({ query: `flood ${n}`, caller: 'eve', day: n }));
    const others = Array.from({ length: 60 }, (_, n) => ({ query: `q ${n}`, caller: `c${n}`, day: n }));
    assert.equal(saying(flood).length, 8);
    const kept = saying([...flood, ...others]);
    assert.equal(kept.length, 30);
    assert.ok(kept.filter(({ callers }) => callers.eve !== undefined).length <= 8);
  });

  it('loses nothing that several said to what one caller says', () => {
    const proven = Array.from({ length: 30 }, (_, n) => [
      { query: `q ${n}`, caller: 'ann', day: 0 },
      { query: `q ${n}`, caller: 'bob', day: 0 },
    ]).flat();
    const before = saying(proven.toSorted((a, b) => (a.caller < b.caller ? -1 : 1)));
    const known = new Set(before.filter((one) => callersOf(one) === 2).map(({ query }) => query));
    assert.ok(known.size > 0);
    const flood = Array.from({ length: 100 }, (_, n) => ({ query: `flood ${n}`, caller: 'eve', day: n }));
    const after = saying([...proven.toSorted((a, b) => (a.caller < b.caller ? -1 : 1)), ...flood]);
    for (const query of known) assert.ok(after.some((one) => one.query === query));
  });

  it('holds its bounds whatever is said by whom, and counts never go down', () => {
    const saidOnce = fc.record({
      query: fc.constantFrom(...Array.from({ length: 80 }, (_, n) => `q ${n}`)),
      caller: fc.constantFrom('ann', 'bob', 'eve', 'kim'),
      day: fc.nat(5),
      outcome: fc.constantFrom('led' as const, 'missed' as const),
    });
    fc.assert(
      fc.property(fc.array(saidOnce, { maxLength: 200 }), (said) => {
        const kept = saying(said);
        const led = kept.filter(({ outcome }) => outcome === 'led');
        assert.ok(led.length <= 30 && kept.length - led.length <= 6);
        for (const one of kept) assert.ok(one.uses >= callersOf(one) && callersOf(one) >= 1);
        assert.equal(new Set(kept.map(({ outcome, query }) => `${outcome} ${query}`)).size, kept.length);
      }),
    );
  });

  it('knows no more than 32 callers of a query', () => {
    const [noted] = saying(Array.from({ length: 100 }, (_, n) => ({ query: 'q', caller: `c${n}`, day: 0 })));
    assert.ok(noted);
    assert.deepEqual([noted.uses, callersOf(noted)], [32, 32]);
  });
});
