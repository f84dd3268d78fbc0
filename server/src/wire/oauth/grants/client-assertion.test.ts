import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkClientAssertion } from './client-assertion.ts';

const nowMs = 1_800_000_000_000;
const claims = { iss: 'svc_a', jti: 'one', exp: nowMs / 1000 + 60 };
const header = { alg: 'ES256', kid: 'a' };

it('a short-lived assertion that brings no key along is taken', () => {
  assert.deepEqual(checkClientAssertion(claims, header, nowMs), { ok: true, value: undefined });
});

it('an assertion that points to keys, or brings them, is refused', () => {
  for (const pointer of ['jku', 'jwk', 'x5u', 'x5c', 'crit']) {
    const checked = checkClientAssertion(claims, { ...header, [pointer]: 'https://evil.example/' }, nowMs);
    assert.match(checked.ok ? '' : checked.error, new RegExp(pointer));
  }
});

it('an assertion that would have to be remembered for long is refused', () => {
  const limit = nowMs / 1000 + 600;
  assert.equal(checkClientAssertion({ ...claims, exp: limit }, header, nowMs).ok, true);
  for (const more of [
    { exp: limit + 1 },
    { exp: undefined },
    { exp: `${limit}` },
    { jti: 'x'.repeat(257) },
    { jti: 7 },
    { jti: undefined },
  ])
    assert.equal(checkClientAssertion({ ...claims, ...more }, header, nowMs).ok, false, JSON.stringify(more));
});
