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

it('a resource as the API shows it keeps what it is, and nothing secret', () => {
  const shown = (exists: boolean) => ({ exists, editable: true, value: '', binding: 'project' });
  const after = {
    id: 'w',
    key: 'hush-1',
    http: { uri: 'https://ann:hush-2@w.example/x?key=hush-3#y', secret: shown(true) },
    mcp: {
      secrets: { K: shown(true), L: shown(false) },
      oauth2: { client_id: 'c', client_secret: shown(true) },
    },
    auth: { type: 'bearer', token: 'hush-4', api_token: 'hush-5', password: 'hush-6' },
    tls: { client_cert: 'public', client_key: 'hush-7', ca: '-----BEGIN PRIVATE KEY-----hush-8' },
    tools: [{ tool: 'A.B', arguments: { fixed: { a: 'hush-9' }, defaults: {}, hidden: ['b'] } }],
    held: { tool: 'A.B', arguments: { note: 'hush-10', hidden: 'hush-11' } },
    jwks: { keys: [{ kty: 'EC', x: 'public' }] },
    rules: [{ match: { detector: 'api_key' }, per: ['key'] }],
  };
  const changes = changesOf({ id: 'w' }, null, { before: null, after });
  assert.doesNotMatch(JSON.stringify(changes), /hush/);
  assert.deepEqual(changes, {
    id: 'w',
    before: null,
    after: {
      id: 'w',
      key: '(set)',
      http: { uri: 'https://…@w.example/x?…', secret: '(set)' },
      mcp: { secrets: { K: '(set)', L: null }, oauth2: { client_id: 'c', client_secret: '(set)' } },
      auth: { type: 'bearer', token: '(set)', api_token: '(set)', password: '(set)' },
      tls: { client_cert: 'public', client_key: '(set)', ca: '(set)' },
      tools: [{ tool: 'A.B', arguments: { fixed: { a: '(set)' }, defaults: {}, hidden: ['b'] } }],
      held: { tool: 'A.B', arguments: { note: '(set)', hidden: '(set)' } },
      jwks: { keys: [{ kty: 'EC', x: 'public' }] },
      rules: [{ match: { detector: 'api_key' }, per: ['key'] }],
    },
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
