import assert from 'node:assert/strict';
import { createHmac, createPublicKey, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { base64url } from 'jose';
import { silentLog } from '#telemetry';
import type { Answer } from '../fixtures/oauth-server.ts';
import {
  assertionFields,
  basic,
  byAssertion,
  type KeyPair,
  newKeyPair,
  type ServerWithTools,
  startServerWithTools,
} from './fixtures/programs.ts';

let server: ServerWithTools;
let key: KeyPair;
let rsa: KeyPair;
before(async () => {
  server = await startServerWithTools();
  key = await newKeyPair('first');
  rsa = await newKeyPair('rsa', 'RS256');
});
after(() => server?.close());

const keyed = async () => (await server.newAccount({ jwks: { keys: [key.jwk, rsa.jwk] } })).id;
const now = () => Math.floor(Date.now() / 1000);

const refusedClient = { error: 'invalid_client', error_description: 'client authentication failed' };

function assertRefused({ status, body }: Answer, what: string): void {
  assert.deepEqual({ status, body }, { status: 401, body: refusedClient }, what);
}

/** A compact token of these parts, signed by whatever this gives. */
function compact(header: object, claims: object, sign: (text: string) => Buffer): string {
  const text = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join('.');
  return `${text}.${sign(text).toString('base64url')}`;
}

describe('a client assertion', () => {
  it('that is signed by nobody, or with what everybody knows, is refused', async () => {
    const id = await keyed();
    const claims = { iss: id, sub: id, aud: server.issuer, iat: now(), exp: now() + 60 };
    const pem = createPublicKey({ key: rsa.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const hmac = (secret: string | Buffer) => (text: string) =>
      createHmac('sha256', secret).update(text).digest();
    const tries: readonly (readonly [object, (text: string) => Buffer])[] = [
      [{ alg: 'none' }, () => Buffer.alloc(0)],
      [{ alg: 'None' }, () => Buffer.alloc(0)],
      [{ alg: 'HS256', kid: 'rsa' }, hmac(pem)],
      [{ alg: 'HS256', kid: 'rsa' }, hmac(JSON.stringify(rsa.jwk))],
      [{ alg: 'HS256' }, hmac('')],
      [{ alg: 'RS256', kid: 'rsa' }, () => Buffer.alloc(256)],
      [{ alg: 'ES256', kid: 'first' }, () => Buffer.alloc(64)],
      [{ kid: 'first' }, () => Buffer.alloc(64)],
    ];
    for (const [header, sign] of tries) {
      const forged = compact(header, { ...claims, jti: randomUUID() }, sign);
      assertRefused(await server.token(assertionFields(forged)), JSON.stringify(header));
    }
  });

  it('that brings or points to a key of its own is refused, also where the signature holds', async () => {
    const id = await keyed();
    const foreign = await newKeyPair('first');
    const headers: readonly object[] = [
      { jwk: foreign.jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/cert' },
      { x5c: ['MIIB'] },
      { kid: '../../etc/passwd' },
      { kid: 'rsa' },
      {},
    ];
    for (const header of headers) {
      const forged = await byAssertion(id, server.issuer, foreign, { header: { ...header } });
      assertRefused(await server.token(forged), JSON.stringify(header));
    }
    for (const header of [{ jwk: key.jwk }, { jku: `${server.issuer}/oauth2/jwks` }]) {
      const honest = await byAssertion(id, server.issuer, key, { header });
      assertRefused(await server.token(honest), JSON.stringify(header));
    }
  });

  it('for another audience, by another issuer, about another client or from another time is refused', async () => {
    const other = await server.newAccount();
    const bad: readonly Record<string, unknown>[] = [
      { aud: 'https://elsewhere.example' },
      { aud: undefined },
      { aud: server.gateway },
      { aud: ['https://elsewhere.example', 'https://another.example'] },
      { iss: other.id },
      { iss: 'https://elsewhere.example' },
      { iss: undefined },
      { iss: other.id, sub: other.id },
      { sub: 'svc_unknown', iss: 'svc_unknown' },
      { exp: now() - 60 },
      { exp: undefined },
      { exp: now() + 3600 },
      { exp: `${now() + 60}` },
      { nbf: now() + 300 },
      { jti: undefined },
      { jti: 'x'.repeat(300) },
    ];
    for (const claims of bad) {
      const id = await keyed();
      const answer = await server.token(await byAssertion(id, server.issuer, key, { claims }));
      assertRefused(answer, JSON.stringify(claims));
      assert.equal((await server.token(await byAssertion(id, server.issuer, key))).status, 200);
    }
  });

  it('is good for one token, however many ask for one with it at the same moment', async () => {
    const id = await keyed();
    const fields = await byAssertion(id, server.issuer, key);
    const answers = await Promise.all(Array.from({ length: 6 }, () => server.token(fields)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.ok(answers.every(({ status }) => status === 200 || status === 401));
    assert.equal((await server.token(fields)).status, 401);
  });

  it('beside a secret, or of another client than the request names, is refused', async () => {
    const id = await keyed();
    const other = await server.newAccount();
    const fields = async () => await byAssertion(id, server.issuer, key);
    for (const [answer, what] of [
      [await server.token(await fields(), basic(other.id, other.client_secret)), 'header'],
      [await server.token({ ...(await fields()), client_secret: other.client_secret }), 'body'],
      [await server.token({ ...(await fields()), client_id: other.id }), 'client_id'],
      [await server.token({ ...(await fields()), client_assertion_type: 'other' }), 'type'],
    ] as const) {
      assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_request'], what);
    }
  });

  it('of a key that was taken away is refused', async () => {
    const id = await keyed();
    await server.ask('PATCH', `/v1/service_accounts/${id}`, { body: { jwks: { keys: [rsa.jwk] } } });
    assertRefused(await server.token(await byAssertion(id, server.issuer, key)), 'taken away');
    assert.equal((await server.token(await byAssertion(id, server.issuer, rsa))).status, 200);
  });
});

describe('who fails to be a client', () => {
  it('is told the same whether there is such a client or not', async () => {
    const { id, client_secret } = await server.newAccount();
    const without = await keyed();
    const gone = await server.newAccount();
    await server.ask('DELETE', `/v1/service_accounts/${gone.id}`);
    const off = await server.newAccount();
    await server.ask('PATCH', `/v1/service_accounts/${off.id}`, { body: { active: false } });
    const tries = [
      [id, 'sps_wrong'],
      ['svc_0000000000000000000000000000000', 'sps_wrong'],
      ['unknown', 'sps_wrong'],
      [without, 'sps_wrong'],
      [gone.id, gone.client_secret],
      [off.id, off.client_secret],
      [off.id, 'sps_wrong'],
      [id, `${client_secret}x`],
      [id, client_secret.slice(0, -1)],
    ] as const;
    const told = new Set<string>();
    for (const [client_id, secret] of tries) {
      for (const { status, body, headers } of [
        await server.token({}, basic(client_id, secret)),
        await server.token({ client_id, client_secret: secret }),
      ])
        told.add(JSON.stringify([status, body, headers.get('retry-after')]));
    }
    assert.deepEqual([...told], [JSON.stringify([401, refusedClient, null])]);
  });

  it('is held up after ten times in a minute, and nobody else is', async () => {
    const { id, client_secret } = await server.newAccount();
    const other = await server.newAccount();
    const names = [id, 'svc_00000000000000000000000000000001'];
    for (const name of names) {
      const statuses = [];
      for (let count = 0; count < 14; count++) {
        const secret = `sps_guess_${count}`;
        const { status, headers, body } =
          count % 2 === 0
            ? await server.token({}, basic(name, secret))
            : await server.token({ client_id: name, client_secret: secret });
        statuses.push(status);
        if (status !== 429) continue;
        const seconds = Number(headers.get('retry-after'));
        assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
        assert.equal(body.access_token, undefined);
      }
      assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(4).fill(429)], name);
    }
    assert.equal((await server.token({}, basic(other.id, 'sps_wrong'))).status, 401);
    // Nobody can lock an account out by failing in its name: a secret of 256 bits is not guessed.
    assert.equal((await server.token({}, basic(id, client_secret))).status, 200);
    const { body } = await server.ask('GET', '/v1/audit_events?limit=100&code=sign_in.rate_limited');
    assert.deepEqual(
      body.items.map(({ principal, decision }: { principal: string; decision: string }) => [
        principal,
        decision,
      ]),
      [
        [null, 'refused'],
        [id, 'refused'],
      ],
    );
    const { body: all } = await server.ask(
      'GET',
      '/v1/audit_events?limit=1000&kind=sign_in&decision=refused',
    );
    const ofThis = all.items.filter(({ client_id }: { client_id: string }) => client_id === id);
    assert.equal(ofThis.length, 10, 'who floods us does not flood the log book');
  });

  it('leaves nothing of a secret or an assertion in the log book and the log', async (context) => {
    const logged: unknown[] = [];
    for (const level of ['debug', 'info', 'warn', 'error'] as const)
      context.mock.method(silentLog, level, (...said: unknown[]) => void logged.push(said));
    const { id, client_secret } = await server.newAccount();
    const account = await keyed();
    const { client_assertion = '' } = await byAssertion(account, server.issuer, key, {
      claims: { aud: 'x' },
    });
    const good = await byAssertion(account, server.issuer, key);
    const guess = 'sps_guess_of_somebody_0123456789';
    await server.token({}, basic(id, guess));
    await server.token({}, basic(guess, guess));
    await server.token({ client_id: guess, client_secret: guess });
    await server.token({}, basic(id, client_secret));
    await server.token(assertionFields(client_assertion));
    const token = (await server.token(good)).body.access_token;
    const { body } = await server.ask('GET', '/v1/audit_events?limit=1000');
    const written = JSON.stringify(body) + inspect(logged, { depth: 10 });
    for (const secret of [client_secret, guess, client_assertion, good.client_assertion ?? '', token])
      assert.ok(!written.includes(secret.slice(4, 24)) && !written.includes(secret.slice(-20)), secret);
  });
});

describe('the gateway of another project', () => {
  it('is to a service account as if it did not exist, and so are those that take no sign-ins', async () => {
    const { identity } = server.app.rooms;
    const project = await identity.people.createProject('default', 'Another');
    const { account, secret } = await identity.serviceAccounts.create(
      { projectId: project.id, name: 'elsewhere', description: '', jwks: null, role: 'admin' },
      { withSecret: true },
    );
    await server.newGateway('by-key', { auth_types: ['arcade_header'] });
    await server.newGateway('asleep', { status: 'inactive' });
    const told = new Set<string>();
    for (const slug of ['tools', 'by-key', 'asleep', 'no-such-gateway']) {
      const resource = `${server.issuer}/mcp/${slug}`;
      const { status, body } = await server.token({ resource }, basic(account.id, secret ?? ''));
      told.add(JSON.stringify([status, body]));
    }
    assert.equal(told.size, 1, [...told].join('\n'));
    assert.match([...told].join(), /^\[400,\{"error":"invalid_target"/);
  });

  it('and the whole of another server are no target', async () => {
    const { id, client_secret } = await server.newAccount();
    for (const resource of [
      'https://elsewhere.example/mcp/tools',
      `${server.issuer}/mcp/tools/../other`,
      `${server.issuer}/mcp/tools?x=1`,
      server.issuer,
      'tools',
    ]) {
      const { status, body } = await server.token({ resource }, basic(id, client_secret));
      assert.deepEqual([status, body.error], [400, 'invalid_target'], resource);
    }
    const several = await server.form(
      '/oauth2/token?resource=ignored',
      { grant_type: 'client_credentials', resource: `${server.issuer}/mcp/none` },
      basic(id, client_secret),
    );
    assert.equal(several.body.error, 'invalid_target');
  });
});
