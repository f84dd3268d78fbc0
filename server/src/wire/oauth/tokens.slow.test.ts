import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  allow,
  type Browser,
  begin,
  claimsOf,
  initialize,
  newVerifier,
  type OAuthServer,
  startOAuthServer,
  tokensFor,
} from './fixtures/oauth-server.ts';
import { createRoom } from './room-for-records.ts';

const redirectUri = 'https://client.example/callback';
let server: OAuthServer;
let gateway: string;
let other: string;
let browser: Browser & { readonly signInId: string };
let clientId: string;

before(async () => {
  server = await startOAuthServer();
  gateway = await server.newGateway('demo');
  other = await server.newGateway('other');
  browser = await server.signedIn('ada@example.com');
  clientId = await newClient();
});
after(() => server.close());

async function newClient(): Promise<string> {
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
  return (await server.register(metadata)).body.client_id;
}

const tokens = (by: Browser = browser) => tokensFor(server, by, { clientId, redirectUri, resource: gateway });

async function newCode(by: Browser = browser) {
  const begun = begin(server.url, { clientId, redirectUri, resource: gateway });
  const back = await allow(by, begun.url);
  return { code: back.searchParams.get('code') ?? '', verifier: begun.verifier };
}

const redeem = (code: string, code_verifier: string, more: Record<string, string> = {}) =>
  server.form('/oauth2/token', {
    grant_type: 'authorization_code',
    code,
    code_verifier,
    client_id: clientId,
    redirect_uri: redirectUri,
    ...more,
  });

const refresh = (refresh_token: string, more: Record<string, string> = {}) =>
  server.form('/oauth2/token', { grant_type: 'refresh_token', refresh_token, client_id: clientId, ...more });

async function statusAt(url: string, token: string): Promise<number> {
  const response = await initialize(url, token);
  await response.body?.cancel();
  return response.status;
}

describe('a code', () => {
  it('is worth nothing without the verifier of who asked for it', async () => {
    const { code } = await newCode();
    for (const verifier of [newVerifier().verifier, '', 'short']) {
      const answer = await redeem(code, verifier);
      assert.equal(answer.status, 400);
      assert.match(answer.body.error, /^invalid_(grant|request)$/);
    }
    const without = await server.form('/oauth2/token', {
      grant_type: 'authorization_code',
      code,
      client_id: clientId,
      redirect_uri: redirectUri,
    });
    assert.equal(without.body.error, 'invalid_grant');
  });

  it('is worth nothing to another client, or with another redirect', async () => {
    const { code, verifier } = await newCode();
    assert.equal(
      (await redeem(code, verifier, { client_id: await newClient() })).body.error,
      'invalid_grant',
    );
    const elsewhere = { redirect_uri: 'https://evil.example/callback' };
    assert.equal((await redeem(code, verifier, elsewhere)).body.error, 'invalid_grant');
  });

  it('that comes twice ends everything that came of it', async () => {
    const { code, verifier } = await newCode();
    const first = await redeem(code, verifier);
    assert.equal(first.status, 200);
    assert.equal((await redeem(code, verifier)).body.error, 'invalid_grant');
    assert.equal((await refresh(first.body.refresh_token)).body.error, 'invalid_grant');
    assert.equal(await statusAt(gateway, first.body.access_token), 401);
  });

  it('that comes many times at once is taken at most once', async () => {
    const { code, verifier } = await newCode();
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(code, verifier)));
    assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
    for (const { status, body } of answers) if (status !== 200) assert.equal(body.error, 'invalid_grant');
  });
});

describe('a refresh token', () => {
  it('is another one each time; one that comes again ends them all', async () => {
    const { body: first } = await tokens();
    const second = await refresh(first.refresh_token);
    assert.equal(second.status, 200);
    const third = await refresh(second.body.refresh_token);
    assert.equal(third.status, 200);
    assert.equal(await statusAt(gateway, third.body.access_token), 200);
    assert.equal((await refresh(first.refresh_token)).body.error, 'invalid_grant');
    assert.equal((await refresh(third.body.refresh_token)).body.error, 'invalid_grant');
    assert.equal(await statusAt(gateway, third.body.access_token), 401, 'and access tokens, too');
  });

  it('that comes many times at once is taken at most once', async () => {
    const { body } = await tokens();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(body.refresh_token)));
    assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
    for (const { status, body: said } of answers)
      if (status !== 200) assert.equal(said.error, 'invalid_grant');
  });

  it('of one authorization says nothing about another', async () => {
    const { body: one } = await tokens();
    const { body: two } = await tokens();
    await refresh(one.refresh_token);
    await refresh(one.refresh_token);
    assert.equal((await refresh(two.refresh_token)).status, 200);
  });

  it('is nothing to another client, and no access token', async () => {
    const { body } = await tokens();
    const theirs = await refresh(body.refresh_token, { client_id: await newClient() });
    assert.equal(theirs.body.error, 'invalid_grant');
    assert.equal(await statusAt(gateway, body.refresh_token), 401);
  });

  it('renews no more than was given', async () => {
    const { body } = await tokens();
    const more = await refresh(body.refresh_token, { scope: 'openid mcp files:write offline_access' });
    assert.equal(more.status, 200, JSON.stringify(more.body));
    assert.equal(claimsOf(more.body.access_token).scope, 'mcp');
    const elsewhere = await refresh(more.body.refresh_token, { resource: other });
    assert.equal(elsewhere.body.error, 'invalid_target');
  });

  it('ends with the sign-in, at once', async () => {
    const eve = await server.signedIn('eve@example.com');
    const { body } = await tokens(eve);
    assert.equal(await statusAt(gateway, body.access_token), 200);
    await server.app.rooms.identity.signIns.end(eve.signInId);
    assert.equal((await refresh(body.refresh_token)).body.error, 'invalid_grant');
    assert.equal(await statusAt(gateway, body.access_token), 401);
  });

  it('lasts no longer than the sign-in', async () => {
    const { db } = server.app.rooms;
    const late = await server.signedIn('late@example.com');
    await db.query(`update sign_ins set expires_at = now() + interval '10 minutes' where id = $1`, [
      late.signInId,
    ]);
    const { body } = await tokens(late);
    assert.ok(body.expires_in <= 600, String(body.expires_in));
    const rows = await db.query<{ left: number }>(
      `select extract(epoch from (expires_at - now()))::float8 as left from oauth_records
       where sign_in_id = $1 and model in ('RefreshToken', 'Grant')`,
      [late.signInId],
    );
    assert.equal(rows.length, 2);
    for (const { left } of rows) assert.ok(left <= 601, String(left));
  });

  it('is not given to somebody who lost their role meanwhile', async () => {
    const mallory = await server.signedIn('mallory@example.com');
    const { body } = await tokens(mallory);
    const { people } = server.app.rooms.identity;
    const personId = people.standingOf('default', 'mallory@example.com')?.personId ?? '';
    await people.setRole(personId, { organizationId: 'default', projectId: 'default' }, null);
    assert.equal((await refresh(body.refresh_token)).body.error, 'invalid_grant');
  });
});

describe('revocation', () => {
  const revoke = (token: string, more: Record<string, string> = {}) =>
    server.form('/oauth2/revoke', { token, client_id: clientId, ...more });

  it('of a refresh token ends everything that came with it', async () => {
    const { body } = await tokens();
    assert.equal((await revoke(body.refresh_token)).status, 200);
    assert.equal((await refresh(body.refresh_token)).body.error, 'invalid_grant');
    assert.equal(await statusAt(gateway, body.access_token), 401);
  });

  it('of an access token ends everything that came with it', async () => {
    const { body } = await tokens();
    const theirs = await revoke(body.access_token, { client_id: await newClient() });
    assert.equal(theirs.status, 200);
    assert.equal(await statusAt(gateway, body.access_token), 200, 'another client ends nothing');
    assert.equal((await revoke(`${body.access_token.slice(0, -4)}AAAA`)).status, 200);
    assert.equal(await statusAt(gateway, body.access_token), 200, 'a forged one ends nothing');
    const { status, body: said } = await revoke(body.access_token, { token_type_hint: 'access_token' });
    assert.deepEqual([status, said], [theirs.status, theirs.body]);
    assert.equal(await statusAt(gateway, body.access_token), 401);
    assert.equal((await refresh(body.refresh_token)).body.error, 'invalid_grant');
  });

  it('by another client ends nothing, and of nothing is told the same', async () => {
    const { body } = await tokens();
    const theirs = await revoke(body.refresh_token, { client_id: await newClient() });
    const unknown = await revoke('unknown');
    assert.deepEqual([theirs.status, theirs.body], [unknown.status, unknown.body]);
    assert.equal((await refresh(body.refresh_token)).status, 200);
  });
});

describe('an access token', () => {
  it('says what our gateways read, and nothing of the person beside the user id', async () => {
    const { body } = await tokens();
    const claims = claimsOf(body.access_token);
    assert.deepEqual(Object.keys(claims).sort(), [
      'aud',
      'client_id',
      'exp',
      'gateway',
      'grant',
      'iat',
      'iss',
      'jti',
      'principal',
      'scope',
      'sid',
      'sub',
    ]);
    assert.equal(claims.iss, server.url);
    assert.equal(claims.sub, 'ada@example.com');
    assert.equal(claims.sid, browser.signInId);
    const header = JSON.parse(Buffer.from(body.access_token.split('.')[0], 'base64url').toString());
    assert.equal(header.typ, 'at+jwt');
    assert.equal(header.alg, 'RS256');
  });

  it('opens one gateway, and neither another nor the API', async () => {
    const { body } = await tokens();
    assert.equal(await statusAt(gateway, body.access_token), 200);
    assert.equal(await statusAt(other, body.access_token), 401);
    const api = await fetch(`${server.url}/v1/gateways`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    assert.equal(api.status, 401);
  });

  it('is none where its algorithm, its key or its kind is another', async () => {
    const { body } = await tokens();
    const [, payload = '', signature = ''] = body.access_token.split('.');
    const { keys } = (await (await fetch(`${server.url}/oauth2/jwks`)).json()) as { keys: object[] };
    const pem = createPublicKey({ key: keys[0] as never, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const encode = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url');
    const none = `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`;
    const hmacInput = `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${payload}`;
    const hmac = `${hmacInput}.${createHmac('sha256', pem).update(hmacInput).digest('base64url')}`;
    const resigned = `${encode({ alg: 'RS256', typ: 'at+jwt', jwk: keys[0] })}.${payload}.${signature}`;
    for (const forged of [none, hmac, resigned, body.id_token]) {
      assert.equal(await statusAt(gateway, forged), 401);
    }
  });
});

describe('an ID token', () => {
  it('names the person by one name, whenever they sign in, and says no more than was asked', async () => {
    const { body: first } = await tokens();
    const again = await server.signedIn('ada@example.com');
    const { body: second } = await tokens(again);
    const asked = { clientId, redirectUri, resource: gateway, scope: 'openid email profile mcp' };
    const { body: third } = await tokensFor(server, again, asked);
    const [one, two, more] = [first, second, third].map(({ id_token }) => claimsOf(id_token));
    assert.match(String(one?.sub), /^usr_/);
    assert.equal(one?.sub, two?.sub);
    assert.notEqual(claimsOf(first.access_token).sid, claimsOf(second.access_token).sid);
    assert.equal(one?.aud, clientId);
    assert.deepEqual([one?.email, one?.name], [undefined, undefined]);
    assert.equal(more?.email, 'ada@example.com');
  });
});

describe('when another key signs', () => {
  it('tokens of the one before hold, and both keys are published', async () => {
    const { db, changes } = server.app.rooms;
    const keyOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    const before = (await tokens()).body.access_token;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'the-next', alg: 'RS256', use: 'sig' };
    await db.query(`update signing_keys set retires_at = now() - interval '1 second'`);
    await db.query(
      `insert into signing_keys (id, jwk, created_at, retires_at, expires_at)
       values ('the-next', $1::json, now(), now() + interval '30 days', now() + interval '31 days')`,
      [JSON.stringify(jwk)],
    );
    await changes.here('signing_keys', 'the-next');
    const after = (await tokens()).body.access_token;
    assert.notEqual(keyOf(before), 'the-next');
    assert.equal(keyOf(after), 'the-next');
    for (const token of [before, after]) assert.equal(await statusAt(gateway, token), 200);
    const { keys } = (await (await fetch(`${server.url}/oauth2/jwks`)).json()) as { keys: { kid: string }[] };
    assert.deepEqual(keys.map(({ kid }) => kid).sort(), [keyOf(before), 'the-next'].sort());
  });
});

describe('what is kept', () => {
  it('holds no token and no code that anybody could use', async () => {
    const { code, verifier } = await newCode();
    const { body } = await redeem(code, verifier);
    const kept = JSON.stringify(await server.app.rooms.db.query('select * from oauth_records'));
    for (const secret of [code, verifier, body.refresh_token, body.access_token]) {
      assert.ok(!kept.includes(secret));
    }
    const next = await newCode();
    const rows = await server.app.rooms.db.query<{ model: string; id: string }>(
      'select model, id from oauth_records',
    );
    const idsOf = (model: string) => rows.filter((row) => row.model === model).map(({ id }) => id);
    assert.ok(idsOf('AuthorizationCode').length > 0 && idsOf('RefreshToken').length > 0);
    for (const mark of ['', '#', '%23', '##']) {
      for (const id of idsOf('AuthorizationCode')) {
        const { body } = await redeem(mark + id, next.verifier);
        assert.equal(body.error, 'invalid_grant', `a code by what is kept of it: ${mark}`);
      }
      for (const id of idsOf('RefreshToken')) {
        const { body } = await refresh(mark + id);
        assert.equal(body.error, 'invalid_grant', `a refresh token by what is kept of it: ${mark}`);
      }
    }
  });

  it('is no more of what anybody can make us keep than there is room for', async () => {
    const { db } = server.app.rooms;
    const keep = async (id: string, count: number, consumedAt: string) =>
      await db.query(
        `insert into oauth_records (model, id, payload, consumed_at, expires_at)
         select 'Client', $1 || n, '{}', ${consumedAt}, now() + n * interval '1 second' from generate_series(1, $2::int) n`,
        [id, count],
      );
    await keep('unused-', 10_200, 'null');
    await keep('used-', 20, 'now()');
    await createRoom(db)('Client');
    const left = async (id: string) =>
      (await db.query(`select 1 from oauth_records where model = 'Client' and id like $1`, [`${id}%`]))
        .length;
    assert.ok((await left('unused-')) <= 10_000);
    assert.equal(await left('used-'), 20);
    await db.query(`delete from oauth_records where id like 'unused-%' or id like 'used-%'`);
  });

  it('holds in records of what happened who got what, and no token', async () => {
    const { body } = await tokens();
    await refresh(body.refresh_token);
    await refresh(body.refresh_token);
    const { body: page } = await server.ask('GET', '/v1/audit_events?kind=sign_in&limit=100');
    const said = page.items as { decision: string; client_id: string; reason: string | null }[];
    const ofClient = said.filter(({ client_id }) => client_id === clientId);
    const has = (decision: string, reason: RegExp) =>
      ofClient.some((entry) => entry.decision === decision && reason.test(entry.reason ?? ''));
    assert.ok(has('allowed', /authorization_code/));
    assert.ok(has('allowed', /refresh_token/));
    assert.ok(has('refused', /invalid_grant: refresh token already used/));
    for (const token of [body.access_token, body.refresh_token])
      assert.ok(!JSON.stringify(page).includes(token));
  });
});
