import type { Socket } from 'node:net';
import type { EgressFailure, UpstreamRequest } from '../contract.ts';

const PATH = /^\/[\x21\x22\x24-\x7e]*$/;
const HEADERS =
  /^(?:(?!(?:host|content-length|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect):)[!#$%&'*+\-.^_`|~0-9a-z]+:[\t\x20-\x7e]*\r\n)*$/i;

const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

const JOIN_UP_TO_BYTES = 16 * 1024;

let knownPath = '/';
let knownHeaders = '';

/** Nothing that could begin a second header or a second request may reach the wire. */
export function requestFailure(request: UpstreamRequest): EgressFailure | null {
  if (request.path !== knownPath) {
    if (!PATH.test(request.path))
      return unusable('uri_invalid', 'the path must begin with / and hold printable ASCII only');
    knownPath = request.path;
  }
  if (request.headers !== knownHeaders) {
    if (!HEADERS.test(request.headers)) {
      return unusable(
        'protocol',
        'the headers must be lines of "name: value" in printable ASCII, each ended by CRLF, and none that frames the message',
      );
    }
    knownHeaders = request.headers;
  }
  if (request.authorization !== undefined && !FIELD_VALUE.test(request.authorization))
    return unusable('protocol', 'the header authorization must be printable ASCII');
  return null;
}

function unusable(kind: 'uri_invalid' | 'protocol', message: string): EgressFailure {
  return { kind, message, sent: false };
}

/** Head and body in one write: each further one would cost a system call. */
export function writeRequest(socket: Socket, authority: string, request: UpstreamRequest): void {
  const { method, body, authorization } = request;
  const own = authorization === undefined ? '' : `authorization: ${authorization}\r\n`;
  const head = `${method} ${request.path} HTTP/1.1\r\nhost: ${authority}\r\n${own}${request.headers}`;
  if (body === undefined) {
    const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
    socket.write(hasBody ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`, 'latin1');
  } else if (typeof body === 'string') {
    const length = Buffer.byteLength(body);
    socket.write(
      `${head}content-length: ${length}\r\n\r\n${body}`,
      length === body.length ? 'latin1' : 'utf8',
    );
  } else {
    writeWithBuffer(socket, `${head}content-length: ${body.length}\r\n\r\n`, body);
  }
}

function writeWithBuffer(socket: Socket, head: string, body: Buffer): void {
  if (body.length <= JOIN_UP_TO_BYTES) {
    const joined = Buffer.allocUnsafe(head.length + body.length);
    joined.write(head, 'latin1');
    body.copy(joined, head.length);
    socket.write(joined);
  } else {
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }
}
