import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { createRequestSigner } from './token.ts';

const secret = 's3cret-ü';

function claimsOf(token: string): Record<string, unknown> {
  const [header = '', claims = '', signature] = token.split('.');
  assert.equal(signature, createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url'));
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: 'HS256', typ: 'JWT' });
  return JSON.parse(Buffer.from(claims, 'base64url').toString());
}

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('base64url');

describe('the token of a request to a worker', () => {
  const clock = manualClock();
  const sign = createRequestSigner(secret, clock);

  it('carries what a worker checks, who signed, for how long, and for which request', () => {
    const body = '{"text":"Grüße 🎈"}';
    const { jti, ...claims } = claimsOf(sign('POST', '/worker/tools/invoke?zone=a', body));
    assert.match(String(jti), /^[0-9a-f-]{36}$/);
    const now = clock.now() / 1000;
    assert.deepEqual(claims, {
      aud: 'worker',
      ver: '1',
      iss: 'sallyport',
      iat: now - 10,
      exp: now + 45,
      digest: `sha-256=${sha256(`POST /worker/tools/invoke?zone=a\n${body}`)}`,
    });
  });

  it('has the digest of a body of bytes that are no text, byte by byte', () => {
    const body = Buffer.from([0xff, 0x00, 0xfe]);
    const { digest } = claimsOf(sign('POST', '/p', body));
    assert.equal(digest, `sha-256=${sha256(Buffer.concat([Buffer.from('POST /p\n'), body]))}`);
  });

  it('is another one for every request, were it the same', () => {
    const ids = Array.from({ length: 1000 }, () => claimsOf(sign('GET', '/worker/tools', '')).jti);
    assert.equal(new Set(ids).size, 1000);
  });
});
