/** What an entry of the egress allow-list may look like. The egress room decides what it means. */
export const egressEntryForm = 'scheme://host:port, a host pattern such as *.corp.example, or a CIDR block';

const port = '(?::\\d{1,5})?';
const name = '[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?';
const host = `(?:${name}\\.)*${name}\\.?`;
const origin = new RegExp(`^https?://(?:${host}|\\[[0-9A-Fa-f:.]+\\])${port}$`);
const pattern = new RegExp(`^\\*\\.${host}$`);
const cidr4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;
const cidr6 = /^([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\/(\d{1,3})$/;

export function isEgressEntry(entry: string): boolean {
  if (entry.length > 300) return false;
  if (origin.test(entry)) return URL.canParse(entry);
  if (pattern.test(entry)) return true;
  const four = cidr4.exec(entry);
  if (four !== null) return four.slice(1, 5).every((part) => Number(part) <= 255) && Number(four[5]) <= 32;
  const six = cidr6.exec(entry);
  return six !== null && URL.canParse(`http://[${six[1]}]/`) && Number(six[2]) <= 128;
}
