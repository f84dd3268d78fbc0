import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createIdTable } from './id-table.ts';

it('has what a map has, whatever comes and goes', () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 60 }), comes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ids: string[] = [];
      const table = createIdTable((place) => ids[place]);
      const map = new Map<string, number>();
      for (const { id: number, comes } of steps) {
        const id = `id-${number % 7}-${number}`;
        if (!comes) {
          assert.equal(table.remove(id), map.get(id));
          map.delete(id);
        } else if (!map.has(id)) {
          map.set(id, ids.length);
          table.add(id, ids.length);
          ids.push(id);
        }
        assert.equal(table.size, map.size);
      }
      for (let number = 0; number <= 60; number++) {
        const id = `id-${number % 7}-${number}`;
        assert.equal(table.find(id), map.get(id));
      }
    }),
  );
});
