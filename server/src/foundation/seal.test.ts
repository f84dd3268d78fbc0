import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createSealer } from './seal.ts';

const sealer = createSealer(randomBytes(32));
const sealed = sealer.seal('session', { user: 'ann', secret: 'words' }, 'key_1');

test('what was sealed opens where it was meant to, and holds nothing that can be read', () => {
  assert.deepEqual(sealer.open('session', sealed, 'key_1'), { user: 'ann', secret: 'words' });
  assert.match(sealed, /^[A-Za-z0-9_-]+$/);
  assert.equal(Buffer.from(sealed, 'base64url').includes('words'), false);
  assert.notEqual(sealer.seal('session', { user: 'ann', secret: 'words' }, 'key_1'), sealed);
});

test('it does not open for another purpose, another bearer or another key', () => {
  assert.equal(sealer.open('state', sealed, 'key_1'), null);
  assert.equal(sealer.open('session', sealed, 'key_2'), null);
  assert.equal(createSealer(randomBytes(32)).open('session', sealed, 'key_1'), null);
});

test('a changed, cut, padded or invented text does not open', () => {
  for (let at = 0; at < sealed.length; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A';
    assert.equal(sealer.open('session', sealed.slice(0, at) + other + sealed.slice(at + 1), 'key_1'), null);
    assert.equal(sealer.open('session', sealed.slice(0, at), 'key_1'), null);
  }
  for (const text of ['', 'x', `${sealed}=`, `${sealed} `, `${sealed}\n`, '☃'.repeat(40)]) {
    assert.equal(sealer.open('session', text, 'key_1'), null);
  }
});
