import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { createTokens } from './token.ts';

describe('the token for a worker', () => {
  it('carries what a worker checks, signed with its secret', () => {
    const clock = manualClock();
    const [header = '', claims = '', signature] = createTokens('s3cret-ü', clock)().split('.');
    assert.equal(
      signature,
      createHmac('sha256', 's3cret-ü').update(`${header}.${claims}`).digest('base64url'),
    );
    const iat = clock.now() / 1000;
    assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64url').toString()), {
      aud: 'worker',
      ver: '1',
      iat,
      exp: iat + 60,
    });
  });

  it('is used until 20 s before it expires, and not when the clock was set back', () => {
    let now = 1_000_000_000_000;
    const token = createTokens('s', { ...manualClock(), now: () => now });
    const first = token();
    now += 39_999;
    assert.equal(token(), first);
    now += 1;
    const second = token();
    assert.notEqual(second, first);
    now -= 3_600_000;
    assert.notEqual(token(), second);
  });
});
