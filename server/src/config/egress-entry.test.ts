import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isEgressEntry } from './egress-entry.ts';

it('takes origins, host patterns, addresses and blocks', () => {
  for (const entry of [
    'http://tools.internal:8080',
    'https://[fd00::1]',
    '*.corp.example',
    '10.0.0.0/8',
    '127.0.0.1',
    '::1',
    'fd00::/8',
  ]) {
    assert.ok(isEgressEntry(entry), entry);
  }
});

it('refuses everything else', () => {
  for (const entry of [
    '',
    '*',
    '*.',
    '*.0.0.1',
    'corp.example',
    'ftp://x',
    'http://',
    'http://x/path',
    'http://user:pass@x',
    'http://*.x',
    '10.0.0.0/33',
    '256.0.0.1',
    '10.0.0.0/8/8',
    'fd00::/129',
    '1:2:3',
  ]) {
    assert.ok(!isEgressEntry(entry), entry);
  }
});
