import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type RestServer, startRestServer } from '../fixtures/rest-server.ts';

let server: RestServer;
before(async () => {
  server = await startRestServer();
});
after(() => server?.close());

const all = '/v1/service_accounts';
const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });

async function made(request: object) {
  const { status, body } = await server.ask('POST', all, { body: request });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

describe('/v1/service_accounts', () => {
  it('makes one, shows its secret once, and keeps it through changes until it is deleted', async () => {
    const { client_secret: secret, ...account } = await made({ name: 'Nightly', description: 'Counts' });
    assert.match(secret, /^sps_/);
    assert.deepEqual(
      { ...account, id: '', created_at: '', updated_at: '' },
      {
        id: '',
        name: 'Nightly',
        description: 'Counts',
        role: 'member',
        active: true,
        secret_set: true,
        jwks: null,
        created_at: '',
        updated_at: '',
      },
    );
    const one = `${all}/${account.id}`;
    assert.deepEqual((await server.ask('GET', one)).body, account);
    const changed = await server.ask('PATCH', one, { body: { role: 'auditor', jwks: { keys: [jwk] } } });
    const { updated_at: _, ...same } = changed.body;
    const { updated_at: __, ...before } = account;
    assert.deepEqual(same, { ...before, role: 'auditor', jwks: { keys: [jwk] } });
    const renewed = await server.ask('POST', `${one}/secret`);
    assert.equal(renewed.status, 200);
    assert.match(renewed.body.client_secret, /^sps_/);
    assert.notEqual(renewed.body.client_secret, secret);
    assert.equal((await server.ask('DELETE', one)).status, 204);
    for (const [method, path] of [
      ['GET', one],
      ['PATCH', one],
      ['DELETE', one],
      ['POST', `${one}/secret`],
    ] as const) {
      const gone = await server.ask(method, path, method === 'PATCH' ? { body: {} } : {});
      assert.deepEqual(
        [gone.status, gone.body.name, gone.body.field],
        [404, 'resource.unknown', 'id'],
        method,
      );
    }
  });

  it('with public keys makes no secret unless one is asked for', async () => {
    const keyed = await made({ name: 'keyed', jwks: { keys: [jwk] } });
    assert.deepEqual([keyed.client_secret, keyed.secret_set], [undefined, false]);
    const both = await made({ name: 'both', jwks: { keys: [jwk] }, with_secret: true });
    assert.match(both.client_secret, /^sps_/);
  });

  it('lists them by age and page by page, without secrets', async () => {
    const names = ['one', 'two', 'three'];
    const before = (await server.ask('GET', all)).body.total_count;
    for (const name of names) await made({ name });
    const { body } = await server.ask('GET', `${all}?limit=2&offset=${before + 1}`);
    assert.deepEqual(
      body.items.map(({ name }: { name: string }) => name),
      names.slice(1),
    );
    assert.deepEqual([body.total_count, body.page_count], [before + 3, 2]);
    assert.doesNotMatch(JSON.stringify((await server.ask('GET', all)).body), /sps_|client_secret/);
  });

  it('names the field of what it does not take', async () => {
    const privateKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    for (const [request, field] of [
      [{}, 'name'],
      [{ name: '' }, 'name'],
      [{ name: 'x', role: 'owner' }, 'role'],
      [{ name: 'x', jwks: { keys: [] } }, 'jwks.keys'],
      [{ name: 'x', jwks: { keys: [privateKey] } }, 'jwks.keys.0'],
      [{ name: 'x', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, 'jwks.keys.0'],
      [{ name: 'x', jwks: { keys: [jwk, { kty: 'OKP', crv: 'Ed25519', x: '!' }] } }, 'jwks.keys.1'],
      [{ name: 'x', description: 'd'.repeat(1001) }, 'description'],
    ] as const) {
      const { status, body } = await server.ask('POST', all, { body: request });
      assert.deepEqual([status, body.field ?? body.issues?.[0]?.field], [400, field], JSON.stringify(body));
      assert.doesNotMatch(JSON.stringify(body), new RegExp(String(privateKey.d)));
    }
    const { id } = await made({ name: 'changing' });
    const patched = await server.ask('PATCH', `${all}/${id}`, { body: { active: 'no' } });
    assert.deepEqual([patched.status, patched.body.field], [400, 'active']);
  });

  it('writes down who changed what, and no secret', async () => {
    const { id, client_secret: secret } = await made({ name: 'watched' });
    await server.ask('PATCH', `${all}/${id}`, { body: { active: false } });
    const renewed = (await server.ask('POST', `${all}/${id}/secret`)).body.client_secret;
    await server.ask('DELETE', `${all}/${id}`);
    const { body } = await server.ask('GET', '/v1/audit_events?limit=100');
    const events = body.items.filter(({ changes }: { changes: unknown }) =>
      JSON.stringify(changes ?? {}).includes(id),
    );
    assert.deepEqual(
      events.map(({ tool }: { tool: string }) => tool),
      [
        'service_accounts.delete',
        'service_accounts.renew_secret',
        'service_accounts.update',
        'service_accounts.create',
      ],
    );
    assert.deepEqual([events[2].changes.before.active, events[2].changes.after.active], [true, false]);
    for (const kept of [secret, renewed]) assert.ok(!JSON.stringify(body).includes(kept.slice(5, 30)));
  });
});

describe('API keys of a service account', () => {
  it('say whose they are, and go with it', async () => {
    const { id } = await made({ name: 'owner of keys' });
    const asked = { name: 'its key', scopes: ['read'], service_account_id: id };
    const { status, body: key } = await server.ask('POST', '/v1/api_keys', { body: asked });
    assert.deepEqual([status, key.service_account_id], [201, id]);
    assert.equal((await server.ask('GET', `/v1/api_keys/${key.id}`)).body.service_account_id, id);
    const codes = [];
    for (const change of [{ active: true }, { active: false }, null]) {
      if (change === null) await server.ask('DELETE', `${all}/${id}`);
      else await server.ask('PATCH', `${all}/${id}`, { body: change });
      const { status: answered, body } = await server.ask('GET', '/v1/tools', { key: key.key });
      codes.push([answered, body.name]);
    }
    assert.deepEqual(codes, [
      [200, undefined],
      [401, 'identity.deactivated'],
      [401, 'identity.invalid'],
    ]);
    assert.equal((await server.ask('GET', `/v1/api_keys/${key.id}`)).status, 404);
  });

  it('are made for those of this project only', async () => {
    const accounts = server.app.rooms.identity.serviceAccounts;
    const elsewhere = await accounts.create(
      { projectId: 'elsewhere', name: 'x', description: '', jwks: null, role: 'admin' },
      { withSecret: false },
    );
    for (const account of [elsewhere.account.id, 'svc_unknown']) {
      const asked = { name: 'stolen', service_account_id: account };
      const { status, body } = await server.ask('POST', '/v1/api_keys', { body: asked });
      assert.deepEqual([status, body.field], [400, 'service_account_id']);
      assert.equal((await server.ask('GET', `${all}/${account}`)).status, 404);
      assert.equal((await server.ask('PATCH', `${all}/${account}`, { body: { role: 'admin' } })).status, 404);
      assert.equal((await server.ask('POST', `${all}/${account}/secret`)).status, 404);
      assert.equal((await server.ask('DELETE', `${all}/${account}`)).status, 404);
    }
    assert.equal(accounts.get(elsewhere.account.id)?.role, 'admin');
  });
});
