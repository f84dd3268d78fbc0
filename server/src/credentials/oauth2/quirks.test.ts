import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import {
  type StandIn,
  startGitHub,
  startGoogle,
  startMicrosoft,
  startNotion,
  startSlack,
} from '../../../test/oauth-providers/index.ts';
import { atStandIn, problemIn, tokensOf, valueIn, wellKnown } from './fixtures/at-stand-in.ts';

const egress = createEgress({ allow: ['127.0.0.1'] });
const running: StandIn[] = [];
after(async () => {
  egress.close();
  await Promise.all(running.map((one) => one.close()));
});

type Start = typeof startGitHub;

/** As whoever registers the provider writes it, or with the facts of the well-known one. */
async function at(start: Start, by: 'custom' | { readonly known: string; readonly more?: object }) {
  const clock = manualClock();
  const standIn = await start({ now: clock.now });
  running.push(standIn);
  const given = by === 'custom' ? {} : { given: wellKnown(standIn, by.known, by.more) };
  return Object.assign(atStandIn(standIn, { egress, clock, ...given }), { clock, standIn });
}

describe('GitHub', () => {
  for (const by of ['custom', { known: 'github' }] as const) {
    it(`gives a token that has no end, its scopes told with commas, by ${JSON.stringify(by)}`, async () => {
      const github = await at(startGitHub, by);
      const granted = valueIn(await github.consent(['repo', 'read:user']));
      assert.equal(github.standIn.grantOf(granted.accessToken)?.user.login, 'ann');
      assert.deepEqual(granted.scopes?.slice(0, 2), ['repo', 'read:user']);
      assert.deepEqual([granted.refreshToken, granted.expiresAtMs], [null, null]);
      assert.equal(granted.subject, String(granted.userInfo?.id));
    });
  }

  it('counts scopes that another one brings along as granted', async () => {
    const github = await at(startGitHub, { known: 'github' });
    const granted = valueIn(await github.consent(['user']));
    assert.ok(granted.scopes?.includes('user:email'));
    assert.ok(!granted.scopes?.includes('repo'));
  });

  it('has told a wrong secret although it answers with 200, and who mends it', async () => {
    const github = await at(startGitHub, { known: 'github' });
    const { held, answer, codeVerifier } = await github.goAndComeBack(['repo'], { as: 'ann', allow: true });
    github.standIn.refuseClient = true;
    const problem = problemIn(
      await github.authority.exchange(github.target, held, {
        code: answer.get('code') ?? '',
        iss: null,
        codeVerifier,
        redirectUri: [...github.standIn.redirectUris][0] ?? '',
        scopes: ['repo'],
      }),
    );
    assert.deepEqual([problem.kind, problem.code], ['client', 'incorrect_client_credentials']);
    assert.match(problem.words, /^GitHub does not accept our client id or secret/);
    assert.match(problem.advice, /client secret of the app at GitHub/);
  });

  it('takes a code once', async () => {
    const github = await at(startGitHub, 'custom');
    const { held, answer, codeVerifier } = await github.goAndComeBack(['repo'], { as: 'ann', allow: true });
    const [redirectUri = ''] = github.standIn.redirectUris;
    const code = { code: answer.get('code') ?? '', iss: null, codeVerifier, redirectUri, scopes: [] };
    valueIn(await github.authority.exchange(github.target, held, code));
    const problem = problemIn(await github.authority.exchange(github.target, held, code));
    assert.deepEqual([problem.kind, problem.code], ['consent', 'bad_verification_code']);
  });

  it('says at the callback that the redirect URI is not registered, and which one is to be', async () => {
    const github = await at(startGitHub, 'custom');
    const { held } = await github.prepare();
    const problem = github.authority.explain(github.target, held, 'redirect_uri_mismatch', null);
    assert.equal(problem.kind, 'client');
    assert.match(
      problem.advice,
      /registers http:\/\/127\.0\.0\.1:9\/connect\/callback\/default\/providers\/own /,
    );
  });
});

describe('Google', () => {
  it('gives a refresh token, which stays when the access token is renewed', async () => {
    const google = await at(startGoogle, { known: 'google' });
    const granted = valueIn(await google.consent(['openid', 'email']));
    assert.equal(granted.subject, google.standIn.grantOf(granted.accessToken)?.user.id);
    assert.equal(granted.name, 'ann@example.com');
    assert.equal(granted.expiresAtMs, google.clock.now() + 3_599_000);
    const { held } = await google.prepare();
    const renewed = valueIn(await google.authority.renew(google.target, held, tokensOf(granted)));
    assert.equal(renewed.refreshToken, null);
    assert.notEqual(renewed.accessToken, granted.accessToken);
    const again = { ...tokensOf(granted), accessToken: renewed.accessToken };
    assert.ok(valueIn(await google.authority.renew(google.target, held, again)).accessToken);
  });

  it('in test mode refuses who is no tester, with what to do about it', async () => {
    const google = await at(startGoogle, { known: 'google' });
    google.standIn.testers = new Set(['bob']);
    const { held, answer } = await google.goAndComeBack(['openid'], { as: 'ann', allow: true });
    assert.equal(answer.get('error'), 'access_denied');
    const problem = google.authority.explain(google.target, held, 'access_denied', null);
    assert.equal(problem.kind, 'consent');
    assert.notEqual(problem.advice, '');
    assert.ok((await google.consent(['openid'], 'bob')).ok);
  });

  it('is told that a user took the grant back by the next renewal', async () => {
    const google = await at(startGoogle, { known: 'google' });
    const granted = valueIn(await google.consent(['openid']));
    google.standIn.revokeAll();
    const { held } = await google.prepare();
    const problem = problemIn(await google.authority.renew(google.target, held, tokensOf(granted)));
    assert.deepEqual([problem.kind, problem.code], ['consent', 'invalid_grant']);
  });

  it('is passing trouble while it is out, and no reason to ask the user again', async () => {
    const google = await at(startGoogle, { known: 'google' });
    const granted = valueIn(await google.consent(['openid']));
    google.standIn.outage = true;
    const { held } = await google.prepare();
    assert.equal(
      problemIn(await google.authority.renew(google.target, held, tokensOf(granted))).kind,
      'passing',
    );
    google.standIn.outage = false;
    assert.ok((await google.authority.renew(google.target, held, tokensOf(granted))).ok);
  });

  it('takes tokens back', async () => {
    const google = await at(startGoogle, { known: 'google' });
    const granted = valueIn(await google.consent(['openid']));
    const { held } = await google.prepare();
    assert.equal(valueIn(await google.authority.revoke(google.target, held, tokensOf(granted))), 'revoked');
    assert.equal(google.standIn.grantOf(granted.accessToken), null);
  });
});

describe('Slack', () => {
  for (const by of ['custom', { known: 'slack' }] as const) {
    it(`gives the token of the user, of ${JSON.stringify(by)}`, async () => {
      const slack = await at(startSlack, by);
      const granted = valueIn(await slack.consent(['chat:write', 'users:read']));
      assert.equal(slack.standIn.grantOf(granted.accessToken)?.user.login, 'ann');
      assert.deepEqual(granted.scopes, ['chat:write', 'users:read']);
      const { held } = await slack.prepare();
      assert.equal(valueIn(await slack.authority.revoke(slack.target, held, tokensOf(granted))), 'revoked');
    });
  }

  it('is believed when it says ok: false', async () => {
    const slack = await at(startSlack, 'custom');
    slack.standIn.change = (answer, { place }) =>
      place === 'token' ? { ...answer, body: '{"ok":false,"error":"ratelimited"}' } : answer;
    const problem = problemIn(await slack.consent(['chat:write']));
    assert.deepEqual([problem.kind, problem.code], ['passing', 'ratelimited']);
  });
});

describe('Microsoft', () => {
  it('gives a new refresh token at every renewal, and takes the one of before no more', async () => {
    const microsoft = await at(startMicrosoft, { known: 'microsoft' });
    const granted = valueIn(await microsoft.consent(['User.Read']));
    assert.notEqual(granted.refreshToken, null);
    const { held } = await microsoft.prepare();
    const renewed = valueIn(await microsoft.authority.renew(microsoft.target, held, tokensOf(granted)));
    assert.notEqual(renewed.refreshToken, null);
    assert.notEqual(renewed.refreshToken, granted.refreshToken);
    const problem = problemIn(await microsoft.authority.renew(microsoft.target, held, tokensOf(granted)));
    assert.equal(problem.kind, 'consent');
    assert.ok((await microsoft.authority.renew(microsoft.target, held, tokensOf(renewed))).ok);
  });

  it('takes a refresh token again within its grace', async () => {
    const microsoft = await at(startMicrosoft, { known: 'microsoft' });
    microsoft.standIn.graceMs = 60_000;
    const granted = valueIn(await microsoft.consent(['User.Read']));
    const { held } = await microsoft.prepare();
    const renew = () => microsoft.authority.renew(microsoft.target, held, tokensOf(granted));
    assert.ok((await renew()).ok);
    assert.ok((await renew()).ok);
    microsoft.clock.advance(60_000);
    assert.equal((await renew()).ok, false);
  });

  it('counts scopes in another case, in full, and offline_access as granted', async () => {
    const microsoft = await at(startMicrosoft, { known: 'microsoft' });
    microsoft.standIn.change = (answer, { place }) =>
      place === 'token'
        ? { ...answer, body: answer.body.replace('user.read', 'https://graph.microsoft.com/User.Read') }
        : answer;
    const granted = valueIn(await microsoft.consent(['user.read', 'offline_access', 'mail.send']));
    assert.ok(['user.read', 'offline_access', 'mail.send'].every((scope) => granted.scopes?.includes(scope)));
  });

  it('says at the callback in a code of its own what it is about, and no other word is repeated', async () => {
    const microsoft = await at(startMicrosoft, { known: 'microsoft' });
    const { held } = await microsoft.prepare();
    const description = 'AADSTS90094: <b>mail us your password</b>';
    const problem = microsoft.authority.explain(microsoft.target, held, 'access_denied', description);
    assert.equal(problem.kind, 'consent');
    assert.match(problem.words, /\(access_denied, AADSTS90094\)$/);
    assert.match(problem.advice, /administrator of your tenant has to consent/);
    assert.doesNotMatch(JSON.stringify(problem), /password/);
  });

  it('refuses resource, and the code of its own is told', async () => {
    const microsoft = await at(startMicrosoft, 'custom');
    const { settings } = microsoft.standIn;
    const params = { ...settings.token_request?.params, resource: 'https://graph.microsoft.com' };
    const odd = atStandIn(microsoft.standIn, {
      egress,
      clock: microsoft.clock,
      given: { oauth2: { ...settings, token_request: { ...settings.token_request, params } } },
    });
    const problem = problemIn(await odd.consent(['User.Read']));
    assert.equal(problem.code, 'invalid_target');
    assert.match(problem.words, /AADSTS9010010/);
    assert.match(problem.advice, /resource/);
  });
});

describe('Notion', () => {
  for (const by of ['custom', { known: 'notion' }] as const) {
    it(`is asked with HTTP Basic and in JSON, the secret only in the header, of ${JSON.stringify(by)}`, async () => {
      const notion = await at(startNotion, by);
      const granted = valueIn(await notion.consent([]));
      assert.equal(notion.standIn.grantOf(granted.accessToken)?.user.login, 'ann');
      assert.deepEqual([granted.refreshToken, granted.expiresAtMs], [null, null]);
      const asked = notion.standIn.requests.find(({ place }) => place === 'token');
      assert.equal(asked?.isJson, true);
      assert.equal(asked?.form.has('client_secret'), false);
      assert.match(asked?.headers.authorization ?? '', /^Basic /);
      const { held } = await notion.prepare();
      const revoked = valueIn(await notion.authority.revoke(notion.target, held, tokensOf(granted)));
      assert.equal(revoked === 'revoked', notion.standIn.grantOf(granted.accessToken) === null);
    });
  }
});
