import type { LimitRequest } from '@sallyport/contracts';
import { type Clock, err, ok, type Result } from '#foundation';
import type { Redis } from '#storage';
import type { EntryList } from '../entries.ts';
import type { LimitedCall, Limits, Taken } from './contract.ts';
import { type Count, createCounts, leftOf, waitMs } from './counts.ts';
import type { Asked } from './limit.ts';
import { createPlans } from './plans.ts';
import { type RefusedCall, refusedCall } from './refused-call.ts';
import { createSharedCounts, type SharedCounts } from './shared-counts.ts';

export interface LimitsDeps {
  readonly entries: EntryList<LimitRequest>;
  readonly clock: Clock;
  /** Where replicas count together; `null`: each counts for itself. */
  readonly redis: Redis | null;
}

const unlimited = ok<Taken>({ traces: [], release() {}, undo() {} });

export function createLimits({ entries, clock, redis }: LimitsDeps): Limits {
  const counts = createCounts();
  const shared = redis === null ? null : createSharedCounts(redis, clock);
  const nowMs = () => Math.floor(clock.monotonic());
  const limitsOf = createPlans(entries, (before, after) => counts.move(before, after, nowMs()));
  const askedOf = (call: LimitedCall) => limitsOf(call).map((limit) => ({ limit, key: limit.keyOf(call) }));

  function takeHere(call: LimitedCall, asked: readonly Asked[]): Result<Taken, RefusedCall> {
    const now = nowMs();
    const found = asked.map(({ limit, key }) => counts.find(limit, key, now));
    const waits = asked.map(({ limit }, at) => waitMs(limit, found[at] ?? null, now));
    if (waits.some((wait) => wait > 0)) return err(refusedCall(call, asked, waits));
    return ok(countHere(asked, found, now));
  }

  function countHere(asked: readonly Asked[], found: readonly (Count | null)[], now: number): Taken {
    const counted = asked.map(({ limit, key }, at) => counts.add(limit, key, found[at] ?? null, now));
    let isOver = false;
    function release(): void {
      if (isOver) return;
      isOver = true;
      for (const count of counted) count.running--;
    }
    return {
      traces: asked.map(({ limit }) => limit.passed),
      release,
      undo() {
        if (isOver) return;
        release();
        for (const [at, { limit }] of asked.entries()) counts.takeBack(limit, counted[at] as Count);
      },
    };
  }

  /** The replicas decide; where Redis does not answer, this process does, by what it let through itself. */
  async function takeTogether(
    replicas: SharedCounts,
    call: LimitedCall,
    asked: readonly Asked[],
  ): Promise<Result<Taken, RefusedCall>> {
    const { waits, leave, takeBack } = await replicas.take(call.target.projectId, asked);
    if (waits?.some((wait) => wait > 0)) return err(refusedCall(call, asked, waits));
    if (waits === null) {
      const taken = takeHere(call, asked);
      if (!taken.ok) leave();
      return taken.ok ? ok(givenBackBy(taken.value, leave, takeBack)) : taken;
    }
    const now = nowMs();
    const found = asked.map(({ limit, key }) => counts.find(limit, key, now));
    return ok(givenBackBy(countHere(asked, found, now), leave, takeBack));
  }

  return {
    take(call) {
      const asked = askedOf(call);
      if (asked.length === 0) return unlimited;
      return shared === null ? takeHere(call, asked) : takeTogether(shared, call, asked);
    },
    async peek(call) {
      const asked = askedOf(call);
      const left = await shared?.peek(call.target.projectId, asked);
      const now = nowMs();
      return asked.map(({ limit, key }, at) => ({
        limit: limit.entry,
        ...(left?.[at] ?? leftOf(limit, counts.find(limit, key, now), now)),
      }));
    },
    close: () => shared?.close(),
  };
}

/** What is counted here and by all replicas. */
function givenBackBy({ traces, release, undo }: Taken, leave: () => void, takeBack: () => void): Taken {
  let isOver = false;
  const once = (own: () => void, ofAll: () => void) => () => {
    if (isOver) return;
    isOver = true;
    own();
    ofAll();
  };
  return {
    traces,
    release: once(release, leave),
    undo: once(undo, () => {
      leave();
      takeBack();
    }),
  };
}
