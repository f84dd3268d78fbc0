import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayView } from '#catalog';
import { renamedUris } from './shown-uris.ts';

/** Of a view, only its naming of URIs is asked. */
const view = {
  renamesUris: (sourceId: string) => sourceId === 'docs',
  shownUri: (sourceId: string, own: string) => `${sourceId}+${own}`,
} as unknown as GatewayView;

const cases = {
  'resources/read': [
    [
      '{ "contents" : [ {"uri" : "f://a" , "n":1e400},{"uri":"f://\\u0062","text":"\\"uri\\":\\"f://a\\""} ] }',
      '{ "contents" : [ {"uri" : "docs+f://a" , "n":1e400},{"uri":"docs+f://b","text":"\\"uri\\":\\"f://a\\""} ] }',
    ],
    ['{"contents":[]}', '{"contents":[]}'],
    ['{"contents":"odd","uri":"f://a"}', '{"contents":"odd","uri":"f://a"}'],
  ],
  'tools/call': [
    [
      '{"content":[{"uri":"f://a","type":"resource_link"},{"type":"resource","resource":{"uri":"f://b","blob":""}}]}',
      '{"content":[{"uri":"docs+f://a","type":"resource_link"},{"type":"resource","resource":{"uri":"docs+f://b","blob":""}}]}',
    ],
    [
      '{"content":[{"type":"text","text":"f://a","uri":"f://a"},3],"structuredContent":{"uri":"f://a"}}',
      '{"content":[{"type":"text","text":"f://a","uri":"f://a"},3],"structuredContent":{"uri":"f://a"}}',
    ],
  ],
  'prompts/get': [
    [
      '{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"f://a","text":"1.0"}}}]}',
      '{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"docs+f://a","text":"1.0"}}}]}',
    ],
  ],
} as const;

test('URIs of a source that the gateway renames are written as it shows them, and every other byte stays', () => {
  for (const [method, pairs] of Object.entries(cases)) {
    for (const [given, expected] of pairs) {
      const named = renamedUris(view, 'docs', method as keyof typeof cases, Buffer.from(given));
      assert.equal(String(named), expected);
    }
  }
});

test('the answers of other sources are passed on untouched', () => {
  const answer = Buffer.from('{"contents":[{"uri":"f://a"}]}');
  assert.equal(renamedUris(view, 'other', 'resources/read', answer), answer);
});
