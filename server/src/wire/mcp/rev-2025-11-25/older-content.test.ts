import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { olderContent } from './older-content.ts';

const sound = Buffer.from('sound').toString('base64');
const audio = `{"type":"audio","data":"${sound}","mimeType":"audio/wav","annotations":{"priority":1}}`;
const link =
  '{"type":"resource_link","name":"notes","title":"Notes","uri":"file:///n","description":"All of them","size":3}';
const bare = '{"type":"resource_link","name":"notes","uri":"file:///n","_meta":{"v/x":1}}';
const odd = '{ "type":"text","text":"\\"audio\\"", "n":1e400 }';

const uri = `ni:///sha-256;${createHash('sha256').update('sound').digest('base64url')}`;
const asResource = `{"type":"resource","annotations":{"priority":1},"resource":{"uri":"${uri}","mimeType":"audio/wav","blob":"${sound}"}}`;
const asText = '{"type":"text","text":"Notes: file:///n\\nAll of them"}';
const asBareText = '{"type":"text","text":"notes: file:///n","_meta":{"v/x":1}}';

test('a client gets only kinds of content that its revision has, and every other byte as it was', () => {
  const given = `{"content":[${audio},${odd}, ${link},${bare}],"isError":false}`;
  const told = (version: '2025-06-18' | '2025-03-26' | '2024-11-05') =>
    olderContent('tools/call', given, version).toString();
  assert.equal(told('2025-06-18'), given);
  assert.equal(told('2025-03-26'), `{"content":[${audio},${odd}, ${asText},${asBareText}],"isError":false}`);
  assert.equal(
    told('2024-11-05'),
    `{"content":[${asResource},${odd}, ${asText},${asBareText}],"isError":false}`,
  );
});

test('so does a client that gets a prompt', () => {
  const given = Buffer.from(`{"messages":[{"role":"user","content":${audio}},{"role":"user"}]}`);
  const told = olderContent('prompts/get', given, '2024-11-05').toString();
  assert.equal(told, `{"messages":[{"role":"user","content":${asResource}},{"role":"user"}]}`);
});

test('what holds no such content is not touched', () => {
  const given = Buffer.from(`{"content":[${odd}],"structuredContent":{"type":"resource"}}`);
  assert.equal(olderContent('tools/call', given, '2024-11-05'), given);
  const read = Buffer.from(`{"contents":[${link}]}`);
  assert.equal(olderContent('resources/read', read, '2024-11-05'), read);
});
