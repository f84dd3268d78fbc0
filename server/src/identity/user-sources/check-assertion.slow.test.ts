import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#foundation';
import { type IdentityProvider, startIdentityProvider } from '../../../test/identity-provider.ts';
import type { UserSource } from './contract.ts';
import { openTestSources, type TestSources } from './fixtures/sources.ts';

let kit: TestSources;
let idp: IdentityProvider;
let source: UserSource;
const audience = 'https://mcp.example.com';
const clientId = 'agent-1';

before(async () => {
  kit = await openTestSources();
  idp = await startIdentityProvider();
  source = await kit.sourceOf(idp, { assertionClients: [clientId], userClaim: 'email' });
});
after(async () => {
  await idp.close();
  await kit.close();
});

type Other = Parameters<IdentityProvider['assertion']>[2];

const made = (other: Other = {}, to: object = {}) =>
  idp.assertion(
    'alice',
    { audience, clientId, resource: `${audience}/mcp/people`, scope: 'mcp', ...to },
    other,
  );

async function refused(assertion: string, reason: RegExp, by = source, client = clientId): Promise<void> {
  const checked = await kit.sources.checkAssertion(by, assertion, { audience, clientId: client });
  assert.ok(!checked.ok, `taken, though ${reason}`);
  assert.match(checked.error, reason);
}

describe('an identity assertion', () => {
  it('of the issuer names the user, what it is for, and until when', async () => {
    const checked = await kit.sources.checkAssertion(source, await made(), { audience, clientId });
    assert.ok(checked.ok, JSON.stringify(checked));
    const { userId, subject, groups, resource, scope, jti, expiresAtMs } = checked.value;
    assert.deepEqual(
      [userId, subject, groups, resource, scope],
      ['alice@example.com', '00u1alice', ['engineering', 'everyone'], `${audience}/mcp/people`, 'mcp'],
    );
    assert.match(jti, /./);
    assert.ok(expiresAtMs > 0);
  });

  it('is of its kind, for us, and for the client that brings it', async () => {
    await refused(await made({ header: { typ: 'JWT' } }), /"typ"/);
    await refused(await made({}, { audience: 'https://other.example' }), /"aud"/);
    await refused(await made({ claims: { aud: [audience, 'https://other.example'] } }), /names others/);
    await refused(await made({}, { clientId: 'agent-2' }), /"client_id"/);
    await refused(await made({}, { clientId: 'agent-2' }), /assertion_client_ids/, source, 'agent-2');
    const none = await kit.sourceOf(idp);
    await refused(await made(), /assertion_client_ids/, none);
    await refused(await made(), /inactive/, { ...source, status: 'inactive' });
  });

  it('has a time, and a name of its own', async () => {
    const now = Math.floor(systemClock.now() / 1000);
    for (const [claims, reason] of [
      [{ exp: undefined }, /"exp"/],
      [{ iat: undefined }, /"iat"/],
      [{ jti: undefined }, /"jti"/],
      [{ sub: undefined }, /"sub"/],
      [{ jti: 7 }, /"jti"/],
      [{ iat: now - 600, exp: now - 120 }, /"exp"/],
      [{ iat: now - 2 * 3600, exp: now + 3600 }, /"iat"/],
      [{ iat: now + 600, exp: now + 900 }, /"iat"/],
      [{ iss: 'https://evil.example' }, /"iss"/],
      [{ resource: ['a', 'b'] }, /"resource"/],
    ] as const)
      await refused(await made({ claims }), reason);
  });

  it('is signed by the issuer, with a key that the issuer publishes', async () => {
    for (const signing of ['none', 'secret', 'public_key_as_secret'] as const)
      await refused(await made({ signing }), /alg|typ|signed/i);
    await refused(await made({ signing: 'foreign_key' }), /signature|not among the keys/);
    for (const header of [
      { jku: 'https://evil.example/keys' },
      { jwk: { kty: 'RSA' } },
      { x5u: 'https://evil.example/cert' },
      { x5c: ['MII'] },
    ])
      await refused(await made({ header }), /its header has/);
    for (const text of ['', 'x', 'a.b.c', 'x'.repeat(70_000)]) await refused(text, /no signed token|longer/);
  });

  it('does not make the server ask for keys as often as somebody sends a strange one', async () => {
    const asked = idp.asked.jwks;
    for (let n = 0; n < 5; n++)
      await refused(await made({ header: { kid: `unknown-${n}` } }), /not among the keys/);
    assert.ok(idp.asked.jwks <= asked + 1, `${idp.asked.jwks - asked} times`);
  });

  it('is held to what the source demands of people', async () => {
    const ofDomain = await kit.sourceOf(idp, {
      assertionClients: [clientId],
      allowedDomains: ['other.example'],
    });
    await refused(await made(), /allowed_domains/, ofDomain);
    const unvouched = { email: 'alice@example.com', email_verified: false };
    await refused(await made({ claims: unvouched }), /not vouched for/);
  });
});
