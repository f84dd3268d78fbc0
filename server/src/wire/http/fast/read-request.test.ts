import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, mutated, mutation, nodeReads, noted, plain, request } from './fixtures/requests.ts';
import { readRequest } from './read-request.ts';
import { WholeRequest } from './whole-request.ts';

function ourRead(bytes: Buffer) {
  const read = readRequest(bytes);
  return read instanceof WholeRequest ? noted(read) : null;
}

const read: Readonly<Record<string, string>> = {
  'the least that there is': plain(),
  'no body': plain('', ''),
  'a query': plain('', '{}', 'POST /mcp/office/?sse=12&x=%20 HTTP/1.1'),
  'values with blanks around and within': plain('X-A: \t a\t b  \t\r\nX-B:\r\nX-C:   \r\nX-D:c\r\n'),
  'any case of names': plain('aUTHORIZATION: Bearer x\r\nACCEPT: */*\r\n'),
  'bytes beyond ASCII': plain('X-Name: J\xfcrgen \xe2\x82\xac\r\n', '\xe2\x82\xac\0\r\n\r\n\xff'),
  'names of every allowed character': plain("!#$%&'*+-.^_`|~09azAZ: x\r\n"),
  'a connection that is to stay': plain('Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n'),
  'names that are known for other things': plain(
    'TE: trailers\r\nCookie: a=b\r\nAge: 1\r\nProxy-Authorization: x\r\n',
  ),
  'a body that looks like a request': plain('', plain()),
};

for (const [what, text] of Object.entries(read)) {
  test(`a plain request is read, and as node:http reads it: ${what}`, async () => {
    const ours = ourRead(bytesOf(text));
    assert.notEqual(ours, null);
    assert.deepEqual([ours], await nodeReads(bytesOf(text)));
  });
}

const length = 'Content-Length: 2\r\n';
const host = 'Host: a\r\n';
const withLines = (lines: string, body = '{}') => `POST /mcp/office HTTP/1.1\r\n${lines}\r\n${body}`;

const handedOver: Readonly<Record<string, string>> = {
  'another method': plain('', '{}', 'GET /mcp/office HTTP/1.1'),
  'a method in small letters': plain('', '{}', 'post /mcp/office HTTP/1.1'),
  'another place': plain('', '{}', 'POST /v1/tools HTTP/1.1'),
  'a place below a gateway': plain('', '{}', 'POST /mcp/office/x HTTP/1.1'),
  'a whole URL': plain('', '{}', 'POST http://localhost/mcp/office HTTP/1.1'),
  'a fragment': plain('', '{}', 'POST /mcp/office#x HTTP/1.1'),
  'a NUL in the address': plain('', '{}', 'POST /mcp/office?%00 HTTP/1.1'),
  'two blanks in the first line': plain('', '{}', 'POST  /mcp/office HTTP/1.1'),
  'HTTP/1.0': plain('', '{}', 'POST /mcp/office HTTP/1.0'),
  'a future HTTP': plain('', '{}', 'POST /mcp/office HTTP/1.2'),
  'no version': plain('', '{}', 'POST /mcp/office'),
  'an empty line before': `\r\n${plain()}`,
  'half a first line': plain().slice(0, 20),
  'a byte more': `${plain()}x`,
  'a line end more': `${plain()}\r\n`,
  'two requests': plain() + plain(),
  'no host': withLines(length),
  'an empty host': withLines(`Host: \r\n${length}`),
  'two hosts': withLines(host + host + length),
  'no length': withLines(host, ''),
  'two lengths': withLines(host + length + length),
  'two lengths that differ': withLines(`${host}Content-Length: 0\r\n${length}`),
  'a list of lengths': withLines(`${host}Content-Length: 2, 2\r\n`),
  'a length with a sign': withLines(`${host}Content-Length: +2\r\n`),
  'a length with zeros before': withLines(`${host}Content-Length: 02\r\n`),
  'a length in hex': withLines(`${host}Content-Length: 0x2\r\n`),
  'a length with a fraction': withLines(`${host}Content-Length: 2.0\r\n`),
  'an empty length': withLines(`${host}Content-Length: \r\n`, ''),
  chunks: withLines(`${host}Transfer-Encoding: chunked\r\n`, '0\r\n\r\n'),
  'chunks and a length': withLines(`${host}${length}Transfer-Encoding: chunked\r\n`),
  'a strange transfer encoding': withLines(`${host}${length}Transfer-Encoding: xchunked\r\n`),
  'a name that is almost one of framing': withLines(`${host}${length}Transfer-Encoding : chunked\r\n`),
  'a folded line': withLines(`${host}X-A: a\r\n b\r\n${length}`),
  'a line that begins with a blank': withLines(` X-A: a\r\n${host}${length}`),
  'a line without a colon': withLines(`${host}nothing\r\n${length}`),
  'a line without a name': withLines(`${host}: x\r\n${length}`),
  'a blank before the colon': withLines(`Host : a\r\n${length}`),
  'a name that is no token': withLines(`${host}X(A): a\r\n${length}`),
  'a name beyond ASCII': withLines(`${host}X-\xe9: a\r\n${length}`),
  'a lone LF as line end': withLines(`${host}X-A: a\n${length}`),
  'LF line ends throughout': plain().replaceAll('\r\n', '\n'),
  'a lone CR': withLines(`${host}X-A: a\rX-B: b\r\n${length}`),
  'a CR before CRLF': withLines(`${host}X-A: a\r\r\n${length}`),
  'a NUL': withLines(`${host}X-A: a\0\r\n${length}`),
  'a control character': withLines(`${host}X-A: a\x1b\r\n${length}`),
  'a DEL': withLines(`${host}X-A: a\x7f\r\n${length}`),
  'a name twice': withLines(`${host}X-A: a\r\nx-a: b\r\n${length}`),
  'a name that every object has': withLines(`${host}__proto__: x\r\n${length}`),
  'another one': withLines(`${host}constructor: x\r\n${length}`),
  'an expectation': withLines(`${host}${length}Expect: 100-continue\r\n`),
  'an upgrade': withLines(`${host}${length}Connection: upgrade\r\nUpgrade: h2c\r\n`),
  'an upgrade alone': withLines(`${host}${length}Upgrade: websocket\r\n`),
  'a connection that is to end': withLines(`${host}${length}Connection: close\r\n`),
  'a connection that names a header': withLines(`${host}${length}Connection: keep-alive, authorization\r\n`),
  'a connection by its older name': withLines(`${host}${length}Proxy-Connection: close\r\n`),
  'a trailer': withLines(`${host}${length}Trailer: x\r\n`),
  'set-cookie, which is a list': withLines(`${host}${length}Set-Cookie: x\r\n`),
  'a long head': plain(`X-A: ${'a'.repeat(16 * 1024)}\r\n`),
  'many headers': plain(Array.from({ length: 99 }, (_, at) => `X-${at}: x\r\n`).join('')),
  'a large body': plain('', 'x'.repeat(64 * 1024 + 1)),
  'a beginning with a lone LF': plain().slice(0, 30).replace('\r', ''),
  'a beginning with a lone CR': `${plain().slice(0, 27)}\rX`,
  'a beginning with a folded line': `${plain().slice(0, 47)} x\r\n`,
  'a long beginning': plain(`X-A: ${'a'.repeat(16 * 1024)}\r\n`).slice(0, -20),
  'chunks to come': withLines(`${host}Transfer-Encoding: chunked\r\n`, ''),
  'a body to come, if it is wanted': withLines(`${host}${length}Expect: 100-continue\r\n`, ''),
  'a large body to come': withLines(`${host}Content-Length: 65537\r\n`, ''),
  'a body to come, of two lengths': withLines(`${host}${length}Content-Length: 3\r\n`, ''),
  TLS: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a PROXY line': `PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n${plain()}`,
  nothing: '',
};

for (const [what, text] of Object.entries(handedOver)) {
  test(`left to node:http: ${what}`, () => assert.equal(readRequest(bytesOf(text)), null));
}

for (const at of [27, 30, 42, 43, 50, -8, -7, -1]) {
  test(`what may become a plain request is known by its beginning: up to ${at}`, () => {
    assert.equal(readRequest(bytesOf(plain().slice(0, at))), 'begun');
  });
}

test('the largest that is read here', async () => {
  const head = plain(Array.from({ length: 98 }, (_, at) => `X-${at}: x\r\n`).join(''), 'x'.repeat(64 * 1024));
  assert.deepEqual([ourRead(bytesOf(head))], await nodeReads(bytesOf(head)));
});

test('whatever becomes of a request on the way, it is read as node:http reads it, or left to it', async () => {
  let readHere = 0;
  const property = fc.asyncProperty(
    request,
    fc.array(mutation, { maxLength: 3 }),
    async (text, mutations) => {
      const bytes = bytesOf(mutated(text, mutations));
      const ours = ourRead(bytes);
      if (ours === null) return;
      readHere++;
      assert.deepEqual([ours], await nodeReads(bytes));
    },
  );
  await fc.assert(property, { numRuns: 3000 });
  assert.ok(readHere > 300, `only ${readHere} were read at all`);
});
