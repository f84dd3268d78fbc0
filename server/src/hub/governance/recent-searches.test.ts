import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '#foundation';
import { createRecentSearches, type Evidence, type RecentLimits } from './recent-searches.ts';

const minuteMs = 60_000;
const limits: RecentLimits = { keptMs: 10 * minuteMs, perBearer: 4, overall: 10, bytes: 1_000_000 };

let clock: ReturnType<typeof manualClock>;
let told: Evidence[];
let recent: ReturnType<typeof createRecentSearches>;

beforeEach(() => {
  clock = manualClock();
  told = [];
  recent = createRecentSearches(clock, (evidence) => void told.push(evidence), limits);
});

const search = (query: string, ...toolIds: string[]) =>
  recent.remember('ann', 'p', [found(query, ...toolIds)]);
const found = (query: string, ...toolIds: string[]) => ({
  query,
  hits: toolIds.map((id) => ({ id, alike: [] })),
});
const use = (toolId: string) => recent.used('ann', toolId);
function over() {
  clock.advance(11 * minuteMs);
  return told.map(({ outcome, query, toolId }) => `${outcome} ${query} → ${toolId}`);
}

describe('a query is put down to a tool', () => {
  it('when that tool was the only one that was used of those it found', () => {
    search('Write a  mail!', 'send', 'read');
    use('send');
    use('send');
    assert.deepEqual(told, []);
    assert.deepEqual(over(), ['led write a mail → send']);
    assert.deepEqual(
      told.map(({ bearer }) => bearer),
      ['ann'],
    );
    assert.deepEqual(recent.size(), { searches: 0, bearers: 0, bytes: 0 });
  });

  it('never when two of them were, or none', () => {
    search('mails', 'send', 'read');
    use('send');
    use('read');
    search('nothing of it', 'move');
    assert.deepEqual(over(), []);
  });

  it('of the latest search that found it, and of what was searched for together, the one that has it furthest up', () => {
    search('first', 'send');
    search('unrelated', 'fork');
    const together = [
      found('write', 'read', 'send'),
      found('write a mail', 'send', 'read'),
      found('mail again', 'send'),
    ];
    recent.remember('ann', 'p', together);
    assert.equal(recent.queryFor('ann', 'send'), 'write a mail');
    use('send');
    assert.deepEqual(over(), ['led write a mail → send']);
  });

  it('that stood for it, too', () => {
    recent.remember('ann', 'p', [{ query: 'write a mail', hits: [{ id: 'send', alike: ['send 2'] }] }]);
    use('send 2');
    assert.deepEqual(over(), ['led write a mail → send 2']);
  });

  it('only of whoever searched, and only for so long', () => {
    search('write a mail', 'send');
    assert.equal(recent.queryFor('bob', 'send'), null);
    assert.equal(recent.queryFor('ann', 'read'), null);
    recent.used('bob', 'send');
    clock.advance(limits.keptMs);
    assert.equal(recent.queryFor('ann', 'send'), null);
    use('send');
    assert.deepEqual(over(), []);
  });

  it('also when the process ends before its time is over', () => {
    search('write a mail', 'send');
    use('send');
    recent.close();
    assert.equal(told.length, 1);
  });

  it('not when it holds what may be somebody’s, or a secret, or is long; what it found is known all the same', () => {
    search('my last mail', 'read');
    for (const query of [
      'write to ann.other@mail.example',
      'call +49 30 1234567',
      'log in with password: hunter2',
      'look at AKIAIOSFODNN7EXAMPLE in the vault',
      'transfer to DE89 3704 0044 0532 0130 00',
      'use a8f5f167f44f4964e6c998de',
      'order 4111 1111 1111 1111',
      'open the ticket 123456789',
      'long '.repeat(80),
      ' …! ',
    ]) {
      search(query, 'send');
      assert.equal(recent.queryFor('ann', 'send'), null, query);
      use('send');
    }
    assert.deepEqual(over(), []);
  });
});

describe('a query that missed', () => {
  it('is one after which its caller named a tool that it had not found', () => {
    search('post something', 'read');
    use('send');
    assert.deepEqual(over(), ['missed post something → send']);
  });

  it('is one that found the tool far down, too', () => {
    search('post something', 'a', 'b', 'c', 'd', 'e', 'send');
    use('send');
    assert.deepEqual(over(), ['led post something → send', 'missed post something → send']);
  });

  it('is none that led to anything, none of several at once, and none before several tools were named', () => {
    search('first', 'read');
    use('read');
    use('send');
    recent.remember('ann', 'p', [found('second', 'read'), found('third', 'read')]);
    use('send');
    search('fourth', 'read');
    use('send');
    use('move');
    assert.deepEqual(over(), ['led first → read']);
  });
});

describe('what is remembered of searches', () => {
  it('is bounded for each bearer: the oldest ends sooner, and what it led to is told', () => {
    search('query zero', 'send');
    use('send');
    for (const word of ['one', 'two', 'three', 'four']) search(`query ${word}`, 'send');
    assert.deepEqual(
      told.map(({ query }) => query),
      ['query zero'],
    );
    assert.equal(recent.size().searches, limits.perBearer);
  });

  it('is bounded in number and bytes, whoever searches for whatever', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            bearer: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
            query: fc.string({ maxLength: 400 }),
            tools: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 60 }),
            waitsMs: fc.nat(minuteMs),
            uses: fc.option(fc.constantFrom('x', 'y', 'z', 'other')),
          }),
          { maxLength: 60 },
        ),
        (steps) => {
          const tight = { ...limits, bytes: 6000 };
          const bounded = createRecentSearches(clock, () => undefined, tight);
          for (const { bearer, query, tools, waitsMs, uses } of steps) {
            bounded.remember(bearer, 'p', [found(query, ...tools)]);
            if (uses !== null) bounded.used(bearer, uses);
            const { searches, bytes, bearers } = bounded.size();
            assert.ok(searches <= tight.overall && bytes <= tight.bytes && bearers <= 5);
            clock.advance(waitsMs);
          }
          bounded.close();
          assert.deepEqual(bounded.size(), { searches: 0, bearers: 0, bytes: 0 });
        },
      ),
    );
  });

  it('says of a query at most one tool, which it found and whose only user was who searched', () => {
    const tools = ['x', 'y', 'z'];
    const step = fc.record({
      bearer: fc.constantFrom('a', 'b'),
      hits: fc.option(fc.uniqueArray(fc.constantFrom(...tools))),
      uses: fc.constantFrom(...tools),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const said: Evidence[] = [];
        const roomy = { ...limits, perBearer: 100, overall: 1000 };
        const memory = createRecentSearches(clock, (evidence) => void said.push(evidence), roomy);
        const searches = new Map<string, { bearer: string; found: readonly string[] }>();
        const used = new Set<string>();
        for (const [at, { bearer, hits, uses }] of steps.entries()) {
          if (hits !== null) {
            const query = `query ${'abcdefghij'[Math.floor(at / 10)]}${'abcdefghij'[at % 10]}`;
            searches.set(query, { bearer, found: hits });
            memory.remember(bearer, 'p', [found(query, ...hits)]);
          }
          memory.used(bearer, uses);
          used.add(`${bearer} ${uses}`);
        }
        memory.close();
        const led = said.filter(({ outcome }) => outcome === 'led');
        assert.equal(new Set(led.map(({ query }) => query)).size, led.length);
        for (const { query, bearer, toolId } of led) {
          assert.equal(searches.get(query)?.bearer, bearer);
          assert.ok(searches.get(query)?.found.includes(toolId));
          assert.ok(used.has(`${bearer} ${toolId}`));
        }
      }),
    );
  });
});
