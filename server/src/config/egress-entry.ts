/** What an entry of the egress allow-list looks like. The egress room decides what it means. */
export const egressEntryForm =
  'scheme://host:port, a pattern such as *.corp.example, an IP address or a CIDR block';

const wildcard = /^\*(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+$/i;

export function isEgressEntry(entry: string): boolean {
  if (entry.includes('://')) return isOrigin(entry);
  return (wildcard.test(entry) && !/\.\d+$/.test(entry)) || isBlock(entry);
}

function isOrigin(entry: string): boolean {
  if (!/^https?:/i.test(entry) || /[?#@*\s]/.test(entry) || !URL.canParse(entry)) return false;
  return new URL(entry).pathname === '/';
}

function isBlock(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const width = widthOf(address);
  if (width === null || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width);
}

function widthOf(address: string): number | null {
  const parts = address.split('.');
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return 32;
  return /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address) && URL.canParse(`http://[${address}]/`) ? 128 : null;
}
