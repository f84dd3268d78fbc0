import assert from 'node:assert/strict';
import { it } from 'node:test';
import { changesOf } from './changes.ts';

it('changes name every field and hold no secret', () => {
  const body = {
    enabled: true,
    http: { uri: 'http://w', secret: 'hush-1' },
    mcp: {
      headers: { authorization: 'hush-2' },
      secrets: { K: 'hush-3', L: null },
      oauth2: { client_secret: 'hush-4' },
    },
    tools: [{ tool: 'A.B', arguments: { fixed: { a: 'hush-5', b: { c: 'hush-6' } } } }],
  };
  const changes = changesOf({ id: 'w' }, body);
  assert.doesNotMatch(JSON.stringify(changes), /hush/);
  assert.deepEqual(changes, {
    id: 'w',
    enabled: true,
    http: { uri: 'http://w', secret: '(set)' },
    mcp: {
      headers: { authorization: '(set)' },
      secrets: { K: '(set)', L: null },
      oauth2: { client_secret: '(set)' },
    },
    tools: [{ tool: 'A.B', arguments: { fixed: { a: '(set)', b: { c: '(set)' } } } }],
  });
});

it('long lists and texts are cut', () => {
  const { allowed, text } = changesOf({}, { allowed: Array(1000).fill('a'), text: 'x'.repeat(5000) });
  assert.equal((allowed as unknown[]).length, 101);
  assert.ok((text as string).length < 600);
});

it('the query of an address, where some servers want their key, is left out', () => {
  const changes = changesOf({}, { mcp: { uri: 'https://mcp.example/v1?key=hunter2' } });
  assert.deepEqual(changes, { mcp: { uri: 'https://mcp.example/v1?…' } });
});
