import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Named } from './contract.ts';
import { createSlots } from './slots.ts';

/** Numbers that look random, the same every time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

function idsIn(slots: ReturnType<typeof createSlots>, bits: Uint8Array): (string | undefined)[] {
  const ids: (string | undefined)[] = [];
  for (let slot = 0; slot < bits.length * 8; slot++)
    if (((bits[slot >> 3] ?? 0) >> (slot & 7)) & 1) ids.push(slots.idOf(slot));
  return ids;
}

describe('slots that are named in parts', () => {
  it('are put together to exactly those of the ids that are in, whatever came and went since', () => {
    const below = numbers(7);
    const slots = createSlots();
    const parts = Array.from({ length: 5 }, (_, part) =>
      Array.from({ length: 40 }, (_, at) => `part${part}-${at}`),
    );
    const all = parts.flat();
    const kept: Named[] = parts.map((part) => slots.named(part));
    let stillCurrent = 0;
    for (let round = 0; round < 500; round++) {
      const id = all[below(all.length)] as string;
      if (below(3) > 0) slots.give(id, `${round}`);
      else {
        const slot = slots.take(id);
        if (slot !== undefined && below(4) > 0) slots.free([slot]);
      }
      for (const [at, part] of parts.entries())
        if (slots.isCurrent(kept[at] as Named)) stillCurrent++;
        else kept[at] = slots.named(part);
      const { bits, count } = slots.permitted(kept);
      const found = idsIn(slots, bits).sort();
      const there = [...slots.ids()].sort();
      assert.deepEqual(found, there);
      assert.equal(slots.size, there.length);
      assert.equal(count, found.length);
    }
    assert.ok(stillCurrent > 500, 'what did not change is not named again');
  });

  it('are named again when more went than is remembered', () => {
    const slots = createSlots();
    slots.give('kept', '1');
    const named = slots.named(['kept']);
    for (let round = 0; round < 70_000; round++) {
      slots.give('other', '1');
      slots.free([slots.take('other') as number]);
    }
    assert.equal(slots.isCurrent(named), false);
    assert.equal(slots.isCurrent(slots.named(['kept'])), true);
  });
});
