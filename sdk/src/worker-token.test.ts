import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signWorkerToken } from '../test/sign-worker-token.ts';
import { createWorkerTokenCheck } from './worker-token.ts';

const secret = 'a worker secret of thirty-two bytes or more';
const now = 1_800_000_000;
const check = createWorkerTokenCheck(secret, () => now * 1000);
const good = { aud: 'worker', ver: '1' };

describe('a worker token is accepted', () => {
  const accepted = {
    'with the two claims it must have': good,
    'with times around now': { ...good, iat: now, nbf: now, exp: now + 1 },
    'with the audience in a list': { ...good, aud: ['other', 'worker'] },
    'with claims nobody reads': { ...good, iss: 'gateway', jti: 'x' },
  };
  for (const [name, claims] of Object.entries(accepted)) {
    it(name, () => assert.deepEqual(check(signWorkerToken(secret, claims)), { ok: true, claims }));
  }
});

describe('a worker token is refused', () => {
  const signed = signWorkerToken(secret);
  const [head = '', body = '', signature = ''] = signed.split('.');
  const refused: Record<string, [token: string, reason: string]> = {
    'signed with another secret': [signWorkerToken('other'), 'Signature verification failed'],
    'with alg none and no signature': [
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
      'The specified alg value is not allowed',
    ],
    'with another HMAC': [signWorkerToken(secret, good, 'HS512'), 'The specified alg value is not allowed'],
    'with a cut signature': [`${head}.${body}.${signature.slice(0, -4)}`, 'Signature verification failed'],
    'with a changed body': [
      `${head}.${Buffer.from('{"aud":"worker","ver":"1","x":1}').toString('base64url')}.${signature}`,
      'Signature verification failed',
    ],
    'for another audience': [signWorkerToken(secret, { ...good, aud: 'engine' }), "Audience doesn't match"],
    'without an audience': [signWorkerToken(secret, { ver: '1' }), 'Token is missing the "aud" claim'],
    'of another version': [signWorkerToken(secret, { ...good, ver: '2' }), 'Unsupported token version: 2'],
    'whose version is a number': [
      signWorkerToken(secret, { ...good, ver: 1 }),
      'Unsupported token version: 1',
    ],
    'without a version': [signWorkerToken(secret, { aud: 'worker' }), 'Unsupported token version: None'],
    'that has expired': [signWorkerToken(secret, { ...good, exp: now }), 'Signature has expired'],
    'that is not valid yet': [
      signWorkerToken(secret, { ...good, nbf: now + 1 }),
      'The token is not yet valid (nbf)',
    ],
    'from the future': [
      signWorkerToken(secret, { ...good, iat: now + 1 }),
      'The token is not yet valid (iat)',
    ],
    'whose expiry is text': [
      signWorkerToken(secret, { ...good, exp: 'never' }),
      'Expiration Time claim (exp) must be an integer.',
    ],
    'that is one word': ['garbage', 'Not enough segments'],
    'that is three words': ['a.b.c', 'Invalid header string'],
    'of four segments': [`${signed}.x`, 'Too many segments'],
  };
  for (const [name, [token, reason]] of Object.entries(refused)) {
    it(name, () => assert.deepEqual(check(token), { ok: false, problem: reason }));
  }
});
