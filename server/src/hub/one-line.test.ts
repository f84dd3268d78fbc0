import assert from 'node:assert/strict';
import { it } from 'node:test';
import { oneLine } from './one-line.ts';

it('a text on one line is its first sentence, short, and holds nothing but text', () => {
  assert.equal(oneLine('Sends a mail. Needs an address.'), 'Sends a mail.');
  assert.equal(oneLine('Reads v1.2 files, e.g. these'), 'Reads v1.2 files, e.g. these');
  assert.equal(oneLine('one\ntwo\u0007\u202e three\u2028four'), 'one two three four');
  const long = oneLine('ä'.repeat(5000));
  assert.equal(Array.from(long).length, 120);
  assert.ok(long.endsWith('…'));
  assert.equal(oneLine('\u0000\ud800'), '');
});
