import type { UpstreamResponse } from '../contract.ts';

export const MAX_HEAD_BYTES = 64 * 1024;
const MAX_HEADERS = 256;
const EMPTY = Buffer.alloc(0);

const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[char.charCodeAt(0)] = 1;
}

/** The head of a response, and how its body is framed. Becomes the response when the body is complete. */
export class ResponseHead implements UpstreamResponse {
  readonly status: number;
  body: Buffer = EMPTY;
  /** -1 when the head does not say. */
  contentLength = -1;
  isChunked = false;
  keepsAlive: boolean;
  /** Said `Connection: close`, whatever else it said. */
  closes = false;
  /** How long the server says that it keeps an idle connection; -1 when it does not say. */
  keepAliveMs = -1;
  readonly #text: string;
  readonly #firstHeader: number;

  constructor(status: number, keepsAlive: boolean, text: string, firstHeader: number) {
    this.status = status;
    this.keepsAlive = keepsAlive;
    this.#text = text;
    this.#firstHeader = firstHeader;
  }

  header(name: string): string | undefined {
    const text = this.#text;
    let found: string | undefined;
    for (let at = this.#firstHeader; at < text.length; at = text.indexOf('\r\n', at) + 2) {
      const colon = at + name.length;
      if (text.charCodeAt(colon) !== 58 || text.slice(at, colon).toLowerCase() !== name) continue;
      const value = fieldValue(text, colon + 1, text.indexOf('\r\n', colon));
      found = found === undefined ? value : `${found}, ${value}`;
    }
    return found;
  }
}

/** Reads a head that ends with its last header's CRLF; a string says what is wrong with it. */
export function parseHead(text: string): ResponseHead | string {
  const firstHeader = text.indexOf('\r\n') + 2;
  const minor = text.charCodeAt(7) - 48;
  const status = Number(text.slice(9, 12));
  const isStatusLine =
    text.startsWith('HTTP/1.') &&
    (minor === 0 || minor === 1) &&
    text.charCodeAt(8) === 32 &&
    /^[1-9]\d\d$/.test(text.slice(9, 12)) &&
    (text.charCodeAt(12) === 32 || firstHeader === 14) &&
    isFieldText(text, 12, firstHeader - 2);
  if (!isStatusLine) return 'its status line is malformed';
  const head = new ResponseHead(status, minor === 1, text, firstHeader);
  let count = 0;
  for (let at = firstHeader; at < text.length; ) {
    if (++count > MAX_HEADERS) return `it has more than ${MAX_HEADERS} headers`;
    const end = text.indexOf('\r\n', at);
    let colon = at;
    while (TOKEN[text.charCodeAt(colon)] === 1) colon++;
    if (colon === at || text.charCodeAt(colon) !== 58 || !isFieldText(text, colon + 1, end)) {
      return 'one of its header lines is malformed';
    }
    const problem = applyHeader(head, text, at, colon, end);
    if (problem !== null) return problem;
    at = end + 2;
  }
  if (head.isChunked && head.contentLength >= 0) return 'it has both Content-Length and Transfer-Encoding';
  if (head.isChunked && minor === 0) return 'it has a Transfer-Encoding in HTTP/1.0';
  return head;
}

/** No control characters but the tab: a bare CR or LF is read differently by different parties. */
function isFieldText(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if ((code < 32 && code !== 9) || code === 127) return false;
  }
  return true;
}

/** Only headers that frame the message are looked at; they are told apart by the length of their names first. */
function applyHeader(
  head: ResponseHead,
  text: string,
  at: number,
  colon: number,
  end: number,
): string | null {
  const length = colon - at;
  if (length !== 10 && length !== 14 && length !== 17) return null;
  const name = text.slice(at, colon).toLowerCase();
  const value = fieldValue(text, colon + 1, end);
  if (name === 'content-length') {
    if (!/^\d{1,15}$/.test(value)) return 'its Content-Length is malformed';
    if (head.contentLength >= 0 && head.contentLength !== Number(value))
      return 'it has two Content-Lengths that differ';
    head.contentLength = Number(value);
  } else if (name === 'transfer-encoding') {
    if (head.isChunked || value.toLowerCase() !== 'chunked')
      return 'its Transfer-Encoding is not chunked alone';
    head.isChunked = true;
  } else if (name === 'connection') {
    applyConnection(head, value);
  } else if (name === 'keep-alive') {
    const seconds = /(?:^|[,;\s])timeout=(\d{1,9})/i.exec(value)?.[1];
    if (seconds !== undefined) head.keepAliveMs = Number(seconds) * 1000;
  }
  return null;
}

function applyConnection(head: ResponseHead, value: string): void {
  for (const option of value.toLowerCase().split(',')) {
    const word = option.trim();
    if (word === 'close') head.closes = true;
    else if (word === 'keep-alive') head.keepsAlive = true;
  }
}

/** Without the spaces and tabs around it, and no other white space: `trim()` would also drop a no-break space. */
function fieldValue(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
