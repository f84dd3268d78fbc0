import ipaddr from 'ipaddr.js';
import { Fault } from '#foundation';
import { carriedIPv4, parseAddress } from './addresses.ts';
import type { Destination } from './destination.ts';

/** What the operator lets destinations from the API reach although it is internal. */
export interface AllowList {
  /** Listed by its origin, or by a wildcard over its host name. */
  coversName(destination: Destination): boolean;
  /** Inside a listed block, or listed itself. */
  coversAddress(address: string): boolean;
  /** This very address is listed, not only a block around it. */
  namesAddress(address: string): boolean;
}

type Block = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

const WILDCARD = /^\*(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+$/;

export function parseAllowList(entries: readonly string[]): AllowList {
  const origins = new Set<string>();
  const suffixes: string[] = [];
  const blocks: Block[] = [];
  for (const entry of entries) {
    const origin = entry.includes('://') ? parseOrigin(entry) : null;
    const block = parseBlock(entry);
    if (origin !== null) origins.add(origin);
    else if (block !== null) blocks.push(block);
    else if (isWildcard(entry)) suffixes.push(entry.slice(1).toLowerCase());
    else throw malformed(entry);
  }
  return {
    coversName: ({ scheme, hostname, port }) =>
      origins.has(originKey(scheme, hostname, port)) || suffixes.some((suffix) => hostname.endsWith(suffix)),
    coversAddress: (address) => blocks.some((block) => matches(address, block)),
    namesAddress: (address) => blocks.some((block) => isSingle(block) && matches(address, block)),
  };
}

function malformed(entry: string): Fault {
  const shown = entry.replace(/\/\/.*@/, '//…@');
  return new Fault(
    `egress.allow (SALLYPORT_EGRESS_ALLOW): "${shown}" is not scheme://host:port, *.wild.card, an IP address or a CIDR block`,
  );
}

function originKey(scheme: string, hostname: string, port: number): string {
  return `${scheme}//${hostname}:${port}`;
}

function parseOrigin(entry: string): string | null {
  const url = URL.parse(entry);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
  if (url.hostname.includes('*') || entry.includes('@') || /[?#]/.test(entry) || url.pathname !== '/')
    return null;
  return originKey(
    url.protocol,
    url.hostname,
    url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port),
  );
}

/** A suffix that ends in a number would be a piece of an IP address, not a name. */
function isWildcard(entry: string): boolean {
  return WILDCARD.test(entry.toLowerCase()) && !/\.\d+$/.test(entry);
}

function parseBlock(entry: string): Block | null {
  const [text = '', bits, ...rest] = entry.split('/');
  const address = parseAddress(text);
  if (address === null || text.includes('%') || rest.length > 0) return null;
  const width = address instanceof ipaddr.IPv4 ? 32 : 128;
  if (bits === undefined) return [address, width];
  return /^\d{1,3}$/.test(bits) && Number(bits) <= width ? [address, Number(bits)] : null;
}

function isSingle([address, bits]: Block): boolean {
  return bits === (address instanceof ipaddr.IPv4 ? 32 : 128);
}

/** An IPv4-mapped address reaches the IPv4 address inside it, so a block of those covers it too. */
function matches(text: string, [block, bits]: Block): boolean {
  const address = parseAddress(text);
  if (address === null) return false;
  if (block instanceof ipaddr.IPv6) return address instanceof ipaddr.IPv6 && address.match(block, bits);
  if (address instanceof ipaddr.IPv4) return address.match(block, bits);
  return address.isIPv4MappedAddress() && (carriedIPv4(address)?.match(block, bits) ?? false);
}
