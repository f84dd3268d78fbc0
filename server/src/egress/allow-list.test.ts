import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '#foundation';
import { parseAllowList } from './allow-list.ts';
import type { Destination } from './destination.ts';
import { parseDestination } from './destination.ts';

function destination(uri: string): Destination {
  const parsed = parseDestination(uri);
  assert.ok(parsed.ok);
  return parsed.value;
}

function coversName(entry: string, uri: string): boolean {
  return parseAllowList([entry]).coversName(destination(uri));
}

describe('the allow-list', () => {
  it('covers an origin exactly: its scheme, its host and its port', () => {
    assert.equal(coversName('http://worker.internal:8002', 'http://worker.internal:8002/worker'), true);
    assert.equal(coversName('HTTP://Worker.Internal:8002/', 'http://worker.internal:8002'), true);
    assert.equal(coversName('http://worker.internal:8002', 'https://worker.internal:8002'), false);
    assert.equal(coversName('http://worker.internal:8002', 'http://worker.internal:8003'), false);
    assert.equal(coversName('http://worker.internal:8002', 'http://a.worker.internal:8002'), false);
  });

  it('fills in the default ports', () => {
    assert.equal(coversName('http://worker.internal', 'http://worker.internal:80'), true);
    assert.equal(coversName('https://worker.internal:443', 'https://worker.internal'), true);
    assert.equal(coversName('https://worker.internal', 'https://worker.internal:8443'), false);
  });

  it('covers names below a wildcard, on any port, and not the apex', () => {
    assert.equal(coversName('*.svc.cluster.local', 'http://worker.tools.svc.cluster.local:8002'), true);
    assert.equal(coversName('*.SVC.cluster.local', 'https://worker.svc.cluster.local'), true);
    assert.equal(coversName('*.svc.cluster.local', 'http://svc.cluster.local'), false);
    assert.equal(coversName('*.svc.cluster.local', 'http://evilsvc.cluster.local'), false);
    assert.equal(coversName('*.svc.cluster.local', 'http://worker.svc.cluster.local.evil.com'), false);
  });

  it('covers the addresses inside a block, mapped ones too', () => {
    const list = parseAllowList(['10.1.0.0/16', 'fd00:1::/32', '192.168.1.7']);
    for (const address of ['10.1.0.1', '10.1.255.255', '::ffff:10.1.2.3', 'fd00:1::7', '192.168.1.7']) {
      assert.equal(list.coversAddress(address), true, address);
    }
    for (const address of ['10.2.0.1', '::ffff:10.2.0.1', 'fd00:2::7', '192.168.1.8', 'worker']) {
      assert.equal(list.coversAddress(address), false, address);
    }
  });

  it('names an address only where it is listed by itself', () => {
    const list = parseAllowList(['169.254.0.0/16', '100.100.100.200', 'fd00:ec2::254/128']);
    assert.equal(list.namesAddress('169.254.169.254'), false);
    assert.equal(list.namesAddress('100.100.100.200'), true);
    assert.equal(list.namesAddress('fd00:ec2::254'), true);
  });

  const malformed = [
    '',
    '*',
    '*.',
    '*.1',
    'a.*.b',
    'worker',
    'worker:8002',
    'ftp://worker',
    'http://',
    'http://worker/path',
    'http://worker?x',
    'http://worker#x',
    'http://*.worker:80',
    'http://worker:99999',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.1/16',
    '0x7f.0.0.1',
    'fe80::1%eth0',
    '::/129',
  ];
  for (const entry of malformed) {
    it(`refuses the entry "${entry}" and names it`, () => {
      assert.throws(
        () => parseAllowList(['http://good:80', entry]),
        (thrown) => thrown instanceof Fault && thrown.message.includes(`"${entry}"`),
      );
    });
  }

  it('refuses credentials in an entry without repeating them', () => {
    assert.throws(
      () => parseAllowList(['http://user:hunter2@worker:80']),
      (thrown) =>
        thrown instanceof Fault &&
        thrown.message.includes('@worker:80') &&
        !thrown.message.includes('hunter2'),
    );
  });
});
