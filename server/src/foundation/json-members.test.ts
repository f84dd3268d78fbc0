import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHeavierThan } from './json-members.ts';

test('a value is weighed by its characters and members', () => {
  assert.equal(isHeavierThan({ a: 'x'.repeat(90) }, 100), false);
  assert.equal(isHeavierThan({ a: 'x'.repeat(110) }, 100), true);
  assert.equal(isHeavierThan({ a: Array.from({ length: 101 }, () => 1) }, 100), true);
  assert.equal(isHeavierThan({ ['k'.repeat(200)]: 1 }, 100), true);
  assert.equal(isHeavierThan(null, 100), false);
});
