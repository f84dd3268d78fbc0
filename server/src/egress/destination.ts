import { isIP } from 'node:net';
import type { Result } from '#foundation';
import { err, ok } from '#foundation';
import type { EgressFailure } from './contract.ts';

/** One origin, taken apart. */
export interface Destination {
  readonly scheme: 'http:' | 'https:';
  /** As WHATWG normalises it: lower case, IPv4 in four decimal parts, IPv6 in brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly origin: string;
  /** For the Host header: without the default port. */
  readonly authority: string;
  /** The address, where the host is one. */
  readonly literal: string | null;
}

/** `new URL` normalises odd spellings of IPv4 (`0x7f.1`, `2130706433`), so that none slips past the address policy. */
export function parseDestination(uri: string): Result<Destination, EgressFailure> {
  const url = URL.parse(uri);
  if (url === null) return invalid('is not a well-formed URI with a valid host');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return invalid('must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') return invalid('must not contain credentials');
  const bare = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const destination: Destination = {
    scheme: url.protocol,
    hostname: url.hostname,
    port: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port),
    origin: url.origin,
    authority: url.host,
    literal: isIP(bare) === 0 ? null : bare,
  };
  if (destination.port === 0) return invalid('must not name port 0');
  return ok(destination);
}

/** The URI itself is not repeated: it may hold what must not be logged. */
function invalid(message: string): Result<never, EgressFailure> {
  return err({ kind: 'uri_invalid', message: `the URI ${message}`, sent: false });
}
