import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { checkExpression, readerOf } from './expressions.ts';

const token = new UnsecuredJWT({ sub: 'u1', scp: ['read', 'write'], nested: { scopes: 'a b' } }).encode();
const answer = {
  access_token: token,
  data: { id: 7, scopes: ['a', 'b'], 'odd name': 'x', list: [{ name: 'n1' }, { name: 'n2', primary: true }] },
};

function read(expression: string, document: unknown = answer): unknown {
  const reader = readerOf(expression);
  assert.ok(reader.ok, JSON.stringify(reader));
  return reader.value(document);
}

describe('expressions', () => {
  for (const [expression, value] of [
    ['$.data.id', 7],
    ["$['data']['odd name']", 'x'],
    ['$.data.scopes', ['a', 'b']],
    ['$.data.scopes[0]', 'a'],
    ['$.data.list[*].name', ['n1', 'n2']],
    ['$.data.list[?@.primary].name', 'n2'],
    ['$.data.list[*].primary', true],
    ['$.nothing.here', undefined],
    ["join('$.data.scopes', ' ')", 'a b'],
    ['join("$.data.scopes", ",")', 'a,b'],
    ["join('$.data.list[*].name', '')", 'n1n2'],
    ["join('$.data.id', ' ')", 7],
    ["jwt_decode('$.access_token', '$.sub')", 'u1'],
    [" jwt_decode( '$.access_token' , '$.nested.scopes' ) ", 'a b'],
    ["join(jwt_decode('$.access_token', '$.scp'), ' ')", 'read write'],
    ["jwt_decode('$.data.id', '$.sub')", undefined],
  ] as const) {
    it(`reads ${expression}`, () => assert.deepEqual(read(expression), value));
  }

  it('takes a token that is none for one that says nothing', () => {
    for (const access_token of [
      '',
      'a',
      'a.b',
      'a.!!!.c',
      `a.${'['.repeat(50_000)}`,
      null,
      [],
      'e30.bnVsbA.',
    ]) {
      assert.equal(read("jwt_decode('$.access_token', '$.sub')", { access_token }), undefined);
    }
  });

  for (const [expression, words] of [
    ['', /must be a JSONPath/],
    ['data.id', /must be a JSONPath/],
    ['$.data[', /not a JSONPath/],
    ["join('$.a')", /needs , at/],
    ["join('$.a', ' '", /needs \) at/],
    ["join('$.a', ' ') + 1", /goes on after its end/],
    ["join($.a, ' ')", /needs quotes/],
    ["join('$.a', 7)", /needs a text in quotes/],
    ["jwt_decode('$.a', 'sub')", /begins with \$/],
    ["exec('$.a', '$.b')", /must be a JSONPath/],
    ["toString('$.a', '$.b')", /must be a JSONPath/],
    ["join(join(join(join(join('$.a',''),''),''),''),'')", /nested too deep/],
    ["$[?search(@.a, '(a+)+$')]", /not a JSONPath|lists of selectors/],
    ['$..primary', /takes no "\.\."/],
    ['$[?@.a == $.b]', /takes one filter/],
    ['$[?@.a][?@.b]', /takes one filter/],
    ["$['a','a']['a','a']", /lists of selectors/],
  ] as const) {
    it(`does not take ${expression}, and says why`, () => {
      assert.match(checkExpression(expression) ?? '', words);
    });
  }
});
