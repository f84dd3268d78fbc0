import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Credential } from '#domain';
import { carriedOf } from './carried.ts';

const provider = { id: 'mail', providerId: 'google', clientId: 'c', scopes: ['read'] };
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const carrying = (token: string, userInfo: Record<string, unknown> = {}): Credential => ({
  authorization: { token, userInfo, provider },
  secrets: [{ key: 'K', value: 'hush-secret' }],
});

it('hooks hear whose token a call carries, its scopes, and what the provider says of the user', () => {
  assert.deepEqual(carriedOf(carrying('opaque', { sub: '1' })), [
    { provider_id: 'google', oauth2: { scopes: ['read'], user_info: { sub: '1' } } },
  ]);
});

it('hooks hear the claims of a token that is a JWT, and not the token', () => {
  const signature = 'hush-signature';
  const token = `${part({ alg: 'RS256' })}.${part({ sub: 'ann', scp: 'read' })}.${signature}`;
  const carried = carriedOf(carrying(token));
  assert.deepEqual(carried[0]?.oauth2.at, { sub: 'ann', scp: 'read' });
  assert.doesNotMatch(JSON.stringify(carried), /hush/);
});

it('what only looks like a JWT has no claims', () => {
  for (const token of [
    'a.b.c',
    `${part([])}.${part({})}.x`,
    `${part({})}.${part('text')}.x`,
    'ya29.a0-x',
    '',
  ])
    assert.equal(carriedOf(carrying(token))[0]?.oauth2.at, undefined, token);
});

it('a call that carries no token of a provider says nothing', () => {
  assert.deepEqual(carriedOf(null), []);
  assert.deepEqual(carriedOf({ authorization: null, secrets: [] }), []);
  assert.deepEqual(carriedOf({ authorization: { token: 't', userInfo: {} }, secrets: [] }), []);
});
