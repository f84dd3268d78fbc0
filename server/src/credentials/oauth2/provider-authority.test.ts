import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { OAuth2Request } from '@sallyport/contracts';
import { createEgress, type Egress } from '#egress';
import { manualClock } from '#foundation';
import { type SlowStandIn, startSlow } from '../../../test/oauth-providers/index.ts';
import {
  type AtStandIn,
  atStandIn,
  problemIn,
  redirectUri,
  registered,
  tokensOf,
  valueIn,
} from './fixtures/at-stand-in.ts';

const clock = manualClock();
const basic = 'client_secret_basic';

describe('an auth provider by its settings', () => {
  let egress: Egress;
  let standIn: SlowStandIn;
  before(async () => {
    egress = createEgress({ allow: ['127.0.0.1'], clock });
    standIn = await startSlow({ now: clock.now });
  });
  after(async () => {
    egress.close();
    await standIn.close();
  });
  beforeEach(() => {
    standIn.holds.clear();
    standIn.change = null;
    standIn.requests.length = 0;
    standIn.lifeS = 3600;
  });

  function at(oauth2: Partial<OAuth2Request> = {}): AtStandIn {
    return atStandIn(standIn, { egress, clock, given: { oauth2: { ...standIn.settings, ...oauth2 } } });
  }

  async function addressOf(
    provider: AtStandIn,
    scopes: readonly string[],
    existingScopes: readonly string[] = [],
  ) {
    const { held } = await provider.prepare(scopes);
    const asked = { scopes, existingScopes, state: 's t&a=te', redirectUri };
    const { url, codeVerifier } = valueIn(await provider.authority.authorize(provider.target, held, asked));
    return { url, query: new URL(url).searchParams, codeVerifier };
  }

  const asked = (place: string) => standIn.requests.filter((one) => one.place === place);

  it('sends users on with state, S256 and scopes, whatever the settings leave out', async () => {
    const endpoint = `${standIn.origin}/authorize?tenant=a+b`;
    const { url, query, codeVerifier } = await addressOf(
      at({
        authorize_request: { endpoint, params: { scope: '{{existing_scopes}} {{scopes}}', prompt: 'a b' } },
      }),
      ['read', 'write'],
      ['read', 'profile'],
    );
    assert.deepEqual(Object.fromEntries(query), {
      tenant: 'a b',
      response_type: 'code',
      client_id: standIn.clientId,
      redirect_uri: redirectUri,
      scope: 'read profile write',
      prompt: 'a b',
      state: 's t&a=te',
      code_challenge: createHash('sha256')
        .update(codeVerifier ?? '')
        .digest('base64url'),
      code_challenge_method: 'S256',
    });
    assert.match(url, /state=s%20t%26a%3Dte/);
  });

  it('calls things as the settings do, once, and leaves out what has no value', async () => {
    const { query, codeVerifier } = await addressOf(
      at({
        scope_delimiter: ',',
        pkce: { enabled: false },
        authorize_request: {
          endpoint: `${standIn.origin}/authorize`,
          params: {
            app: '{{client_id}}',
            callback: '{{redirect_uri}}',
            user_scope: '{{scopes}}',
            more: '{{existing_scopes}}',
          },
        },
      }),
      ['a', 'b'],
    );
    assert.deepEqual([...query.keys()].sort(), ['app', 'callback', 'response_type', 'state', 'user_scope']);
    assert.equal(query.get('user_scope'), 'a,b');
    assert.equal(codeVerifier, null);
  });

  it('proves at the token endpoint that it was us, and with a secret of any characters', async () => {
    const provider = at();
    const granted = valueIn(await provider.consent(['read']));
    assert.deepEqual(granted.scopes, ['read']);
    assert.equal(granted.expiresAtMs, clock.now() + 3_600_000);
    const [{ form, headers } = { form: new URLSearchParams(), headers: {} }] = asked('token');
    assert.deepEqual([...form.keys()].sort(), ['code', 'code_verifier', 'grant_type', 'redirect_uri']);
    assert.match(headers.authorization ?? '', /^Basic /);
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
  });

  it('sends the secret in the body only where the settings say so, and not in the header then', async () => {
    const params = { client_id: '{{client_id}}', client_secret: '{{client_secret}}' };
    const provider = at({ token_request: { endpoint: `${standIn.origin}/token`, params } });
    assert.ok((await provider.consent(['read'])).ok);
    assert.equal(asked('token')[0]?.headers.authorization, undefined);
    const without = at({ token_request: { endpoint: `${standIn.origin}/token`, params: {} } });
    const problem = problemIn(await without.consent(['read']));
    assert.deepEqual([problem.kind, problem.code], ['client', 'invalid_client']);
    assert.match(problem.advice, /checks client_id and client_secret of the auth provider own/);
    assert.equal(asked('token')[1]?.form.has('client_secret'), false);
  });

  it('adds the refresh token to a renewal that does not name it, as in settings written for Arcade', async () => {
    const request = {
      endpoint: `${standIn.origin}/token`,
      params: { grant_type: 'refresh_token', client_id: '{{client_id}}', client_secret: '{{client_secret}}' },
    };
    const provider = at({ refresh_request: request });
    const granted = valueIn(await provider.consent(['read']));
    const { held } = await provider.prepare();
    const renewed = valueIn(await provider.authority.renew(provider.target, held, tokensOf(granted)));
    assert.equal(standIn.grantOf(renewed.accessToken)?.user.login, 'ann');
    assert.equal(renewed.refreshToken, null);
  });

  it('asks for consent where a provider renews nothing', async () => {
    const { refresh_request: _, ...rest } = standIn.settings;
    const provider = atStandIn(standIn, { egress, clock, given: { oauth2: rest } });
    const granted = valueIn(await provider.consent(['read']));
    const { held } = await provider.prepare();
    const problem = problemIn(await provider.authority.renew(provider.target, held, tokensOf(granted)));
    assert.equal(problem.kind, 'consent');
  });

  it('finds tokens where the map says, in a form or in JSON', async () => {
    standIn.change = (answer, { place }) => {
      if (place !== 'token') return answer;
      const { access_token, refresh_token } = JSON.parse(answer.body);
      const data = { token: access_token, refresh: refresh_token, lasts: '60', scopes: ['read', 'write'] };
      return {
        ...answer,
        body: JSON.stringify({ data, refresh_token: 'of-somebody-else', token_type: 'odd' }),
      };
    };
    const token_request = {
      ...standIn.settings.token_request,
      response_map: {
        access_token: '$.data.token',
        expires_in: '$.data.lasts',
        scope: "join('$.data.scopes', ' ')",
      },
    };
    const granted = valueIn(await at({ token_request }).consent(['read']));
    assert.deepEqual(granted.scopes, ['read', 'write']);
    assert.equal(granted.expiresAtMs, clock.now() + 60_000);
    assert.equal(granted.refreshToken, null);
    standIn.change = (answer, { place }) =>
      place === 'token'
        ? {
            ...answer,
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: String(new URLSearchParams(JSON.parse(answer.body))),
          }
        : answer;
    const form = 'application/x-www-form-urlencoded' as const;
    const ofForm = at({ token_request: { ...standIn.settings.token_request, response_content_type: form } });
    assert.equal(valueIn(await ofForm.consent(['read'])).expiresAtMs, clock.now() + 3_600_000);
    assert.equal(asked('token').at(-1)?.headers.accept, form);
  });

  it('reads the end of a token from a date, where the map points at one', async () => {
    standIn.change = (answer, { place }) =>
      place === 'token'
        ? {
            ...answer,
            body: JSON.stringify({ ...JSON.parse(answer.body), expires_at: '2026-03-01T00:00:00Z' }),
          }
        : answer;
    const response_map = { expires_in: '$.expires_at' };
    const granted = valueIn(
      await at({ token_request: { ...standIn.settings.token_request, response_map } }).consent(['read']),
    );
    assert.equal(granted.expiresAtMs, Date.UTC(2026, 2, 1));
    assert.deepEqual(granted.scopes, ['read']);
  });

  it('asks what a token is worth where it is told to, by each way of telling the time', async () => {
    standIn.lifeS = 90;
    const token_request = {
      ...standIn.settings.token_request,
      response_map: { access_token: '$.access_token', expires_in: '$.none' },
    };
    const endpoint = `${standIn.origin}/introspect`;
    const params = { token: '{{access_token}}' };
    const absolute = { endpoint, params, auth_method: basic, triggers: { on_token_grant: true } } as const;
    const relative = {
      ...absolute,
      expiration_format: 'relative_seconds',
      response_map: { expires_in: '$.expires_in' },
    } as const;
    for (const token_introspection_request of [absolute, relative]) {
      const granted = valueIn(await at({ token_request, token_introspection_request }).consent(['read']));
      assert.equal(granted.expiresAtMs, clock.now() + 90_000);
      assert.deepEqual(granted.scopes, ['read']);
    }
    assert.equal(asked('introspect').length, 2);
    const never = { ...absolute, triggers: { on_token_refresh: true } };
    assert.equal(
      valueIn(await at({ token_request, token_introspection_request: never }).consent([])).expiresAtMs,
      null,
    );
    assert.equal(asked('introspect').length, 2);
  });

  it('does not take one account for another while the provider cannot say whose it is', async () => {
    standIn.change = (answer, { place }) =>
      place === 'user_info' ? { ...answer, status: 503, body: '' } : answer;
    assert.equal(problemIn(await at().consent(['read'])).kind, 'passing');
    standIn.change = (answer, { place }) =>
      place === 'user_info' ? { ...answer, status: 403, body: '{}' } : answer;
    assert.deepEqual(valueIn(await at().consent(['read'])).userInfo, null);
  });

  it('says of the user what the map picks, and who it is by what the settings point at', async () => {
    const user_info_request = {
      ...standIn.settings.user_info_request,
      auth_header_value_format: 'token {{access_token}}',
      response_map: { mail: '$.email' },
    };
    const account = { subject: '$.email', name: '$.name' };
    const granted = valueIn(await at({ user_info_request, account }).consent(['read'], 'bob'));
    assert.deepEqual(granted.userInfo, { mail: 'bob@example.com' });
    assert.deepEqual([granted.subject, granted.name], ['bob@example.com', 'Bob']);
    assert.match(asked('user_info')[0]?.headers.authorization ?? '', /^token /);
  });

  it('gives up on a provider that does not answer, and it may work later', async () => {
    const provider = at();
    standIn.holds.add('token');
    const consent = provider.consent(['read']);
    await standIn.arrived(1);
    clock.advance(11_000);
    const problem = problemIn(await consent);
    assert.equal(problem.kind, 'passing');
    assert.doesNotMatch(JSON.stringify(problem), /127\.0\.0\.1/);
    standIn.release();
  });

  it('sends a provider of the API to no private address, and one of the config file to where it says', async () => {
    const closed = createEgress({ allow: [] });
    const provider = atStandIn(standIn, { egress: closed, clock });
    const problem = problemIn(await provider.consent(['read']));
    assert.equal(problem.kind, 'broken');
    assert.match(problem.words, /address is not allowed/);
    assert.equal(asked('token').length, 0);
    provider.provider = registered({ oauth2: standIn.settings }, 'file');
    assert.ok((await provider.consent(['read'])).ok);
    closed.close();
  });

  it('gives no code to a provider that became another one meanwhile', async () => {
    const provider = at();
    const { held, answer, codeVerifier } = await provider.goAndComeBack(['read'], { as: 'ann', allow: true });
    const before = provider.provider;
    provider.provider = registered({ oauth2: { ...standIn.settings, client_id: 'another' } });
    const code = { code: answer.get('code') ?? '', iss: null, codeVerifier, redirectUri, scopes: ['read'] };
    const { authority, target } = provider;
    assert.equal(problemIn(await authority.exchange(target, held, code)).kind, 'broken');
    assert.equal(authority.isAnswerOf(target, held, null), false);
    assert.notEqual(authority.boundTo(target), held.boundTo);
    provider.provider = { ...before, status: 'inactive' };
    assert.match(problemIn(await authority.exchange(target, held, code)).words, /switched off/);
    assert.equal(authority.boundTo(target), null);
    assert.equal(asked('token').length, 0);
    provider.provider = before;
    assert.ok((await authority.exchange(target, held, code)).ok);
  });

  it('takes nothing of what is said of a user that is nested without end', async () => {
    const body = `{"sub":"1","more":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    standIn.change = (answer, { place }) => (place === 'user_info' ? { ...answer, body } : answer);
    const { userInfo, subject } = valueIn(await at().consent(['read']));
    assert.deepEqual([userInfo, subject], [null, '1']);
  });

  it('takes tokens back, and counts what does not hold any more as taken back', async () => {
    const provider = at();
    const tokens = tokensOf(valueIn(await provider.consent(['read'])));
    const { held } = await provider.prepare();
    const revoke = () => provider.authority.revoke(provider.target, held, tokens);
    assert.equal(valueIn(await revoke()), 'revoked');
    assert.equal(standIn.grantOf(tokens.accessToken), null);
    standIn.change = (answer, { place }) =>
      place === 'revoke' ? { ...answer, status: 400, body: '{"error":"invalid_token"}' } : answer;
    assert.equal(valueIn(await revoke()), 'revoked');
    standIn.change = (answer, { place }) => (place === 'revoke' ? { ...answer, status: 503 } : answer);
    assert.equal(problemIn(await revoke()).kind, 'passing');
  });
});
