import { gatewaySlugOf } from '../gateway-path.ts';
import { WholeRequest } from './whole-request.ts';

/*
 * Why two readers of HTTP do not make for two opinions (request smuggling lives off the difference):
 *
 * 1. This one knows a single shape, in which nothing can be read in two ways: one Content-Length in plain digits that is
 *    exactly what follows the head, no Transfer-Encoding, no name twice, lines that end in CRLF and nothing else that
 *    could be taken for the end of one.
 * 2. It decides once, and keeps no state. The bytes since the last answer are that shape from the first to the last, or a
 *    plain beginning of it, which stays as it is until there is more; or `null`: then node:http reads these very bytes,
 *    and all that ever follow on the connection.
 * 3. So a connection changes its reader once at most, between two requests, and never back; whoever stands before us saw
 *    a request end where we did.
 *
 * `read-request.test.ts` holds it to node:http: what is read here is what node:http reads from the same bytes, or it is
 * not read here.
 */

const maxHeadBytes = 16 * 1024;
const maxBodyBytes = 64 * 1024;
/** node:http drops what is beyond its own limit, which is far higher. */
const maxHeaders = 100;

/** The request line and the lines of the headers, each with its CRLF: RFC 9112 without what it merely tolerates. */
const plainHead =
  /^POST (\/mcp\/[\w.~%?=&/:@!$'()*+,;-]*) HTTP\/1\.1\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;

/** The beginning of one: whole lines, and what may become the next. */
const plainBeginning =
  /^POST \/mcp\/[^ \r\n]* HTTP\/1\.1\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*[\t\x20-\x7e\x80-\xff]*\r?$/;
const plainLength = /^(?:0|[1-9]\d{0,4})$/;

/** Change how a message is framed, or what becomes of the connection; the last is no plain text in node:http. */
const forNodeHttp = ['transfer-encoding', 'trailer', 'expect', 'upgrade', 'proxy-connection', 'set-cookie'];

/** The request that these bytes are, exactly and plainly, or plainly begin to be; `null` where node:http must look. */
export function readRequest(bytes: Buffer): WholeRequest | 'begun' | null {
  // Most of what comes on other connections is known by its first letter.
  if (bytes[0] !== 0x50 || bytes.length > maxHeadBytes + maxBodyBytes) return null;
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 && bytes.length <= maxHeadBytes) {
    return plainBeginning.test(bytes.toString('latin1')) ? 'begun' : null;
  }
  if (end < 0 || end > maxHeadBytes) return null;
  const head = bytes.toString('latin1', 0, end + 2);
  const url = plainHead.exec(head)?.[1];
  const slug = url === undefined ? null : gatewaySlugOf(url);
  if (url === undefined || slug === null) return null;
  const raw = linesOf(head);
  const headers = raw === null ? null : membersOf(raw);
  if (raw === null || headers === null) return null;
  const length = plainLengthOf(headers);
  const body = bytes.subarray(end + 4);
  if (length === null || body.length > length) return null;
  return body.length < length ? 'begun' : new WholeRequest(url, slug, headers, raw, body);
}

/** Names and values by turns; `null` where there are too many. */
function linesOf(head: string): string[] | null {
  const raw: string[] = [];
  let at = head.indexOf('\r\n') + 2;
  while (at < head.length) {
    const colon = head.indexOf(':', at);
    const next = head.indexOf('\r\n', colon);
    let from = colon + 1;
    let to = next;
    while (from < to && isBlank(head.charCodeAt(from))) from++;
    while (from < to && isBlank(head.charCodeAt(to - 1))) to--;
    raw.push(head.slice(at, colon), head.slice(from, to));
    at = next + 2;
  }
  return raw.length > 2 * maxHeaders ? null : raw;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Names as most clients spell them, in lower case: found here, one is not put into lower case, nor looked for among all strings. */
const spelled: ReadonlyMap<string, string> = new Map(
  [
    'Accept',
    'Accept-Encoding',
    'Accept-Language',
    'Arcade-User-ID',
    'Authorization',
    'Connection',
    'Content-Length',
    'Content-Type',
    'Host',
    'Mcp-Method',
    'Mcp-Name',
    'MCP-Protocol-Version',
    'Mcp-Session-Id',
    'Sallyport-User-ID',
    'Sec-Fetch-Mode',
    'Traceparent',
    'Tracestate',
    'User-Agent',
  ].flatMap((name) => [name, name.toLowerCase()].map((spelling) => [spelling, name.toLowerCase()])),
);

/** `null` where a name is there twice, or is one that every object has. */
function membersOf(raw: readonly string[]): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (let at = 0; at < raw.length; at += 2) {
    const given = raw[at] as string;
    const name = spelled.get(given) ?? given.toLowerCase();
    if (headers[name] !== undefined) return null;
    headers[name] = raw[at + 1] as string;
  }
  return headers;
}

/** How long the body is; `null` where that, or what becomes of the connection, is not plain. */
function plainLengthOf(headers: Readonly<Record<string, string>>): number | null {
  const { host, connection, 'content-length': length } = headers;
  if (host === undefined || host === '' || length === undefined || !plainLength.test(length)) return null;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null;
  if (forNodeHttp.some((name) => headers[name] !== undefined)) return null;
  return Number(length) <= maxBodyBytes ? Number(length) : null;
}
