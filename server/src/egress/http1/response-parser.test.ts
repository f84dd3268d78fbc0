import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { UpstreamHead, UpstreamRequest } from '../contract.ts';
import { Loans } from './loans.ts';
import { ResponseParser } from './response-parser.ts';

const noLoans = () => new Loans(null, () => {});

type Method = UpstreamRequest['method'];

interface Read {
  readonly outcome: 'complete' | 'unfinished' | 'protocol' | 'too_large';
  readonly status?: number;
  readonly body?: string;
  readonly keepsAlive?: boolean;
  readonly message?: string;
}

function read(pieces: readonly Buffer[], method: Method = 'GET', maxBytes = 1_000_000): Read {
  const parser = new ResponseParser(noLoans);
  parser.begin({ method, maxBytes });
  for (const piece of pieces) {
    const borrowed = Buffer.from(piece);
    parser.feed(borrowed, true);
    borrowed.fill('!');
  }
  if (parser.problem !== null) return { outcome: parser.problem.kind, message: parser.problem.message };
  if (!parser.finish()) return { outcome: 'unfinished' };
  const { response, keepsAlive } = parser.take();
  return { outcome: 'complete', status: response.status, body: response.body.toString('latin1'), keepsAlive };
}

function readText(text: string, method: Method = 'GET', maxBytes = 1_000_000): Read {
  return read([Buffer.from(text, 'latin1')], method, maxBytes);
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}

const complete = (body: string, keepsAlive = true, status = 200): Read => ({
  outcome: 'complete',
  status,
  body,
  keepsAlive,
});

const GOOD: readonly (readonly [string, string, Read, Method?])[] = [
  ['a Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', complete('hello')],
  ['an empty body', 'HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n', complete('')],
  ['no reason phrase', 'HTTP/1.1 200\r\ncontent-length: \t1 \r\n\r\nx', complete('x')],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00A;x="y"\r\n0123456789\r\n0\r\n\r\n',
    complete('hello0123456789'),
  ],
  [
    'trailers',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n',
    complete('x'),
  ],
  ['a body to the end', 'HTTP/1.1 200 OK\r\n\r\nall of it', complete('all of it', false)],
  [
    'Connection: close',
    'HTTP/1.1 200 OK\r\nConnection: foo, Close\r\ncontent-length: 2\r\n\r\nok',
    complete('ok', false),
  ],
  [
    'close and keep-alive',
    'HTTP/1.1 200 OK\r\nconnection: close\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    complete('ok', false),
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', complete('ok', false)],
  [
    'HTTP/1.0 kept alive',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    complete('ok'),
  ],
  [
    'an interim response',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx',
    complete('x'),
  ],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', complete('', true, 204)],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', complete('', true, 304)],
  ['the answer to HEAD', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n', complete(''), 'HEAD'],
  ['equal lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok', complete('ok')],
  [
    'surplus bytes',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil',
    complete('ok', false),
  ],
];

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

const MALFORMED: readonly (readonly [string, string])[] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status that is no number', 'HTTP/1.1 2x0 OK\r\n\r\n'],
  ['a status of zero', 'HTTP/1.1 000 OK\r\n\r\n'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
  ['a bare LF between headers', `${OK}a: b\nc: d\r\n\r\n`],
  ['a bare CR in a header', `${OK}a: b\rc: d\r\n\r\n`],
  ['a NUL in a header', `${OK}a: b\0\r\n\r\n`],
  ['a header without a colon', `${OK}nothing\r\n\r\n`],
  ['a header without a name', `${OK}: value\r\n\r\n`],
  ['a space before the colon', `${OK}content-length : 5\r\n\r\nhello`],
  ['a folded header', `${OK}a: b\r\n c\r\n\r\n`],
  ['a character that no name has', `${OK}a(b: c\r\n\r\n`],
  ['a negative length', `${OK}content-length: -1\r\n\r\n`],
  ['a signed length', `${OK}content-length: +5\r\n\r\nhello`],
  ['a hexadecimal length', `${OK}content-length: 0x5\r\n\r\nhello`],
  ['an empty length', `${OK}content-length:\r\n\r\n`],
  ['a length that is no number', `${OK}content-length: five\r\n\r\n`],
  ['a length list', `${OK}content-length: 5, 5\r\n\r\nhello`],
  ['a no-break space in a length', `${OK}content-length: \xa05\r\n\r\nhello`],
  ['a length beyond all measure', `${OK}content-length: 9999999999999999999\r\n\r\n`],
  ['lengths that differ', `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`],
  ['a length and chunks', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks and a length', `${OK}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n`],
  ['another transfer encoding', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['an unknown transfer encoding', `${OK}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['chunked twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size that is no number', `${CHUNKED}x\r\n`],
  ['an empty chunk size', `${CHUNKED}\r\n`],
  ['a signed chunk size', `${CHUNKED}-1\r\n`],
  ['a chunk size beyond all measure', `${CHUNKED}fffffffffffff\r\n`],
  ['a bare LF after a chunk size', `${CHUNKED}1\nx\r\n0\r\n\r\n`],
  ['a bare LF in a chunk extension', `${CHUNKED}1;a\nb\r\nx\r\n0\r\n\r\n`],
  ['a chunk longer than its size', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
  ['a bare LF after a chunk', `${CHUNKED}1\r\nx\n0\r\n\r\n`],
  ['a bare LF in the trailers', `${CHUNKED}0\r\na: b\nc\r\n\r\n`],
  ['a chunk extension without an end', `${CHUNKED}1;${'x'.repeat(70_000)}`],
  ['trailers without an end', `${CHUNKED}0\r\n${'a: b\r\n'.repeat(12_000)}`],
  ['a head without an end', `${OK}a: ${'x'.repeat(70_000)}`],
  ['too many headers', `${OK}${'a: b\r\n'.repeat(257)}\r\n`],
  ['interim responses without an end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17)],
];

describe('the response parser', () => {
  for (const [name, text, expected, method = 'GET'] of GOOD) {
    it(`reads ${name}`, () => {
      assert.deepEqual(readText(text, method), expected);
    });

    it(`reads ${name} alike however it is cut up`, () => {
      const bytes = Buffer.from(text, 'latin1');
      assert.deepEqual(
        read(
          [...bytes].map((byte) => Buffer.from([byte])),
          method,
        ),
        expected,
      );
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (places) => {
          assert.deepEqual(read(cut(bytes, places), method), expected);
        }),
      );
    });
  }

  for (const [name, text] of MALFORMED) {
    it(`refuses ${name}`, () => {
      assert.equal(readText(text).outcome, 'protocol');
      assert.equal(read(cut(Buffer.from(text, 'latin1'), [1, 9, 17, 18, 40, 41, 5000])).outcome, 'protocol');
    });
  }

  it('waits for the rest of every response that is cut short', () => {
    for (const [name, text, expected, method = 'GET'] of GOOD) {
      if (name === 'surplus bytes' || name === 'a body to the end') continue;
      for (let end = 0; end < text.length; end++) {
        assert.equal(readText(text.slice(0, end), method).outcome, 'unfinished', `${name} to ${end}`);
      }
      assert.deepEqual(readText(text, method), expected);
    }
  });

  it('refuses a body larger than allowed, with and without a length', () => {
    assert.equal(readText(`${OK}content-length: 6\r\n\r\n`, 'GET', 5).outcome, 'too_large');
    assert.equal(readText(`${CHUNKED}3\r\nabc\r\n3\r\nabc\r\n`, 'GET', 5).outcome, 'too_large');
    assert.equal(readText(`${OK}\r\nabcdef`, 'GET', 5).outcome, 'too_large');
    assert.equal(readText(`${OK}content-length: 5\r\n\r\nhello`, 'GET', 5).outcome, 'complete');
  });

  it('puts a large body together from many pieces', () => {
    const body = Buffer.alloc(3_000_000, 'abcdefg');
    const pieces = [Buffer.from(`${OK}content-length: ${body.length}\r\n\r\n`)];
    for (let at = 0; at < body.length; at += 777) pieces.push(body.subarray(at, at + 777));
    const found = read(pieces, 'GET', body.length);
    assert.equal(found.body === body.toString('latin1'), true);
  });

  it('finds headers by name and joins those of one name', () => {
    const parser = new ResponseParser(noLoans);
    parser.begin({ method: 'GET', maxBytes: 0 });
    parser.feed(
      Buffer.from(`${OK}Vary: a\r\nX-Vary: b\r\nvary:c \r\nempty:\r\ncontent-length: 0\r\n\r\n`),
      false,
    );
    const { response } = parser.take();
    assert.equal(response.header('vary'), 'a, c');
    assert.equal(response.header('x-vary'), 'b');
    assert.equal(response.header('empty'), '');
    assert.equal(response.header('ary'), undefined);
    assert.equal(response.header('vary: a\r\nx'), undefined);
  });

  it('hands a stream over piece by piece, decoded, and beyond the cap', () => {
    const pieces: string[] = [];
    const heads: UpstreamHead[] = [];
    const parser = new ResponseParser(noLoans);
    const stream = (head: UpstreamHead) => {
      heads.push(head);
      return (piece: Buffer) => void pieces.push(piece.toString());
    };
    parser.begin({ method: 'GET', maxBytes: 2, stream });
    parser.feed(Buffer.from(`${CHUNKED}5\r\nhello\r\n3\r\nab`), false);
    assert.deepEqual(pieces, ['hello', 'ab']);
    parser.feed(Buffer.from('c\r\n0\r\n\r\n'), false);
    assert.deepEqual(pieces, ['hello', 'ab', 'c']);
    assert.equal(heads.length, 1);
    assert.equal(parser.stage, 'complete');
    assert.equal(parser.take().response.body.length, 0);
  });

  it('never throws, whatever bytes come', () => {
    const begin = fc.constantFrom('', 'HTTP/1.1 200 OK\r\n', CHUNKED, `${OK}content-length: 9\r\n\r\n`);
    const bytes = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 6 });
    fc.assert(
      fc.property(begin, bytes, (text, pieces) => {
        const found = read([Buffer.from(text), ...pieces.map((piece) => Buffer.from(piece))]);
        assert.ok(['complete', 'unfinished', 'protocol', 'too_large'].includes(found.outcome));
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws on text that looks like HTTP', () => {
    const word = fc.constantFrom(
      'HTTP/1.1 200 OK',
      '\r\n',
      '\r',
      '\n',
      '0',
      '5',
      ':',
      ' ',
      'a',
      ';',
      'chunked',
      'transfer-encoding: chunked',
      'content-length: ',
      '\r\n\r\n',
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 30 }),
        fc.array(fc.nat(200), { maxLength: 5 }),
        (words, places) => {
          const bytes = Buffer.from(`${OK}${words.join('')}`);
          assert.equal(read(cut(bytes, places)).outcome, read([bytes]).outcome);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
