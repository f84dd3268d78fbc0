import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeAddress } from './addresses.ts';

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'an unspecified address': ['0.0.0.0', '0.1.2.3', '::'],
  'a loopback address': ['127.0.0.1', '127.255.255.254', '::1'],
  'a private address': ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
  'a link-local address': ['169.254.0.1', '169.254.169.253', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  'a carrier-grade NAT address': ['100.64.0.1', '100.127.255.255'],
  'a multicast address': ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'a broadcast address': ['255.255.255.255'],
  'a benchmarking address': ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  'a documentation address': ['192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '3fff::1'],
  'a reserved address': [
    '192.0.0.1',
    '192.88.99.1',
    '240.0.0.1',
    '254.1.1.1',
    '2001:1::1',
    '100::1',
    '4000::1',
    '5f00::1',
  ],
  'a unique-local address': ['fc00::1', 'fd12:3456::1'],
  'a site-local address': ['fec0::1'],
  'an IPv4-mapped address': ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a00:1'],
  'an IPv4-compatible address': ['::127.0.0.1', '::8.8.8.8', '::7f00:1'],
  'an IPv4-translated address': ['::ffff:0:10.0.0.1'],
  'a NAT64 address': ['64:ff9b::10.0.0.1', '64:ff9b::8.8.8.8', '64:ff9b:1::1'],
  'a 6to4 address': ['2002:7f00:1::', '2002:808:808::1'],
  'a Teredo address': ['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  'an ISATAP address': ['2a00:1450::5efe:10.0.0.1', '2a00:1450::200:5efe:10.0.0.1'],
  'a cloud metadata address': [
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '::169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '2001:0:0:0:0:0:5601:5601',
  ],
  'no IP address': [
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '010.0.0.1',
    '1.2.3.4/8',
    ' 8.8.8.8',
  ],
};

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
];

describe('the verdict over an address', () => {
  for (const [words, addresses] of Object.entries(REFUSED)) {
    for (const address of addresses) {
      it(`calls "${address}" ${words}`, () => {
        const isMetadata = words === 'a cloud metadata address';
        assert.deepEqual(judgeAddress(address), { words, isPublic: false, isMetadata });
      });
    }
  }

  for (const address of PUBLIC) {
    it(`calls ${address} public`, () => {
      assert.equal(judgeAddress(address).isPublic, true);
    });
  }
});
