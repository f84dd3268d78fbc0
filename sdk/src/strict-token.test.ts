import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestClaims } from '../test/sign-worker-token.ts';
import { createStrictTokenCheck } from './strict-token.ts';

const start = 1_800_000_000;
const request = { method: 'POST', target: '/worker/tools/invoke?zone=a', body: Buffer.from('{"a":1}') };
const good = () => requestClaims(start, request);
const without = (name: string) => {
  const { [name]: _, ...claims } = good();
  return claims;
};

describe('strict mode refuses a token', () => {
  const check = createStrictTokenCheck(() => start * 1000);
  const refused: Record<string, [claims: Record<string, unknown>, reason: string]> = {
    'without the time it was made': [without('iat'), 'Token is missing the "iat" claim'],
    'without an end': [without('exp'), 'Token is missing the "exp" claim'],
    'without an issuer': [without('iss'), 'Token is missing the "iss" claim'],
    'without an id': [without('jti'), 'Token is missing the "jti" claim'],
    'without a digest': [without('digest'), 'Token is missing the "digest" claim'],
    'that lives for 61 s': [{ ...good(), exp: start + 61 }, 'The token lives longer than 60 s'],
    'that lives for ever': [{ ...good(), exp: Infinity, iat: Infinity }, 'The token lives longer than 60 s'],
    'whose issuer has no name': [{ ...good(), iss: '' }, 'Issuer claim (iss) must be a string.'],
    'whose id is a number': [
      { ...good(), jti: 7 },
      'JWT ID claim (jti) must be a string of 1 to 128 characters.',
    ],
    'whose id fills the memory': [
      { ...good(), jti: 'x'.repeat(129) },
      'JWT ID claim (jti) must be a string of 1 to 128 characters.',
    ],
  };
  for (const [name, [claims, reason]] of Object.entries(refused)) {
    it(name, () => assert.equal(check.ofClaims(claims), reason));
  }
  it('but not one that lives for 60 s', () =>
    assert.equal(check.ofClaims({ ...good(), exp: start + 60 }), null));
});

describe('strict mode refuses a request', () => {
  const altered: Record<string, Partial<typeof request>> = {
    'with one byte of the body changed': { body: Buffer.from('{"a":2}') },
    'with a body that means the same': { body: Buffer.from('{"a": 1}') },
    'with another method': { method: 'PUT' },
    'with another path': { target: '/worker/tools?zone=a' },
    'with another query': { target: '/worker/tools/invoke?zone=b' },
  };
  for (const [name, change] of Object.entries(altered)) {
    it(`${name}, and still takes the one that was signed`, () => {
      const check = createStrictTokenCheck(() => start * 1000);
      const claims = good();
      assert.equal(
        check.ofRequest(claims, { ...request, ...change }),
        'The digest is not that of this request',
      );
      assert.equal(check.ofRequest(claims, request), null);
    });
  }

  it('whose digest is of another kind, or none', () => {
    const check = createStrictTokenCheck(() => start * 1000);
    const { digest } = good();
    for (const other of [String(digest).replace('sha-256=', 'md5='), '', 3, null, [digest, digest]]) {
      const problem = check.ofRequest({ ...good(), digest: other }, request);
      assert.equal(problem, 'The digest is not that of this request', String(other));
    }
  });

  it('whose token was used before, until that has expired and longer', () => {
    let now = start;
    const check = createStrictTokenCheck(() => now * 1000);
    const claims = good();
    assert.equal(check.ofRequest(claims, request), null);
    for (const later of [0, 29]) {
      now = start + later;
      assert.equal(check.ofRequest(claims, request), 'The token was used before');
    }
  });

  it('rather than forget a token, and takes more once some have expired', () => {
    let now = start;
    const check = createStrictTokenCheck(() => now * 1000, 3);
    const first = good();
    assert.equal(check.ofRequest(first, request), null);
    for (let more = 0; more < 2; more++) assert.equal(check.ofRequest(good(), request), null);
    const fourth = good();
    assert.match(String(check.ofRequest(fourth, request)), /^Too many tokens/);
    assert.equal(check.ofRequest(first, request), 'The token was used before');
    now = start + 30;
    assert.equal(check.ofRequest(fourth, request), null);
  });
});
