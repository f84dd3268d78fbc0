import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareVersions } from './versions.ts';

test('versions are ordered by number, and a pre-release comes before its release', () => {
  const ordered = ['', '0.9', '1.0.0-alpha', '1.0.0-rc.2', '1.0.0-rc.10', '1.0.0', '1.2.0', '1.10.0', '2'];
  const shuffled = [...ordered].reverse().sort(compareVersions);
  assert.deepEqual(shuffled, ordered);
});

test('build metadata and a leading v do not count', () => {
  assert.equal(compareVersions('v1.2.0+linux', '1.2.0'), 0);
});

test('any two texts compare the same way round from both sides', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      assert.equal(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a)), 0);
    }),
  );
});
