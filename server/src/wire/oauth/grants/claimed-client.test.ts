import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/any-character.ts';
import { claimedClientId, unbelievedClaims } from './claimed-client.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const jwt = (claims: unknown) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

it('a client is counted under one name, however it names itself', () => {
  assert.equal(claimedClientId({ client_id: 'svc_a' }, undefined), 'svc_a');
  assert.equal(claimedClientId({}, basic('svc_a:secret')), 'svc_a');
  assert.equal(claimedClientId({}, basic('svc%5Fa:secret')), 'svc_a');
  assert.equal(claimedClientId({ client_assertion: jwt({ sub: 'svc_a' }) }, undefined), 'svc_a');
});

it('whatever is sent, no claim of it breaks anything', () => {
  assert.deepEqual(unbelievedClaims(jwt('text')), {});
  assert.deepEqual(unbelievedClaims('no token'), {});
  assert.equal(claimedClientId({}, basic('%E0%A4%A:x')), '%E0%A4%A');
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: anyCharacter }), (assertion, header) => {
      assert.equal(typeof claimedClientId({ client_assertion: assertion }, undefined), 'string');
      assert.equal(typeof claimedClientId({}, header), 'string');
    }),
  );
});
