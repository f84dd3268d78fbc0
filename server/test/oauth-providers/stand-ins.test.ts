import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { consentAt, type StandIn, startGoogle, startMicrosoft, startPlain } from './index.ts';

const redirectUri = 'http://127.0.0.1:9/back';
const codeVerifier = 'v'.repeat(43);
const running: StandIn[] = [];
after(() => Promise.all(running.map((one) => one.close())));

async function started(start: typeof startPlain, now: () => number = () => 0): Promise<StandIn> {
  const standIn = await start({ now, redirectUris: [redirectUri] });
  running.push(standIn);
  return standIn;
}

function addressAt({ settings, clientId }: StandIn, more: Record<string, string> = {}): string {
  const url = new URL(settings.authorize_request?.endpoint ?? '');
  url.search = String(
    new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'read',
      state: 's',
      code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    }),
  );
  return url.href;
}

async function backFrom(standIn: StandIn, more: Record<string, string> = {}, allow = true) {
  const page = await consentAt(addressAt(standIn, more), { as: 'ann', allow, stopAt: redirectUri });
  return { page, query: new URL(page.url).searchParams };
}

async function tokensFor(
  standIn: StandIn,
  form: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const { clientId: client_id, clientSecret: client_secret, settings } = standIn;
  const body = new URLSearchParams({ client_id, client_secret, ...form });
  const response = await fetch(settings.token_request?.endpoint ?? '', { method: 'POST', body, headers });
  return (await response.json()) as Record<string, string>;
}

function codeForm(query: URLSearchParams): Record<string, string> {
  const code = query.get('code') ?? '';
  return { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: codeVerifier };
}

async function whoHas({ origin }: StandIn, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${origin}/stand-in/whoami`, { headers })).status;
}

describe('a stand-in', () => {
  let plain: StandIn;
  let now = 0;
  before(async () => {
    plain = await started(startPlain, () => now);
  });

  it('gives tokens that are worth something until they end', async () => {
    const { query } = await backFrom(plain);
    const { access_token = '', refresh_token = '' } = await tokensFor(plain, codeForm(query));
    assert.equal(await whoHas(plain, access_token), 200);
    assert.deepEqual(plain.given.slice(-2), [access_token, refresh_token]);
    now += 3_600_000;
    assert.equal(await whoHas(plain, access_token), 401);
    const renewed = await tokensFor(plain, { grant_type: 'refresh_token', refresh_token });
    assert.equal(await whoHas(plain, renewed.access_token ?? ''), 200);
    plain.revokeAll();
    assert.equal(await whoHas(plain, renewed.access_token ?? ''), 401);
    assert.equal(
      (await tokensFor(plain, { grant_type: 'refresh_token', refresh_token })).error,
      'invalid_grant',
    );
  });

  it('takes a code once, and ends what it was worth when it comes again', async () => {
    const form = codeForm((await backFrom(plain)).query);
    const { access_token = '' } = await tokensFor(plain, form);
    assert.equal((await tokensFor(plain, form)).error, 'invalid_grant');
    assert.equal(await whoHas(plain, access_token), 401);
  });

  for (const [what, change, error] of [
    ['another verifier', { code_verifier: 'w'.repeat(43) }, 'invalid_grant'],
    ['another redirect URI', { redirect_uri: `${redirectUri}/` }, 'invalid_grant'],
    ['another secret', { client_secret: 'wrong' }, 'invalid_client'],
    ['another kind of grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ] as const) {
    it(`refuses a code with ${what}`, async () => {
      const { query } = await backFrom(plain);
      assert.equal((await tokensFor(plain, { ...codeForm(query), ...change })).error, error);
    });
  }

  it('refuses a client that says who it is in two ways', async () => {
    const { query } = await backFrom(plain);
    const basic = Buffer.from(`${plain.clientId}:${encodeURIComponent(plain.clientSecret)}`).toString(
      'base64',
    );
    const refused = await tokensFor(plain, codeForm(query), { authorization: `Basic ${basic}` });
    assert.equal(refused.error, 'invalid_request');
  });

  it('sends nobody to an address that is not registered, and without S256 only with an error', async () => {
    const { page } = await backFrom(plain, { redirect_uri: `${redirectUri}x` });
    assert.equal(page.status, 400);
    assert.match(page.text, /redirect_uri_mismatch/);
    const { query } = await backFrom(plain, { code_challenge_method: 'plain' });
    assert.deepEqual([query.get('error'), query.get('state')], ['invalid_request', 's']);
  });

  it('comes back with access_denied where the user denies it', async () => {
    const { query } = await backFrom(plain, {}, false);
    assert.deepEqual([query.get('error'), query.get('code')], ['access_denied', null]);
  });

  it('of Google gives a refresh token only where it is asked for it in the right way', async () => {
    const google = await started(startGoogle);
    const offline = { access_type: 'offline' };
    for (const [more, has] of [
      [{}, false],
      [offline, false],
      [{ ...offline, prompt: 'consent' }, true],
    ] as const) {
      const { query } = await backFrom(google, more);
      assert.equal('refresh_token' in (await tokensFor(google, codeForm(query))), has);
    }
  });

  it('of Microsoft refuses resource at every place', async () => {
    const microsoft = await started(startMicrosoft);
    const resource = 'https://graph.microsoft.com';
    assert.equal((await backFrom(microsoft, { resource })).query.get('error'), 'invalid_target');
    const { query } = await backFrom(microsoft);
    const refused = await tokensFor(microsoft, { ...codeForm(query), resource });
    assert.match(refused.error_description ?? '', /^AADSTS9010010/);
  });
});
