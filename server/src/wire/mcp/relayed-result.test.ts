import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completeResult, legacyRead, legacyResult, readResult } from './relayed-result.ts';

const key = 'io.modelcontextprotocol/serverInfo';
const us = '{"name":"gw"}';
const odd = '"n":[1e400,12345678901234567890,1.0],"twice":1, "twice":2,"sep":"\u2028"';

test('a result is made complete around the bytes that the source wrote', () => {
  const cases: [string, string][] = [
    [`{${odd}}`, `{"resultType":"complete","_meta":{"${key}":${us}},${odd}}`],
    ['{ }', `{"resultType":"complete","_meta":{"${key}":${us}} }`],
    [
      `{ "resultType":"complete", "_meta": {"${key}":{"name":"upstream"},"v/x":1e400} , ${odd} }`,
      `{"resultType":"complete","_meta":{"${key}":${us},"v/x":1e400},${odd.replace(', "twice"', ',"twice"')}}`,
    ],
    [`{"content":[],"_meta":null}`, `{"resultType":"complete","_meta":{"${key}":${us}},"content":[]}`],
  ];
  for (const [given, expected] of cases) {
    assert.equal(completeResult(given, us).toString(), expected);
    assert.equal(completeResult(Buffer.from(given), us).toString(), expected);
  }
});

test('a client of an older revision gets the bytes as they are, but no resultType, only objects as structured content, and not who the source is', () => {
  const cases: [string, string][] = [
    [`{${odd}}`, `{${odd}}`],
    ['{ "structuredContent" : {"a":1e400} }', '{ "structuredContent" : {"a":1e400} }'],
    ['{"resultType":"complete","content":[ 1.0 ]}', '{"content":[ 1.0 ]}'],
    ['{"structuredContent":[1e400],"content":[]}', '{"structuredContent":{"result":[1e400]},"content":[]}'],
    ['{"content":[{"structuredContent":3}]}', '{"content":[{"structuredContent":3}]}'],
    ['{"structuredContent":{"a":[1e400]}}', '{"structuredContent":{"a":[1e400]}}'],
    [
      '{"content":[{"structuredContent":{}}],"structuredContent":"\\"structuredContent\\":{"}',
      '{"content":[{"structuredContent":{}}],"structuredContent":{"result":"\\"structuredContent\\":{"}}',
    ],
    [
      '{"structuredContent":{},"structuredContent":[]}',
      '{"structuredContent":{},"structuredContent":{"result":[]}}',
    ],
    [`{"_meta":{"${key}":{"name":"upstream"}}, "content":[]}`, '{"content":[]}'],
    [`{"_meta":{"${key}":${us}, "v/x":1e400},"content":[]}`, '{"_meta":{"v/x":1e400},"content":[]}'],
    [
      `{"_meta":null,"content":[{"_meta":{"${key}":1}}]}`,
      `{"_meta":null,"content":[{"_meta":{"${key}":1}}]}`,
    ],
  ];
  for (const [given, expected] of cases) {
    assert.equal(legacyResult(given).toString(), expected);
    assert.equal(legacyResult(Buffer.from(given)).toString(), expected);
  }
});

test('what was read is private; it is fresh for as long as its source says, and never after a retry', () => {
  const front = (ttlMs: number) =>
    `{"resultType":"complete","ttlMs":${ttlMs},"cacheScope":"private","_meta":{"${key}":${us}}`;
  const cases: [string, number, string][] = [
    [`{${odd}}`, 0, `,${odd}}`],
    ['{"ttlMs":5000,"cacheScope":"public","contents":[ 1.0 ]}', 5000, ',"contents":[ 1.0 ]}'],
    ['{"contents":[],"ttlMs":"5","resultType":"complete"}', 0, ',"contents":[]}'],
    ['{"contents":[{"ttlMs":7}]}', 0, ',"contents":[{"ttlMs":7}]}'],
    ['{"ttlMs":-1}', 0, '}'],
    ['{"ttlMs":1.5}', 0, '}'],
    ['{"ttlMs":null}', 0, '}'],
  ];
  for (const [given, ttlMs, rest] of cases) {
    assert.equal(readResult(Buffer.from(given), us, false).toString(), front(ttlMs) + rest, given);
    assert.equal(readResult(given, us, true).toString(), front(0) + rest, given);
  }
});

test('a client of an older revision reads without hints for caches', () => {
  const given = '{"resultType":"complete","contents":[ {"ttlMs":1} ],"ttlMs":5,"cacheScope":"public"}';
  assert.equal(legacyRead(Buffer.from(given)).toString(), '{"contents":[ {"ttlMs":1} ]}');
  const named = `{"contents":[],"_meta":{"${key}":${us}}}`;
  assert.equal(legacyRead(named).toString(), '{"contents":[]}');
  const plain = Buffer.from(`{"contents":[],${odd}}`);
  assert.equal(legacyRead(plain), plain);
});

test('whatever a result holds, it holds the same afterwards', () => {
  const result = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('_meta', 'resultType', 'content')),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(result, fc.boolean(), (value, spaced) => {
      const text = JSON.stringify(value, null, spaced ? 2 : undefined);
      const given = JSON.parse(text);
      const { resultType, _meta, ...rest } = JSON.parse(completeResult(Buffer.from(text), us).toString());
      const { resultType: _, _meta: givenMeta, ...givenRest } = given;
      assert.equal(resultType, 'complete');
      assert.deepEqual(rest, givenRest);
      const isObject = typeof givenMeta === 'object' && givenMeta !== null && !Array.isArray(givenMeta);
      assert.deepEqual(_meta, { ...(isObject ? givenMeta : {}), [key]: { name: 'gw' } });
    }),
  );
});
