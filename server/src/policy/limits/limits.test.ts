import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitRequest } from '@sallyport/contracts';
import fc from 'fast-check';
import { manualClock } from '#foundation';
import { accepted, callOf, createLimited, passes, refusedOf, takeNow } from './fixtures/limited.ts';

const perUser = (rate: NonNullable<LimitRequest['rate']>): LimitRequest => ({
  name: 'Fair use',
  tools: ['Kit.*'],
  per: ['user'],
  rate,
});

describe('a rate', () => {
  it('lets pass what a bucket holds, as a model that knows every call of the past does', () => {
    const rates = fc.record({
      limit: fc.integer({ min: 1, max: 50 }),
      per_seconds: fc.integer({ min: 1, max: 90 }),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    const steps = fc.array(
      fc.record({
        /** `told`: as long as the refusal before said, or a millisecond less. */
        waitMs: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constantFrom('told', 'less')),
        calls: fc.integer({ min: 1, max: 12 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(rates, steps, (rate, walk) => {
        const clock = manualClock();
        const { limits } = createLimited([perUser(rate)], clock);
        // Every window that begins with a call that passed, in whole numbers: calls × period ≤ burst × period + elapsed × limit.
        const periodMs = rate.per_seconds * 1000;
        const passedAt: number[] = [];
        const fits = (atMs: number) =>
          passedAt.every(
            (since, index) =>
              (passedAt.length - index + 1) * periodMs <= rate.burst * periodMs + (atMs - since) * rate.limit,
          );
        let toldMs = 1;
        for (const { waitMs, calls } of walk) {
          clock.advance(typeof waitMs === 'number' ? waitMs : waitMs === 'told' ? toldMs : toldMs - 1);
          for (let n = 0; n < calls; n++) {
            const atMs = clock.monotonic();
            const taken = takeNow(limits, callOf());
            assert.equal(taken.ok, fits(atMs));
            if (taken.ok) passedAt.push(atMs);
            else toldMs = taken.error.retryAfterMs ?? 0;
          }
        }
      }),
    );
  });

  it('counts nothing of a call that did not begin, however often it ends', () => {
    const clock = manualClock();
    const { limits } = createLimited([perUser({ limit: 1, per_seconds: 3600 })], clock);
    for (let again = 0; again < 3; again++) {
      const taken = accepted(limits, callOf());
      taken.undo();
      taken.undo();
      taken.release();
    }
    const taken = accepted(limits, callOf());
    taken.release();
    taken.undo();
    assert.equal(passes(limits, callOf()), false);
  });

  it('says how long to wait: not a millisecond too long, and not one too short', () => {
    const rates = fc.record({
      limit: fc.integer({ min: 1, max: 1_000_000_000 }),
      per_seconds: fc.integer({ min: 1, max: 2_678_400 }),
      burst: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 10_000 }), (rate, laterMs) => {
        const clock = manualClock();
        const { limits } = createLimited([perUser(rate)], clock);
        for (let n = 0; n < rate.burst; n++) assert.ok(passes(limits, callOf()));
        clock.advance(laterMs);
        const refused = takeNow(limits, callOf());
        if (refused.ok) return;
        const waitMs = refused.error.retryAfterMs ?? 0;
        assert.ok(waitMs >= 1);
        clock.advance(waitMs - 1);
        assert.equal(passes(limits, callOf()), false);
        clock.advance(1);
        assert.equal(passes(limits, callOf()), true);
      }),
    );
  });

  it('allows as many at once as the limit is, where no burst is given', () => {
    const { limits } = createLimited([perUser({ limit: 3, per_seconds: 60 })]);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => passes(limits, callOf())),
      [true, true, true, false],
    );
  });

  it('tells the model what is limited, and programs which limit it was', () => {
    const { limits, entries } = createLimited([perUser({ limit: 20, per_seconds: 60, burst: 1 })]);
    accepted(limits, callOf());
    const { traces, ...refused } = refusedOf(limits, callOf());
    const id = entries.list('default')[0]?.id;
    assert.deepEqual(refused, {
      code: 'policy.rate_limited',
      message:
        'limit "Fair use" is exceeded for Kit.Tool (20 calls a minute for each user); try again in 3 s',
      retryAfterMs: 3000,
      details: { limit: { id, name: 'Fair use' } },
    });
    assert.deepEqual(traces, [{ id, name: 'Fair use', outcome: 'refused' }]);
  });
});

describe('a concurrency', () => {
  it('is never exceeded, and every place that was given back is there again', () => {
    const steps = fc.array(fc.nat({ max: 30 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), steps, (concurrency, walk) => {
        const { limits } = createLimited([{ name: 'Few', tools: ['*'], per: ['tool'], concurrency }]);
        const running: (() => void)[] = [];
        for (const step of walk) {
          if (step % 3 === 0) {
            const [end] = running.splice(step % Math.max(1, running.length), 1);
            // Twice is once.
            end?.();
            end?.();
            continue;
          }
          const taken = takeNow(limits, callOf());
          assert.equal(taken.ok, running.length < concurrency);
          if (taken.ok) running.push(taken.value.release);
        }
      }),
    );
  });

  it('is told without a time to wait, for nobody knows when a call ends', () => {
    const { limits } = createLimited([{ name: 'One', tools: ['*'], per: ['project'], concurrency: 1 }]);
    accepted(limits, callOf());
    const { code, message, retryAfterMs } = refusedOf(limits, callOf({ userId: 'bob' }));
    assert.deepEqual([code, retryAfterMs], ['policy.concurrency_limited', undefined]);
    assert.match(message, /^limit "One" is reached for Kit.Tool \(one call at once for all together\)/);
  });
});

describe('what a call is counted for', () => {
  const once = { limit: 1, per_seconds: 3600 };
  const others = {
    user: { userId: 'bob' },
    key: { keyId: 'key_2' },
    tool: { toolId: 'tool_2' },
    gateway: { gateway: 'g2' },
  } as const;

  for (const per of ['user', 'key', 'tool', 'gateway'] as const) {
    it(`per ${per}: another one has its own count, and nothing else makes a difference`, () => {
      const { limits } = createLimited([{ name: 'A', tools: ['*'], per: [per], rate: once }]);
      accepted(limits, callOf());
      for (const [dimension, other] of Object.entries(others)) {
        assert.equal(passes(limits, callOf(other)), dimension === per, dimension);
      }
    });
  }

  it('per project: all are counted together', () => {
    const { limits } = createLimited([{ name: 'A', tools: ['*'], per: ['project'], rate: once }]);
    accepted(limits, callOf());
    for (const other of Object.values(others)) assert.equal(passes(limits, callOf(other)), false);
  });

  it('per user and tool: each pair has its own count, in whatever order they are named', () => {
    for (const per of [
      ['user', 'tool'],
      ['tool', 'user'],
    ] as const) {
      const { limits } = createLimited([{ name: 'A', tools: ['*'], per: [...per], rate: once }]);
      accepted(limits, callOf());
      accepted(limits, callOf(others.user));
      accepted(limits, callOf(others.tool));
      assert.equal(passes(limits, callOf(others.tool)), false);
    }
  });

  it('calls without a user are those of one user', () => {
    const { limits } = createLimited([{ name: 'A', tools: ['*'], per: ['user'], rate: once }]);
    accepted(limits, callOf({ userId: null }));
    assert.equal(passes(limits, callOf({ userId: null })), false);
    assert.ok(passes(limits, callOf()));
  });

  it('only calls that a limit names: tools, traits, gateway, subjects; and no limit that is off', () => {
    const read = { readOnly: true, destructive: false, idempotent: true, openWorld: false };
    const traits = { ...read, operations: [], serviceDomains: [] };
    const limited: Partial<LimitRequest>[] = [
      { tools: ['Other.*'] },
      { metadata: { read_only: false } },
      { gateway: 'elsewhere' },
      { subjects: [{ user: 'bob' }] },
      { enabled: false },
    ];
    for (const only of limited) {
      const { limits } = createLimited([{ ...perUser(once), tools: ['*'], ...only }]);
      assert.deepEqual(accepted(limits, callOf({ traits })).traces, []);
    }
    const { limits } = createLimited([
      { ...perUser(once), metadata: { read_only: true }, gateway: 'g', subjects: [{ user: 'alice' }] },
    ]);
    assert.equal(accepted(limits, callOf({ traits })).traces.length, 1);
  });
});

describe('several limits', () => {
  it('a call that one refuses is counted for none', () => {
    const { limits } = createLimited([
      { name: 'Many', tools: ['*'], per: ['project'], rate: { limit: 5, per_seconds: 3600 } },
      { name: 'One each', tools: ['*'], per: ['user'], rate: { limit: 1, per_seconds: 3600 } },
      { name: 'Under way', tools: ['*'], per: ['key'], concurrency: 5 },
    ]);
    accepted(limits, callOf());
    const { traces } = refusedOf(limits, callOf());
    for (let n = 0; n < 20; n++) refusedOf(limits, callOf());
    assert.deepEqual(
      traces.map(({ name, outcome }) => [name, outcome]),
      [
        ['Many', 'passed'],
        ['One each', 'refused'],
        ['Under way', 'passed'],
      ],
    );
    for (const userId of ['b', 'c', 'd', 'e']) accepted(limits, callOf({ userId }));
    assert.match(refusedOf(limits, callOf({ userId: 'f' })).message, /"Many"/);
  });

  it('the longest wait is told', () => {
    const clock = manualClock();
    const rate = (per_seconds: number) => ({ limit: 1, per_seconds });
    const { limits } = createLimited(
      [
        { name: 'Short', tools: ['*'], per: ['user'], rate: rate(1) },
        { name: 'Long', tools: ['*'], per: ['user'], rate: rate(10) },
        { name: 'Running', tools: ['*'], per: ['user'], concurrency: 1 },
      ],
      clock,
    );
    const { release } = accepted(limits, callOf());
    const refused = refusedOf(limits, callOf());
    assert.deepEqual([refused.retryAfterMs, refused.code], [10_000, 'policy.rate_limited']);
    clock.advance(10_000);
    assert.equal(refusedOf(limits, callOf()).code, 'policy.concurrency_limited');
    release();
    accepted(limits, callOf());
  });
});

describe('a limit that changes', () => {
  const change = (used: LimitRequest, to: LimitRequest | null, clock = manualClock()) => {
    const limited = createLimited([used], clock);
    return { ...limited, clock, change: () => limited.replace(0, to) };
  };

  it('keeps what was used, as far as it now goes', () => {
    const { limits, change: apply } = change(
      perUser({ limit: 10, per_seconds: 3600 }),
      perUser({ limit: 4, per_seconds: 60 }),
    );
    for (let n = 0; n < 3; n++) accepted(limits, callOf());
    apply();
    accepted(limits, callOf());
    assert.equal(refusedOf(limits, callOf()).retryAfterMs, 15_000);
  });

  it('gives back by its old rate until it changes: who was idle long before has nothing used', () => {
    const clock = manualClock();
    const { limits, change: apply } = change(
      perUser({ limit: 2, per_seconds: 1 }),
      perUser({ limit: 2, per_seconds: 86_400 }),
      clock,
    );
    accepted(limits, callOf());
    accepted(limits, callOf());
    clock.advance(1000);
    apply();
    accepted(limits, callOf());
    accepted(limits, callOf());
    assert.equal(passes(limits, callOf()), false);
  });

  it('counts the calls under way when it gets a concurrency', () => {
    const { limits, change: apply } = change(perUser({ limit: 10, per_seconds: 60 }), {
      name: 'A',
      tools: ['*'],
      per: ['user'],
      concurrency: 1,
    });
    const { release } = accepted(limits, callOf());
    apply();
    refusedOf(limits, callOf());
    release();
    accepted(limits, callOf());
  });

  it('is gone at once when it is removed; calls that hold its places end as ever', () => {
    const { limits, change: apply } = change(
      { name: 'A', tools: ['*'], per: ['user'], concurrency: 1 },
      null,
    );
    const { release } = accepted(limits, callOf());
    refusedOf(limits, callOf());
    apply();
    assert.deepEqual(accepted(limits, callOf()).traces, []);
    release();
  });
});

describe('looking', () => {
  it('tells what is left and how many run, and counts nothing', async () => {
    const clock = manualClock();
    const { limits } = createLimited([{ ...perUser({ limit: 3, per_seconds: 30 }), concurrency: 7 }], clock);
    const look = async () => {
      const [one] = await limits.peek(callOf());
      return [one?.left, one?.running];
    };
    assert.deepEqual(await look(), [3, 0]);
    const { release } = accepted(limits, callOf());
    accepted(limits, callOf());
    for (let n = 0; n < 5; n++) assert.deepEqual(await look(), [1, 2]);
    release();
    clock.advance(10_000);
    assert.deepEqual(await look(), [2, 1]);
  });

  it('has null for what a limit does not limit', async () => {
    const { limits } = createLimited([
      perUser({ limit: 3, per_seconds: 30 }),
      { name: 'B', tools: ['*'], per: ['user'], concurrency: 2 },
    ]);
    const seen = await limits.peek(callOf());
    assert.deepEqual(
      seen.map(({ left, running }) => [left, running]),
      [
        [3, null],
        [null, 0],
      ],
    );
  });
});
