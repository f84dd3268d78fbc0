import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  type IdentityProvider,
  type IdpUser,
  startIdentityProvider,
} from '../../../test/identity-provider.ts';
import type { UserSourceDraft } from './contract.ts';
import { openTestSources, problemIn, type TestSources, userIn } from './fixtures/sources.ts';

let kit: TestSources;
let idp: IdentityProvider;

before(async () => {
  kit = await openTestSources();
});
after(() => kit.close());
beforeEach(async () => {
  idp = await startIdentityProvider();
});
afterEach(() => idp.close());

async function signInAs(user: Partial<IdpUser>, other: Partial<UserSourceDraft> = {}) {
  idp.setUser('mallory', { sub: 'm', ...user });
  return kit.signIn(await kit.sourceOf(idp, other), idp, 'mallory');
}

describe('the answer of a browser', () => {
  it('that another issuer gave is refused (mix-up), also where it does not say who it is', async () => {
    const evil = await startIdentityProvider();
    try {
      const [honest, other] = [await kit.sourceOf(idp), await kit.sourceOf(evil)];
      const { attempt } = await kit.begin(honest);
      const begun = await kit.begin(other);
      const back = new URL(await evil.signIn(begun.url, 'alice'));
      const crossed = problemIn(await kit.sources.finish(honest, begun.attempt, back));
      assert.match(crossed.reason, /begun at another user source/);
      back.searchParams.set('state', attempt.state);
      const injected = problemIn(await kit.sources.finish(honest, attempt, back));
      assert.equal(injected.code, 'sign_in.answer_invalid');
      assert.match(injected.reason, /"iss"/);
      back.searchParams.delete('iss');
      assert.match(
        problemIn(await kit.sources.finish(honest, attempt, back)).reason,
        /"iss" \(issuer\) missing/,
      );
      assert.equal(idp.asked.token, 0, 'no code went to the wrong issuer');
    } finally {
      await evil.close();
    }
  });

  it('to another sign-in is refused: state, nonce and PKCE each hold by themselves', async () => {
    const source = await kit.sourceOf(idp);
    const [mine, theirs] = [await kit.begin(source), await kit.begin(source)];
    const back = new URL(await idp.signIn(theirs.url, 'bob'));
    assert.equal(problemIn(await kit.sources.finish(source, mine.attempt, back)).code, 'sign_in.expired');
    const { state } = theirs.attempt;
    const injected = problemIn(await kit.sources.finish(source, { ...mine.attempt, state }, back));
    assert.match(injected.reason, /invalid_grant/, 'PKCE');
    const again = await kit.begin(source);
    const other = new URL(await idp.signIn(again.url, 'bob'));
    const { nonce } = mine.attempt;
    const replayed = problemIn(await kit.sources.finish(source, { ...again.attempt, nonce }, other));
    assert.match(replayed.reason, /nonce/);
  });

  it('is taken once, and each parameter once', async () => {
    const source = await kit.sourceOf(idp);
    const { url, attempt } = await kit.begin(source);
    const back = new URL(await idp.signIn(url, 'alice'));
    const doubled = new URL(back);
    doubled.searchParams.append('code', 'another');
    assert.equal(
      problemIn(await kit.sources.finish(source, attempt, doubled)).code,
      'sign_in.answer_invalid',
    );
    userIn(await kit.sources.finish(source, attempt, back));
    assert.equal(problemIn(await kit.sources.finish(source, attempt, back)).code, 'sign_in.expired');
  });

  it('means nothing once the source is inactive', async () => {
    const source = await kit.sourceOf(idp);
    const { url, attempt } = await kit.begin(source);
    const back = new URL(await idp.signIn(url, 'alice'));
    const inactive = { ...source, status: 'inactive' } as const;
    assert.match(problemIn(await kit.sources.finish(inactive, attempt, back)).reason, /inactive/);
  });
});

describe('an e-mail address', () => {
  const allowedDomains = ['Corp.example'];

  it('is of an allowed domain only where it is that domain, to the letter', async () => {
    for (const email of ['a@corp.example', 'a@CORP.Example'])
      assert.equal(userIn(await signInAs({ email }, { allowedDomains })).email, email);
    for (const email of [
      'a@evilcorp.example',
      'a@corp.example.evil.example',
      'a@sub.corp.example',
      'a@corp.example.',
      'a@corp.example@evil.example',
      'a@evil.example@corp.example',
      'a@xcorp.example\u0000',
      'a@\u0441orp.example',
      'a@corp\u3002example',
      'corp.example',
      '@corp.example',
      'a@',
      'a b@corp.example',
    ])
      assert.equal(
        problemIn(await signInAs({ email }, { allowedDomains })).code,
        'sign_in.not_allowed',
        email,
      );
    const kelvin = { allowedDomains: ['kelvin.example'] };
    assert.equal(
      problemIn(await signInAs({ email: 'a@\u212aelvin.example' }, kelvin)).code,
      'sign_in.not_allowed',
    );
  });

  it('that the issuer does not vouch for is nobody: not for a domain, not as the user id, not to be known by', async () => {
    const claimed = { email: 'ceo@corp.example', emailVerified: false };
    const outside = problemIn(await signInAs(claimed, { allowedDomains }));
    assert.equal(outside.code, 'sign_in.not_allowed');
    assert.match(outside.reason, /does not vouch/);
    assert.match(problemIn(await signInAs(claimed, { userClaim: 'email' })).reason, /not vouched for/);
    assert.equal(userIn(await signInAs(claimed)).email, '');
  });

  it('is vouched for only by who says that very address', async () => {
    idp.knobs.tokenClaims = { email: 'ceo@corp.example', email_verified: undefined };
    const byEmail = await signInAs({ email: 'mallory@corp.example' }, { userClaim: 'email' });
    assert.match(problemIn(byEmail).reason, /not vouched for/);
  });
});

describe('a user claim', () => {
  it('is never what every object has', async () => {
    for (const userClaim of [
      'constructor.name',
      '__proto__',
      'toString',
      'groups.length',
      '__proto__.constructor',
    ])
      assert.match(
        problemIn(await signInAs({ groups: ['a'] }, { userClaim })).reason,
        /is not in the ID token/,
      );
    const user = userIn(await signInAs({}));
    assert.equal((user.claims as { toString?: unknown }).toString, undefined);
  });

  it('is taken exactly, or not at all', async () => {
    const as = (employee: unknown) => signInAs({ claims: { employee } }, { userClaim: 'employee' });
    for (const employee of ['E-17', 'Ada Lovelace', 'ÄDA'])
      assert.equal(userIn(await as(employee)).userId, employee);
    for (const employee of [
      '',
      ' ada',
      'ada\u00a0',
      'a\nb',
      7,
      null,
      ['ada'],
      'x'.repeat(257),
      'eyJh.eyJz.c2ln',
    ])
      assert.equal(problemIn(await as(employee)).code, 'sign_in.answer_invalid', String(employee));
  });
});

describe('what is kept of the claims', () => {
  it('is what is said of the person: nothing of the protocol, and no token of another issuer', async () => {
    const _claim_names = { address: 'src1' };
    const _claim_sources = { src1: { endpoint: 'https://x.example', access_token: 'a-secret-token' } };
    const user = userIn(await signInAs({ claims: { department: 'engines', _claim_names, _claim_sources } }));
    assert.equal(user.claims.department, 'engines');
    assert.doesNotMatch(JSON.stringify(user.claims), /a-secret-token|nonce|at_hash/);
  });

  it('is bounded', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`);
    for (const claims of [{ deep }, { long: 'x'.repeat(100_000) }])
      assert.match(problemIn(await signInAs({ claims })).reason, /more, or nested deeper/);
  });
});
