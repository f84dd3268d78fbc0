import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileUriTemplate } from './uri-template.ts';

test('a template of any level makes its expansions and nothing else', () => {
  const cases: [template: string, made: string[], others: string[]][] = [
    ['test://fixed', ['test://fixed'], ['test://fixed2', 'test://fixe']],
    [
      'test://t/{id}/data',
      ['test://t/1/data', 'test://t/a%20b/data', 'test://t/a b/data', 'test://t//data'],
      ['test://t/1/2/data', 'test://t/1/data/x'],
    ],
    ['file:///{+path}', ['file:///a/b/c?x#y', 'file:///'], ['file://a', 'files:///a']],
    ['doc://a{#section}', ['doc://a', 'doc://a#b/c'], ['doc://ab']],
    ['doc://a{.ext}', ['doc://a.txt', 'doc://a'], ['doc://a/txt']],
    [
      'repo://{owner}/{repo}/contents{/path*}',
      ['repo://o/r/contents', 'repo://o/r/contents/a/b.ts'],
      ['repo://o/r/contents?x', 'repo://o/r/issues/1', 'repo://o/contents/a'],
    ],
    ['repo://x{/a,b}', ['repo://x', 'repo://x/1', 'repo://x/1/2'], ['repo://x/1/2/3']],
    ['doc://a{;v,w}', ['doc://a', 'doc://a;v=1;w'], ['doc://a/v']],
    [
      'find://q{?text,limit}',
      ['find://q', 'find://q?text=a%26b', 'find://q?text=a&limit=3', 'find://q?limit=3'],
      ['find://q?other=1', 'find://q?text=a&x=1', 'find://q#text'],
    ],
    ['find://q?a=1{&rest*}', ['find://q?a=1', 'find://q?a=1&b=2&c=3'], ['find://q?a=1b']],
    ['x://{name:3}.{a,b}', ['x://abc.1,2'], ['x://abc']],
    ['x://über/{a}', ['x://über/1', 'x://%C3%BCber/1'], ['x://uber/1']],
    ['x://a.b(c)*{v}', ['x://a.b(c)*1'], ['x://aXb(c)*1', 'x://a.bc1']],
  ];
  for (const [text, made, others] of cases) {
    const template = compileUriTemplate(text);
    for (const uri of made) assert.equal(template?.makes(uri), true, `${text} makes ${uri}`);
    for (const uri of others) assert.equal(template?.makes(uri), false, `${text} does not make ${uri}`);
  }
});

test('what cannot be understood, or could be anybody’s, is no template', () => {
  const texts = [
    'x://{',
    'x://}',
    'x://{}',
    'x://{a{b}}',
    'x://{=a}',
    'x://{|a}',
    'x://{a b}',
    'x://{a,}',
    'x://{a:0}',
    'x://{a:99999}',
    '{scheme}://a',
    '{+uri}',
    'relative/{a}',
    '',
    `x://${'{a}'.repeat(33)}`,
    `x://${'{/a,b,c}'.repeat(11)}`,
    `x://${'a'.repeat(3000)}`,
    'x://\ud800{a}',
  ];
  for (const text of texts) assert.equal(compileUriTemplate(text), null, text.slice(0, 40));
});

test('a URI that is longer than any should be is made by no template', () => {
  assert.equal(compileUriTemplate('x://{+a}')?.makes(`x://${'a'.repeat(5000)}`), false);
});
