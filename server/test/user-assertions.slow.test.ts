import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  type Json,
  messageOf,
  modern,
  startApp,
  startReferenceServer,
  type TestApp,
  toolCall,
} from './start-app.ts';

/** Gateways that believe the user only from a signed token. */

const workerSecret = 'a-worker-secret-of-thirty-two-chars';
const shared = 'a-secret-that-the-issuer-has-too-0123456789';
const issuer = 'https://idp.example';

let app: TestApp;
let worker: Awaited<ReturnType<typeof startReferenceServer>>;
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let jwksAsked = 0;
const jwksServer = createServer(async (_request, response) => {
  jwksAsked++;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1' }] }));
});

before(async () => {
  pair = await generateKeyPair('ES256');
  await once(jwksServer.listen(0, '127.0.0.1'), 'listening');
  const jwksUri = `http://127.0.0.1:${(jwksServer.address() as AddressInfo).port}/jwks`;
  worker = await startReferenceServer(workerSecret);
  app = await startApp(`
workers:
  - { id: reference, http: { uri: "${worker.uri}", secret: ${workerSecret} } }
gateways:
  - slug: signed
    user_assertion: { issuer: "${issuer}", audience: sallyport, jwks_uri: "${jwksUri}", user_claim: email }
  - { slug: shared, user_assertion: { issuer: "${issuer}", secret: ${shared} } }
  - { slug: plain }
  - { slug: granted, access: granted, user_assertion: { issuer: "${issuer}", secret: ${shared} } }
grants:
  - { subject: { group: adders }, tools: ["*.Add"], gateway: granted, effect: allow }
  - { subject: { claim: { name: floor, value: 3 } }, tools: ["*.Echo"], gateway: granted, effect: allow }
`);
  await app.app.rooms.sources.refresh('default', 'reference');
});
after(async () => {
  await app?.close();
  await worker?.stop();
  jwksServer.closeAllConnections();
  jwksServer.close();
});

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

const signed = (email: string, claims: object = {}) =>
  new SignJWT({ iss: issuer, aud: 'sallyport', email, iat: inSeconds(0), exp: inSeconds(600), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(pair.privateKey);

const byShared = (sub: string, claims: object = {}) =>
  new SignJWT({ iss: issuer, sub, iat: inSeconds(0), exp: inSeconds(600), ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(shared));

/** A request with these headers alone, beside the key. */
async function ask(slug: string, headers: Record<string, string>, message: object, key = app.key) {
  return fetch(`${app.url}/mcp/${slug}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

const whoami = toolCall('ArcadeEvalRef_Whoami');
const assertionOf = (token: string) => ({ 'sallyport-user-assertion': token });

describe('a gateway that demands a user assertion', () => {
  test('runs calls as the user whom the token names, in both generations, wherever the token stands', async () => {
    for (const user of ['ann@corp.example', 'bob@corp.example']) {
      const token = await signed(user);
      const now = modern('tools/call', { name: 'ArcadeEvalRef_Whoami', arguments: {} });
      for (const headers of [
        assertionOf(token),
        { 'arcade-user-id': token },
        { 'sallyport-user-id': token },
        { ...assertionOf(token), 'arcade-user-id': user },
      ] as Record<string, string>[]) {
        for (const [message, own] of [
          [whoami, {}],
          [now.message, now.headers],
        ] as const) {
          const { result } = await messageOf(await ask('signed', { ...own, ...headers }, message));
          assert.match(JSON.stringify(result), new RegExp(user));
        }
      }
      const [record] = await app.records(
        `&gateway=signed&kind=tool_call&user_id=${encodeURIComponent(user)}`,
      );
      assert.equal(record.decision, 'allowed');
    }
    assert.equal(jwksAsked, 1);
  });

  test('believes nothing else: the client is told to bring a token, the audit why, and neither is told the token', async () => {
    const forged = (await signed('eve@corp.example')).replace(/.{10}$/, 'AAAAAAAAAA');
    const ann = await signed('ann@corp.example');
    for (const [headers, code] of [
      [{}, 'identity.assertion_missing'],
      [{ 'arcade-user-id': 'ann@corp.example' }, 'identity.assertion_missing'],
      [assertionOf(forged), 'identity.assertion_invalid'],
      [{ 'arcade-user-id': forged }, 'identity.assertion_invalid'],
      [assertionOf('nonsense'), 'identity.assertion_invalid'],
      [{ ...assertionOf(ann), 'arcade-user-id': 'bob@corp.example' }, 'identity.assertion_invalid'],
      [assertionOf(await byShared('ann@corp.example')), 'identity.assertion_invalid'],
    ] as [Record<string, string>, string][]) {
      const refused = await ask('signed', headers, whoami);
      assert.equal(refused.status, 401);
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
      const { error } = await messageOf(refused);
      assert.equal(error.data.name, code);
      const [record] = await app.records('&kind=sign_in');
      assert.deepEqual([record.code, record.gateway], [code, 'signed']);
      for (const text of [JSON.stringify(record), JSON.stringify(error)]) assert.doesNotMatch(text, /eyJ/);
      if (code === 'identity.assertion_invalid')
        assert.match(record.reason, /^the user assertion is refused: \S/);
    }
  });

  test('is to a key that is closed out as one that does not exist, whatever comes with it', async () => {
    const made = await app.api('POST', '/v1/api_keys', { name: 'k', scopes: ['call'], gateways: ['plain'] });
    const { key } = (await made.json()) as Json;
    const token = await signed('ann@corp.example');
    for (const headers of [
      {},
      { 'arcade-user-id': 'ann' },
      { 'arcade-user-id': token },
      assertionOf(token),
      assertionOf('x'),
    ]) {
      const answers = [];
      for (const slug of ['signed', 'nowhere']) {
        const response = await ask(slug, headers as Record<string, string>, whoami, key);
        answers.push([response.status, (await response.text()).replaceAll(slug, '…')]);
      }
      assert.deepEqual(answers[0], answers[1]);
    }
  });

  test('gives groups and claims to the grants', async () => {
    const list = async (claims: object) => {
      const headers = assertionOf(await byShared('ann', claims));
      const { result } = await messageOf(await ask('granted', headers, { id: 1, method: 'tools/list' }));
      return result.tools.map(({ name }: Json) => name);
    };
    assert.deepEqual(await list({}), []);
    assert.deepEqual(await list({ groups: ['adders', 'others'] }), ['ArcadeEvalRef_Add']);
    assert.deepEqual(await list({ groups: 'adders', floor: 3 }), ['ArcadeEvalRef_Echo', 'ArcadeEvalRef_Add']);
    assert.deepEqual(await list({ floor: '3' }), []);
  });

  test('keeps sessions to the user who opened them', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    const ann = assertionOf(await byShared('ann'));
    const opened = await ask('shared', ann, { id: 0, method: 'initialize', params });
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    await opened.text();
    const list = { id: 1, method: 'tools/list' };
    const again = assertionOf(await byShared('ann', { jti: 'another token of hers' }));
    for (const headers of [ann, again]) {
      assert.equal((await ask('shared', { ...headers, ...session }, list)).status, 200);
    }
    const bob = assertionOf(await byShared('bob'));
    const stranger = await messageOf(await ask('shared', { ...bob, ...session }, list));
    assert.equal(stranger.error.data.name, 'session.unknown');
  });

  test('cannot be gone around with a key that is restricted to it', async () => {
    const made = await app.api('POST', '/v1/api_keys', {
      name: 'k',
      scopes: ['admin', 'read', 'call'],
      gateways: ['signed'],
    });
    const { key } = (await made.json()) as Json;
    for (const slug of ['plain', 'shared']) {
      assert.equal((await ask(slug, { 'arcade-user-id': 'ann' }, whoami, key)).status, 404);
    }
    for (const [method, path, body] of [
      ['POST', '/v1/tools/execute', { tool_name: 'ArcadeEvalRef.Whoami', input: {}, user_id: 'ann' }],
      ['GET', '/v1/tools?user_id=ann', undefined],
      ['POST', '/v1/api_keys', { name: 'wider' }],
      ['GET', '/v1/gateways', undefined],
    ] as const) {
      const response = await fetch(app.url + path, {
        method,
        headers: { authorization: key, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      assert.equal(response.status, 403, path);
      assert.equal(((await response.json()) as Json).name, 'identity.scope_missing');
    }
    const { result } = await messageOf(await ask('signed', assertionOf(await signed('ann')), whoami, key));
    assert.match(JSON.stringify(result), /ann/);
  });
});

test('elsewhere a token is no user id: it is refused, and not written down', async () => {
  const token = await byShared('ann');
  assert.ok(token.length < 256);
  const refused = await messageOf(await ask('plain', { 'arcade-user-id': token }, whoami));
  assert.equal(refused.error.data.name, 'request.params_invalid');
  assert.doesNotMatch(JSON.stringify(await app.records('&kind=sign_in')), /eyJ/);
  const execute = { tool_name: 'ArcadeEvalRef.Whoami', input: {}, user_id: token };
  const { name, field } = (await (await app.api('POST', '/v1/tools/execute', execute)).json()) as Json;
  assert.deepEqual([name, field], ['request.params_invalid', 'user_id']);
});

describe('over the API, a user assertion', () => {
  test('is set, shown without its secret, changed and taken away; calls follow at once', async () => {
    const made = await app.api('POST', '/v1/gateways', {
      name: 'Api',
      slug: 'api',
      user_assertion: { issuer, secret: shared },
    });
    assert.equal(made.status, 201);
    const text = await made.text();
    assert.doesNotMatch(text, new RegExp(shared));
    const { id, user_assertion: shown } = JSON.parse(text);
    assert.deepEqual(shown, {
      issuer,
      secret: { exists: true, editable: true, value: '', binding: 'project' },
      algorithms: ['HS256'],
      user_claim: 'sub',
      groups_claim: 'groups',
    });
    const status = async (headers: Record<string, string>) => (await ask('api', headers, whoami)).status;
    const token = assertionOf(await byShared('ann'));
    assert.deepEqual([await status(token), await status({ 'arcade-user-id': 'ann' })], [200, 401]);

    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1' };
    const asked = { issuer, jwks: { keys: [jwk] }, audience: ['sallyport'], user_claim: 'email' };
    const changed = await app.api('PATCH', `/v1/gateways/${id}`, { user_assertion: asked });
    const { user_assertion: now } = (await changed.json()) as Json;
    assert.deepEqual([now.jwks, now.audience, now.secret], [asked.jwks, asked.audience, undefined]);
    assert.deepEqual([await status(token), await status(assertionOf(await signed('ann')))], [401, 200]);
    assert.equal(
      (await app.api('PUT', `/v1/gateways/${id}`, { name: 'Api', user_assertion: now })).status,
      200,
    );
    assert.equal(await status(assertionOf(await signed('bob'))), 200, 'what is shown can be asked for again');

    await app.api('PATCH', `/v1/gateways/${id}`, { description: 'stays' });
    assert.equal(await status({ 'arcade-user-id': 'ann' }), 401);
    await app.restart();
    await app.app.rooms.sources.refresh('default', 'reference');
    assert.equal(await status({ 'arcade-user-id': 'ann' }), 401, 'after a restart, too');
    await app.api('PATCH', `/v1/gateways/${id}`, { user_assertion: null });
    assert.equal(await status({ 'arcade-user-id': 'ann' }), 200);

    const records = JSON.stringify(await app.records('&kind=admin'));
    assert.match(records, /user_assertion/);
    assert.doesNotMatch(records, new RegExp(shared));
  });

  test('that could not be checked is refused by its field', async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const privateJwk = await exportJWK(privateKey);
    for (const [asked, field] of [
      [{ issuer }, 'user_assertion'],
      [{ secret: shared }, 'user_assertion.issuer'],
      [{ issuer, secret: 'short' }, 'user_assertion.secret'],
      [{ issuer, secret: shared, jwks_uri: 'https://idp.example/jwks' }, 'user_assertion'],
      [{ issuer, jwks_uri: 'file:///etc/passwd' }, 'user_assertion.jwks_uri'],
      [{ issuer, jwks: { keys: [] } }, 'user_assertion.jwks.keys'],
      [{ issuer, jwks: { keys: [privateJwk] } }, 'user_assertion.jwks.keys.0'],
      [{ issuer, jwks: { keys: [{ kty: 'RSA', n: 'x' }] } }, 'user_assertion.jwks'],
      [{ issuer, public_key_pem: 'MIIB' }, 'user_assertion.public_key_pem'],
      [
        { issuer, public_key_pem: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' },
        'user_assertion.public_key_pem',
      ],
      [{ issuer, secret: shared, algorithms: ['RS256'] }, 'user_assertion.algorithms.0'],
      [
        { issuer, jwks_uri: 'https://idp.example/jwks', algorithms: ['HS256'] },
        'user_assertion.algorithms.0',
      ],
      [{ issuer, jwks_uri: 'https://idp.example/jwks', algorithms: ['none'] }, 'user_assertion.algorithms.0'],
    ] as const) {
      const refused = await app.api('POST', '/v1/gateways', { name: 'Bad', user_assertion: asked });
      const body = (await refused.json()) as Json;
      assert.equal(refused.status, 400, JSON.stringify(asked));
      assert.equal(body.name, 'request.params_invalid');
      assert.ok(body.field.startsWith(field), `${body.field} for ${JSON.stringify(Object.keys(asked))}`);
    }
  });

  test('whose keys are at an internal address is not checked there unless that is allowed', async () => {
    const { port } = jwksServer.address() as AddressInfo;
    const before = jwksAsked;
    const made = await app.api('POST', '/v1/gateways', {
      name: 'Inside',
      slug: 'inside',
      user_assertion: { issuer, jwks_uri: `http://127.0.0.1:${port}/jwks`, user_claim: 'email' },
    });
    assert.equal(made.status, 201);
    const refused = await ask('inside', assertionOf(await signed('ann')), whoami);
    assert.equal((await messageOf(refused)).error.data.name, 'identity.assertion_invalid');
    assert.match((await app.records('&kind=sign_in'))[0].reason, /keys of the issuer/);
    assert.equal(jwksAsked, before);
  });
});
