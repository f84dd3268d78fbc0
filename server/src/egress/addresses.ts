import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What an address is, as far as it matters for who may reach it. */
export interface AddressVerdict {
  /** In words, to follow "which is": `a loopback address`. */
  readonly words: string;
  /** Plain public unicast: what anybody may reach. */
  readonly isPublic: boolean;
  /** Hands out the credentials of the machine; reached by nobody unless this very address is allowed. */
  readonly isMetadata: boolean;
}

const PUBLIC: AddressVerdict = { words: 'a public address', isPublic: true, isMetadata: false };
const METADATA: AddressVerdict = { words: 'a cloud metadata address', isPublic: false, isMetadata: true };

const METADATA_ADDRESSES = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

const RANGES: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  broadcast: 'a broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address',
  loopback: 'a loopback address',
  carrierGradeNat: 'a carrier-grade NAT address',
  private: 'a private address',
  uniqueLocal: 'a unique-local address',
  deprecatedSiteLocal: 'a site-local address',
  ipv4Mapped: 'an IPv4-mapped address',
  rfc6145: 'an IPv4-translated address',
  rfc6052: 'a NAT64 address',
  '6to4': 'a 6to4 address',
  teredo: 'a Teredo address',
  benchmarking: 'a benchmarking address',
};

/**
 * `isIP` first: ipaddr.js alone also takes octal, hexadecimal and short spellings. It takes `::1.2.3.4` for mapped,
 * which the WHATWG spelling of the same address is not.
 */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const family = isIP(text);
  if (family === 0) return null;
  const hostname = family === 6 ? URL.parse(`http://[${text}]`)?.hostname.slice(1, -1) : undefined;
  return ipaddr.parse(hostname ?? text);
}

export function judgeAddress(text: string): AddressVerdict {
  const address = parseAddress(text);
  if (address === null) return refused('no IP address');
  return address instanceof ipaddr.IPv4 ? judgeIPv4(address) : judgeIPv6(address);
}

function judgeIPv4(address: ipaddr.IPv4): AddressVerdict {
  const text = address.toString();
  if (METADATA_ADDRESSES.has(text)) return METADATA;
  const range = address.range();
  if (range === 'unicast') return PUBLIC;
  if (address.match(ipaddr.IPv4.parse('198.18.0.0'), 15)) return refused('a benchmarking address');
  for (const block of ['192.0.2.0', '198.51.100.0', '203.0.113.0']) {
    if (address.match(ipaddr.IPv4.parse(block), 24)) return refused('a documentation address');
  }
  return refused(RANGES[range] ?? 'a reserved address');
}

/** Addresses that carry an IPv4 address are refused as such, and are metadata where the one they carry is. */
function judgeIPv6(address: ipaddr.IPv6): AddressVerdict {
  if (METADATA_ADDRESSES.has(address.toString().replace(/%.*$/, ''))) return METADATA;
  const carried = carriedIPv4(address);
  if (carried !== null && METADATA_ADDRESSES.has(carried.toString())) return METADATA;
  const parts = address.parts;
  const range = address.range();
  if (range !== 'unicast') {
    const isDocumentation = (parts[0] === 0x2001 && parts[1] === 0xdb8) || parts[0] === 0x3fff;
    return refused(isDocumentation ? 'a documentation address' : (RANGES[range] ?? 'a reserved address'));
  }
  if (carried !== null) return refused(parts[0] === 0 ? 'an IPv4-compatible address' : 'an ISATAP address');
  const isGlobalUnicast = ((parts[0] ?? 0) & 0xe000) === 0x2000;
  return isGlobalUnicast ? PUBLIC : refused('a reserved address');
}

/** The IPv4 address inside a mapped, compatible, translated, NAT64, 6to4, Teredo or ISATAP address. */
export function carriedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const parts = address.parts;
  const at = (index: number) => parts[index] ?? 0;
  if (at(0) === 0x2002) return fromParts(at(1), at(2));
  if (at(0) === 0x2001 && at(1) === 0) return fromParts(at(6) ^ 0xffff, at(7) ^ 0xffff);
  const isIsatap = (at(4) & 0xfdff) === 0 && at(5) === 0x5efe;
  const startsWithZeros = parts.slice(0, 4).every((part) => part === 0);
  const isNat64 = at(0) === 0x64 && at(1) === 0xff9b;
  return isIsatap || startsWithZeros || isNat64 ? fromParts(at(6), at(7)) : null;
}

function fromParts(high: number, low: number): ipaddr.IPv4 {
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
}

function refused(words: string): AddressVerdict {
  return { words, isPublic: false, isMetadata: false };
}
