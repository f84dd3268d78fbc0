import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redirectUri, registered } from './fixtures/at-stand-in.ts';
import { type Doing, problemOfFailure } from './problems.ts';
import { errorIn } from './request.ts';
import { grantedScopes } from './scopes.ts';

const endpoint = 'https://crm.example/oauth';
const provider = registered({
  description: 'CRM',
  oauth2: { client_id: 'c', authorize_request: { endpoint }, token_request: { endpoint } },
});

function problem(doing: Doing, status: number, body: unknown) {
  return errorIn({ provider, doing, redirectUri }, { status, body });
}

describe('problems at a provider', () => {
  for (const [doing, status, body, kind] of [
    ['exchange', 400, { error: 'invalid_grant' }, 'consent'],
    ['refresh', 400, { error: 'invalid_grant' }, 'consent'],
    ['refresh', 500, { error: 'invalid_grant' }, 'consent'],
    ['refresh', 400, { error: 'invalid_client' }, 'client'],
    ['refresh', 401, { error: 'invalid_client' }, 'client'],
    ['refresh', 503, { error: 'temporarily_unavailable' }, 'passing'],
    ['refresh', 400, { status: 400, message: 'Invalid refresh token' }, 'consent'],
    ['refresh', 400, { status: 'BAD_REFRESH_TOKEN', message: 'x' }, 'consent'],
    ['refresh', 400, { error: 'odd_thing' }, 'consent'],
    ['refresh', 400, undefined, 'broken'],
    ['refresh', 403, { error: 'odd_thing' }, 'broken'],
    ['refresh', 429, { error: 'invalid_grant' }, 'passing'],
    ['refresh', 502, undefined, 'passing'],
    ['refresh', 500, { error: 'odd_thing' }, 'passing'],
    ['refresh', 404, undefined, 'broken'],
    ['exchange', 401, undefined, 'client'],
    ['exchange', 401, { error: 'unauthorized_client' }, 'client'],
    ['exchange', 400, { error: 'redirect_uri_mismatch' }, 'client'],
    ['exchange', 400, { error: 'invalid_scope' }, 'broken'],
    ['exchange', 400, { error: { status: 'INVALID_CLIENT' } }, 'client'],
    ['exchange', 400, { error: true, message: 'Bad' }, 'broken'],
    ['exchange', 200, { ok: false, error: 'invalid_code' }, 'consent'],
    ['exchange', 200, { ok: false }, 'broken'],
    ['exchange', 200, { error: 'fatal_error' }, 'passing'],
    ['exchange', 408, undefined, 'passing'],
    ['exchange', 400, { error: '__proto__' }, 'broken'],
    ['exchange', 400, { error: 'constructor' }, 'broken'],
    ['check', 401, { error: 'x' }, 'broken'],
    ['check', 403, undefined, 'consent'],
  ] as const) {
    it(`are ${kind} where ${doing} is answered ${status} ${JSON.stringify(body)}`, () => {
      const found = problem(doing, status, body);
      assert.equal(found?.kind, kind);
      assert.match(found?.words ?? '', /CRM/);
    });
  }

  for (const body of [
    { access_token: 'a', error: null },
    { error: '' },
    { ok: true },
    [],
    'text',
    undefined,
  ]) {
    it(`are not seen in ${JSON.stringify(body)}`, () => assert.equal(problem('exchange', 200, body), null));
  }

  it('name the redirect URI that is to be registered', () => {
    const { advice } = problem('exchange', 400, { error: 'redirect_uri_mismatch' }) ?? { advice: '' };
    assert.ok(advice.includes(redirectUri));
  });

  it('repeat a finer code of the provider, and no other word', () => {
    const error_description = "AADSTS7000215: Invalid client secret provided: 'hunter2'";
    const found = problem('exchange', 401, { error: 'invalid_client', error_description });
    assert.match(found?.words ?? '', /\(invalid_client, AADSTS7000215\)$/);
    assert.doesNotMatch(JSON.stringify(found), /hunter2/);
  });

  it('say whether nobody was there, or was too slow, or may not be asked', () => {
    const told = { provider, doing: 'exchange', redirectUri } as const;
    for (const [kind, words, advice] of [
      ['timeout', 'CRM did not answer in time', /later/],
      ['unreachable', 'CRM cannot be reached', /later/],
      ['address_refused', 'CRM cannot be asked: its address is not allowed', /egress\.allow/],
    ] as const) {
      const found = problemOfFailure(told, { kind, message: '', sent: false });
      assert.equal(found.words, words);
      assert.match(found.advice, advice);
    }
  });
});

describe('scopes that were granted', () => {
  for (const [granted, asked, refreshed, all] of [
    [['Mail.Read'], ['mail.read'], false, ['Mail.Read', 'mail.read']],
    [
      ['https://graph.microsoft.com/Mail.Read'],
      ['Mail.Read'],
      false,
      ['https://graph.microsoft.com/Mail.Read', 'Mail.Read'],
    ],
    [['https://one.example/read'], ['https://two.example/read'], false, ['https://one.example/read']],
    [['read'], ['write'], true, ['read']],
    [['read'], ['offline_access'], true, ['read', 'offline_access']],
    [['read'], ['offline_access'], false, ['read']],
    [['admin'], ['read'], false, ['admin', 'write', 'read']],
  ] as const) {
    it(`of ${granted.join(' ')} for ${asked.join(' ')} are ${all.join(' ')}`, () => {
      const implied = { admin: ['write'], write: ['read'] };
      assert.deepEqual(grantedScopes(granted, asked, implied, refreshed), all);
    });
  }
});
