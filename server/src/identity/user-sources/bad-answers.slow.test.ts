import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { manualClock } from '#foundation';
import {
  type IdentityProvider,
  type IdpKnobs,
  startIdentityProvider,
} from '../../../test/identity-provider.ts';
import type { SignInProblem, UserSource, UserSourceDraft } from './contract.ts';
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

/** Plain words for the person, the cause for the operator, and in neither a secret or a token. */
function told(
  { code, message, reason }: SignInProblem,
  expected: SignInProblem['code'],
  cause: RegExp,
): void {
  assert.equal(code, expected, reason);
  assert.match(reason, cause);
  assert.match(message, /^[A-Z].*\.$/);
  assert.doesNotMatch(message, /https?:|127\.0\.0\.1|claim|token|status|secret/i, 'words for people');
  for (const text of [message, reason]) {
    assert.equal(text.includes(idp.clientSecret), false);
    assert.doesNotMatch(text, /eyJ/);
  }
}

/** A sign-in that goes wrong once the browser is back. */
async function fails(
  knobs: IdpKnobs,
  code: SignInProblem['code'],
  cause: RegExp,
  other: Partial<UserSourceDraft> = {},
): Promise<void> {
  const source = await kit.sourceOf(idp, other);
  const ended = await kit.signIn(source, idp, 'alice', () => Object.assign(idp.knobs, knobs));
  told(problemIn(ended), code, cause);
  for (const name of Object.keys(knobs)) delete idp.knobs[name as keyof IdpKnobs];
}

async function cannotBegin(source: UserSource, code: SignInProblem['code'], cause: RegExp): Promise<void> {
  const to = { redirectUri: kit.sources.redirectUri(source.id), goOnAt: '/' };
  told(problemIn(await kit.sources.begin(source, to)), code, cause);
}

describe('an issuer that is down', () => {
  it('is told before the browser is sent there, and again where it goes down meanwhile', async () => {
    const source = await kit.sourceOf(idp);
    idp.knobs.down = true;
    await cannotBegin(source, 'sign_in.source_unreachable', /127\.0\.0\.1/);
    idp.knobs.down = false;
    await fails({ down: true }, 'sign_in.source_unreachable', /127\.0\.0\.1/);
    await fails({ downAt: ['jwks'] }, 'sign_in.source_unreachable', /keys of the issuer are not to be had/);
  });

  it('is tried again at the next sign-in', async () => {
    const source = await kit.sourceOf(idp);
    idp.knobs.down = true;
    await cannotBegin(source, 'sign_in.source_unreachable', /./);
    idp.knobs.down = false;
    assert.equal(userIn(await kit.signIn(source, idp)).userId, '00u1alice');
  });

  it('answers with an error of its server', async () => {
    const tokenError = { status: 503, error: 'temporarily_unavailable' };
    await fails({ tokenError }, 'sign_in.source_unreachable', /status 503/);
  });

  it('and hangs is given up on after five seconds', async () => {
    const clock = manualClock();
    const slow = await openTestSources(['127.0.0.0/8'], clock);
    try {
      const source = await slow.sourceOf(idp);
      idp.knobs.hanging = true;
      const to = { redirectUri: slow.sources.redirectUri(source.id), goOnAt: '/' };
      const begun = slow.sources.begin(source, to);
      while (idp.asked.discovery === 0) await setImmediate();
      clock.advance(5_200);
      told(problemIn(await begun), 'sign_in.source_unreachable', /5\d* ?m?s|time/);
    } finally {
      await slow.close();
    }
  });

  it('is where addresses inside are refused to a source of the API, and the operator is told what to change', async () => {
    const guarded = await openTestSources([]);
    try {
      const source = await guarded.sourceOf(idp);
      const to = { redirectUri: guarded.sources.redirectUri(source.id), goOnAt: '/' };
      const cause = /egress/i;
      told(problemIn(await guarded.sources.begin(source, to)), 'sign_in.source_unreachable', cause);
      assert.equal(idp.asked.discovery, 0);
    } finally {
      await guarded.close();
    }
  });
});

describe('an issuer that lies', () => {
  it('about its issuer in its discovery document is not used', async () => {
    const source = await kit.sourceOf(idp);
    for (const [discoveryIssuer, cause] of [
      ['https://evil.example', /says that its issuer is "https:\/\/evil\.example"/],
      [`${idp.issuer}/`, /to the letter/],
    ] as const) {
      idp.knobs.discoveryIssuer = discoveryIssuer;
      await cannotBegin(source, 'sign_in.source_misconfigured', cause);
    }
  });

  it('with endpoints that are missing or not safe is not used', async () => {
    const source = await kit.sourceOf(idp);
    for (const [discovery, cause] of [
      [{ jwks_uri: undefined }, /has no jwks_uri/],
      [{ token_endpoint: 'http://idp.example/token' }, /token_endpoint that is not https/],
      [{ authorization_endpoint: 'javascript:alert(1)' }, /authorization_endpoint that is not https/],
    ] as const) {
      idp.knobs.discovery = discovery;
      await cannotBegin(source, 'sign_in.source_misconfigured', cause);
    }
  });

  it('with a discovery document that is nested without end is not used', async () => {
    const source = await kit.sourceOf(idp);
    let nested: unknown[] = [];
    for (let level = 0; level < 3000; level++) nested = [nested];
    idp.knobs.discovery = { nested };
    await cannotBegin(source, 'sign_in.source_misconfigured', /is nested too deep/);
  });

  it('in its ID token about issuer, audience or nonce signs nobody in', async () => {
    const invalid = 'sign_in.answer_invalid';
    await fails(
      { tokenIssuer: 'https://evil.example' },
      invalid,
      /its iss is "https:\/\/evil\.example", expected/,
    );
    await fails({ tokenAudience: 'another-app' }, invalid, /its aud is "another-app"/);
    await fails({ tokenAudience: [idp.clientId, 'another-app'] }, invalid, /aud/);
    await fails({ tokenNonce: 'of-another-sign-in' }, invalid, /nonce/);
    await fails({ tokenClaims: { nonce: undefined } }, invalid, /nonce/);
    await fails({ tokenClaims: { sub: undefined } }, invalid, /sub/);
  });

  it('about who signed: no signature, a shared secret, the public key as a secret, a key of somebody else', async () => {
    for (const signing of ['none', 'secret', 'public_key_as_secret'] as const)
      await fails({ signing }, 'sign_in.answer_invalid', /alg|algorithm/i);
    idp.knobs.discovery = { id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'] };
    for (const signing of ['none', 'secret', 'public_key_as_secret'] as const)
      await fails({ signing }, 'sign_in.answer_invalid', /alg|algorithm|unsecured|signature/i);
    await fails({ signing: 'foreign_key' }, 'sign_in.answer_invalid', /signature verification failed/);
  });

  it('about the time by more than a minute', async () => {
    const source = await kit.sourceOf(idp);
    idp.knobs.clockAheadS = 45;
    userIn(await kit.signIn(source, idp));
    idp.knobs.clockAheadS = -45;
    userIn(await kit.signIn(source, idp));
    await fails({ clockAheadS: 300 }, 'sign_in.answer_invalid', /nbf/);
    await fails({ clockAheadS: -2 * 3600 }, 'sign_in.answer_invalid', /exp/);
  });
});

describe('keys that are renewed', () => {
  it('in mid-flight are found, also just after others were looked at', async () => {
    const source = await kit.sourceOf(idp);
    userIn(await kit.signIn(source, idp));
    const asked = idp.asked.jwks;
    const ended = await kit.signIn(source, idp, 'alice', () => idp.rotateKeys());
    assert.equal(userIn(ended).userId, '00u1alice');
    assert.equal(idp.asked.jwks, asked + 1);
    userIn(await kit.signIn(source, idp));
    assert.equal(idp.asked.jwks, asked + 1, 'and remembered');
  });
});

describe('an issuer that refuses', () => {
  it('a person, a secret, a scope or a code: each told apart', async () => {
    const refusal = (error: string, error_description = 'because') => ({
      tokenError: { error, error_description },
    });
    await fails(refusal('access_denied'), 'sign_in.source_refused', /answers access_denied: because/);
    await fails(refusal('invalid_grant'), 'sign_in.expired', /invalid_grant/);
    await fails(refusal('invalid_scope'), 'sign_in.source_misconfigured', /scopes that the issuer knows/);
    const wrong = { clientAuth: { by: 'secret', secret: 'not-the-secret' } } as const;
    await fails({}, 'sign_in.source_misconfigured', /invalid_client.*client_secret/, wrong);
  });

  it('at its page: the person who cancels is told apart from a source that is set up wrongly', async () => {
    for (const [error, code] of [
      ['access_denied', 'sign_in.source_refused'],
      ['invalid_scope', 'sign_in.source_misconfigured'],
      ['temporarily_unavailable', 'sign_in.source_unreachable'],
    ] as const) {
      idp.knobs.authorizationError = { error, error_description: 'AADSTS: words\nof theirs' };
      const source = await kit.sourceOf(idp);
      told(problemIn(await kit.signIn(source, idp)), code, /AADSTS: words of theirs/);
    }
  });

  it('and repeats what we told it in confidence: that is left out', async () => {
    const error_description = `secret ${idp.clientSecret} is wrong`;
    const tokenError = { status: 401, error: 'invalid_client', error_description };
    await fails({ tokenError }, 'sign_in.source_misconfigured', /secret … is wrong/);
  });
});

describe('an issuer that sends no groups', () => {
  it('signs people in without any, unless the source wants to know them', async () => {
    idp.knobs.dropGroups = true;
    assert.deepEqual(userIn(await kit.signIn(await kit.sourceOf(idp), idp)).groups, []);
    const cause = /groups_required is set, and the claim groups is neither/;
    await fails({}, 'sign_in.answer_invalid', cause, { groupsRequired: true });
  });

  it('or sends what is no list of them', async () => {
    for (const groups of [{ a: 1 }, ['a', 7], Array.from({ length: 1001 }, String)])
      await fails({ tokenClaims: { groups } }, 'sign_in.answer_invalid', /claim groups/);
  });
});
