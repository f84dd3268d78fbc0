import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import {
  type IdentityProvider,
  type IdpOptions,
  startIdentityProvider,
} from '../../../test/identity-provider.ts';
import { openTestSources, problemIn, type TestSources, userIn } from './fixtures/sources.ts';

let kit: TestSources;
let idp: IdentityProvider;

before(async () => {
  kit = await openTestSources();
});
after(() => kit.close());
afterEach(() => idp.close());

async function start(options: IdpOptions): Promise<void> {
  idp = await startIdentityProvider(options);
}

describe('Entra', () => {
  const carol = {
    sub: 'pairwise-of-carol',
    oid: '0b6f-carol',
    name: 'Carol',
    email: 'carol@example.com',
    preferredUsername: 'carol@example.com',
    groups: ['5e1f-group-id'],
  };

  it('signs people in by oid, with ids of groups, and an e-mail address from userinfo', async () => {
    await start({ preset: 'entra', users: { carol } });
    const user = userIn(await kit.signIn(await kit.sourceOf(idp), idp, 'carol'));
    assert.deepEqual(
      [user.userId, user.subject, user.groups, user.email, user.name],
      ['0b6f-carol', 'pairwise-of-carol', ['5e1f-group-id'], 'carol@example.com', 'Carol'],
    );
    assert.equal(user.issuer, idp.issuer);
  });

  it('is never sent a resource, which it refuses, and gets the secret in the form it likes', async () => {
    await start({ preset: 'entra', users: { carol } });
    userIn(await kit.signIn(await kit.sourceOf(idp), idp, 'carol'));
    assert.equal(idp.lastAuthorization.has('resource'), false);
    assert.equal(idp.lastTokenRequest.body.has('resource'), false);
    assert.equal(idp.lastTokenRequest.body.get('client_secret'), idp.clientSecret);
    assert.equal(idp.lastAuthorization.get('code_challenge_method'), 'S256');
  });

  it('that leaves out groups because there are too many signs nobody in silently without them', async () => {
    await start({ preset: 'entra', users: { carol } });
    const source = await kit.sourceOf(idp);
    for (const overage of ['claim', 'hasgroups'] as const) {
      idp.knobs.groupOverage = overage;
      const problem = problemIn(await kit.signIn(source, idp, 'carol'));
      assert.equal(problem.code, 'sign_in.answer_invalid');
      assert.match(problem.message, /which groups you are in, because there are too many/);
      assert.match(problem.reason, /groups that are assigned to the application.*groups_claim/);
    }
    const doesWithout = await kit.sourceOf(idp, { groupsClaim: '' });
    assert.deepEqual(userIn(await kit.signIn(doesWithout, idp, 'carol')).groups, []);
  });

  it('in Graph does not answer for an e-mail address, and people sign in all the same', async () => {
    await start({ preset: 'entra', users: { carol } });
    idp.knobs.downAt = ['userinfo'];
    assert.equal(userIn(await kit.signIn(await kit.sourceOf(idp), idp, 'carol')).email, '');
  });

  it('does not vouch for an address of a domain that nobody has verified there', async () => {
    const unverified = { ...carol, claims: { email: 'ceo@example.com', xms_edov: false } };
    await start({ preset: 'entra', users: { carol: unverified } });
    assert.equal(userIn(await kit.signIn(await kit.sourceOf(idp), idp, 'carol')).email, '');
    const byEmail = await kit.sourceOf(idp, { userClaim: 'email' });
    assert.match(problemIn(await kit.signIn(byEmail, idp, 'carol')).reason, /not vouched for/);
  });
});

describe('Okta', () => {
  it('says groups in userinfo alone, beside a thin ID token', async () => {
    await start({ preset: 'okta' });
    const user = userIn(await kit.signIn(await kit.sourceOf(idp), idp));
    assert.deepEqual(
      [user.userId, user.groups, user.email],
      ['00u1alice', ['engineering', 'everyone'], 'alice@example.com'],
    );
    assert.equal(idp.asked.userinfo, 1);
  });

  it('signs nobody in without their groups where userinfo does not answer', async () => {
    await start({ preset: 'okta' });
    idp.knobs.downAt = ['userinfo'];
    const problem = problemIn(await kit.signIn(await kit.sourceOf(idp), idp));
    assert.equal(problem.code, 'sign_in.source_unreachable');
    assert.match(problem.reason, /userinfo/);
  });

  it('takes the secret in whichever way the application was set up for', async () => {
    for (const tokenAuth of ['client_secret_basic', 'client_secret_post'] as const) {
      await start({ preset: 'okta', tokenAuth });
      userIn(await kit.signIn(await kit.sourceOf(idp), idp));
      await idp.close();
    }
    await start({ preset: 'okta' });
  });
});

describe('Google', () => {
  const ofCompany = {
    sub: '1084',
    email: 'dan@Example.com',
    emailVerified: true,
    name: 'Dan',
    hd: 'example.com',
  };
  const allowedDomains = ['example.com'];

  it('signs in accounts of the company, and is asked for no more scopes than it knows', async () => {
    await start({ preset: 'google', users: { dan: ofCompany } });
    const user = userIn(await kit.signIn(await kit.sourceOf(idp, { allowedDomains }), idp, 'dan'));
    assert.deepEqual([user.userId, user.email, user.groups], ['1084', 'dan@Example.com', []]);
    assert.equal(idp.lastAuthorization.get('scope'), 'openid profile email');
    assert.equal(idp.lastAuthorization.get('hd'), 'example.com');
    assert.equal(idp.asked.userinfo, 0, 'the ID token says it all');
  });

  it('knows private accounts that were made with an address of the company: they stay outside', async () => {
    const { hd: _none, ...privately } = ofCompany;
    await start({ preset: 'google', users: { dan: privately } });
    const problem = problemIn(await kit.signIn(await kit.sourceOf(idp, { allowedDomains }), idp, 'dan'));
    assert.equal(problem.code, 'sign_in.not_allowed');
    assert.match(problem.reason, /hd is not among allowed_domains/);
    assert.doesNotMatch(problem.message, /example\.com/);
  });
});

describe('Keycloak', () => {
  it('says groups as paths, which lose their first slash, and roles in a nested claim', async () => {
    const erin = {
      sub: 'f3-erin',
      email: 'erin@example.com',
      preferredUsername: 'erin',
      groups: ['eng/backend', 'everyone'],
      roles: ['tool-user'],
    };
    await start({ preset: 'keycloak', users: { erin } });
    const byGroups = await kit.sourceOf(idp, { userClaim: 'preferred_username' });
    const user = userIn(await kit.signIn(byGroups, idp, 'erin'));
    assert.deepEqual([user.userId, user.groups], ['erin', ['eng/backend', 'everyone']]);
    const byRoles = await kit.sourceOf(idp, { groupsClaim: 'realm_access.roles' });
    assert.deepEqual(userIn(await kit.signIn(byRoles, idp, 'erin')).groups, ['tool-user']);
  });
});

describe('any issuer', () => {
  it('may know us by a key instead of a secret, or as a public client', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid: 'ours' };
    const clientJwk = { ...(await exportJWK(publicKey)), kid: 'ours' };
    await start({ tokenAuth: 'private_key_jwt', clientJwk });
    userIn(await kit.signIn(await kit.sourceOf(idp, { clientAuth: { by: 'private_key_jwt', jwk } }), idp));
    const sent = idp.lastTokenRequest;
    assert.equal(sent.body.has('client_secret'), false);
    assert.ok(sent.body.has('client_assertion'));
    await idp.close();

    await start({ tokenAuth: 'none' });
    userIn(await kit.signIn(await kit.sourceOf(idp, { clientAuth: { by: 'none' } }), idp));
    assert.equal(idp.lastTokenRequest.authorization, undefined);
  });

  it('may put the user id and groups anywhere; a single group may stand alone', async () => {
    const claims = { org: { employee: { id: 'E-17' } }, 'https://corp.example/team': 'red' };
    await start({ users: { alice: { sub: 's', claims } } });
    const source = await kit.sourceOf(idp, {
      userClaim: 'org.employee.id',
      groupsClaim: 'https://corp.example/team',
    });
    const user = userIn(await kit.signIn(source, idp));
    assert.deepEqual([user.userId, user.groups], ['E-17', ['red']]);
  });

  it('may be one of several, each with people of its own', async () => {
    await start({});
    const other = await startIdentityProvider({ preset: 'keycloak' });
    try {
      const [first, second] = [await kit.sourceOf(idp), await kit.sourceOf(other)];
      assert.equal(userIn(await kit.signIn(first, idp)).issuer, idp.issuer);
      assert.equal(userIn(await kit.signIn(second, other)).issuer, other.issuer);
    } finally {
      await other.close();
    }
  });
});
