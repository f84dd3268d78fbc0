import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { saidBy, signIn } from '../../../../test/access-token.ts';
import {
  type IdentityProvider,
  type IdpKnobs,
  startIdentityProvider,
} from '../../../../test/identity-provider.ts';
import { type RestServer, startRestServer } from '../fixtures/rest-server.ts';

let server: RestServer;
let idp: IdentityProvider;

before(async () => {
  idp = await startIdentityProvider();
  server = await startRestServer();
});
after(async () => {
  await server?.close();
  await idp?.close();
});
afterEach(() => {
  for (const wrong of Object.keys(idp.knobs)) delete idp.knobs[wrong as keyof IdpKnobs];
});

const path = '/v1/user_sources';

function asked(other: object = {}) {
  return {
    name: 'Example Login',
    issuer: idp.issuer,
    client_id: idp.clientId,
    client_secret: idp.clientSecret,
    ...other,
  };
}

async function create(other: object = {}) {
  const { status, body } = await server.ask('POST', path, { body: asked(other) });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

async function refused(
  method: string,
  to: string,
  body: object | undefined,
  status: number,
  words: RegExp,
  field?: string,
) {
  const told = await server.ask(method, to, body === undefined ? {} : { body });
  assert.equal(told.status, status, JSON.stringify(told.body));
  assert.match(told.body.message, words);
  if (field !== undefined) assert.equal(told.body.field, field);
  return told.body;
}

describe('a user source', () => {
  it('is made with what is left out filled in, and tells where to register it, and no secret', async () => {
    const made = await create();
    assert.deepEqual(made.scopes, ['openid', 'profile', 'email']);
    assert.deepEqual([made.user_claim, made.groups_claim, made.status], ['sub', 'groups', 'active']);
    assert.equal(made.redirect_uri, `${server.url}/oauth2/callback/${made.id}`);
    assert.deepEqual(made.client_secret, { exists: true, editable: true, value: '', binding: 'project' });
    const read = await server.ask('GET', `${path}/${made.id}`);
    assert.equal(JSON.stringify(read.body).includes(idp.clientSecret), false);
    const records = await server.ask('GET', '/v1/audit_events?limit=5');
    assert.equal(JSON.stringify(records.body).includes(idp.clientSecret), false);
  });

  it('takes from its preset only what is left out', async () => {
    const preset = { preset: 'entra', skip_validation: true };
    const filled = await create(preset);
    assert.equal(filled.user_claim, 'oid');
    const own = await create({ ...preset, user_claim: 'preferred_username', scopes: 'openid  email' });
    assert.deepEqual([own.user_claim, own.scopes], ['preferred_username', ['openid', 'email']]);
  });

  it('is changed, replaced and removed', async () => {
    const { id } = await create();
    const renamed = await server.ask('PATCH', `${path}/${id}`, { body: { name: 'Staff' } });
    assert.deepEqual(
      [renamed.status, renamed.body.name, renamed.body.client_id],
      [200, 'Staff', idp.clientId],
    );
    const { client_secret: _kept, ...rest } = asked({ name: 'All', allowed_domains: ['Example.com'] });
    const replaced = await server.ask('PUT', `${path}/${id}`, { body: rest });
    assert.deepEqual([replaced.status, replaced.body.client_secret.exists], [200, true], 'the secret stays');
    assert.equal((await server.ask('DELETE', `${path}/${id}`)).status, 204);
    assert.equal((await server.ask('GET', `${path}/${id}`)).status, 404);
  });

  it('is held to its issuer', async () => {
    await refused('POST', path, asked({ issuer: `${idp.issuer}/other` }), 400, /status 404/, 'issuer');
    await refused(
      'POST',
      path,
      asked({ client_secret: 'another one' }),
      400,
      /invalid_client/,
      'client_secret',
    );
    await refused(
      'POST',
      path,
      asked({ scopes: ['openid', 'payroll'] }),
      400,
      /does not know payroll/,
      'scopes',
    );
    idp.knobs.discoveryIssuer = 'https://elsewhere.example';
    const words = /says that its issuer is "https:\/\/elsewhere\.example"/;
    const told = await refused('POST', path, asked(), 400, words, 'issuer');
    assert.deepEqual(told.details.steps[0].step, 'discovery');
    await create({ skip_validation: true });
  });

  it('whose issuer does not answer now is kept, with a warning', async () => {
    idp.knobs.down = true;
    const { warnings } = await create();
    assert.match(warnings[0], /discovery: .*not compared/);
  });

  it('is refused where anybody could come in, or its fields make no sense', async () => {
    const microsoft = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
    for (const tenant of ['common', 'organizations', 'consumers', '{tenantid}'])
      await refused('POST', path, asked({ issuer: microsoft(tenant) }), 400, /every tenant/, 'issuer');
    await refused(
      'POST',
      path,
      asked({ preset: 'google' }),
      400,
      /anybody has an account/,
      'allowed_domains',
    );
    const google = { preset: 'google', allowed_domains: ['example.com'] };
    const offline = asked({ ...google, scopes: ['openid', 'offline_access'] });
    await refused('POST', path, offline, 400, /Google refuses/, 'scopes');
    await refused('POST', path, asked({ scopes: ['profile'] }), 400, /openid/, 'scopes');
    for (const issuer of ['http://idp.example', 'https://a:b@idp.example', 'idp', 'https://idp.example/?a=1'])
      await refused('POST', path, asked({ issuer }), 400, /issuer/, 'issuer');
    for (const domain of ['com', '*.example.com', 'exämple.com', 'example.com/', '@example.com', ''])
      await refused('POST', path, asked({ allowed_domains: [domain] }), 400, /domain/, 'allowed_domains.0');
    const both = { client_private_key: '{}' };
    await refused('POST', path, asked(both), 400, /got both/, 'client_private_key');
    const key = { client_secret: null, client_private_key: '{"kty":"oct","k":"abc"}' };
    await refused('POST', path, asked(key), 400, /private RSA, EC or Ed25519/, 'client_private_key');
    const unlooked = asked({ groups_claim: '', groups_required: true });
    await refused('POST', path, unlooked, 400, /groups_claim/, 'groups_required');
  });

  it('sends its secret to no other issuer', async () => {
    const { id } = await create();
    const other = await startIdentityProvider();
    try {
      const words = /needed again/;
      await refused('PATCH', `${path}/${id}`, { issuer: other.issuer }, 400, words, 'client_secret');
      assert.equal(other.asked.token, 0);
    } finally {
      await other.close();
    }
  });

  it('that an active gateway names is neither removed nor made inactive', async () => {
    const { id } = await create();
    const gateway = {
      name: 'g',
      slug: `needs-${id.toLowerCase().replaceAll('_', '-')}`,
      auth_type: 'user_source',
    };
    const made = await server.ask('POST', '/v1/gateways', { body: { ...gateway, user_source_id: id } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const told = await refused('DELETE', `${path}/${id}`, undefined, 409, new RegExp(gateway.slug));
    assert.deepEqual(told.details.gateways, [gateway.slug]);
    await refused('PATCH', `${path}/${id}`, { status: 'inactive' }, 409, new RegExp(gateway.slug));
    await server.ask('PATCH', `/v1/gateways/${made.body.id}`, { body: { status: 'inactive' } });
    assert.equal((await server.ask('PATCH', `${path}/${id}`, { body: { status: 'inactive' } })).status, 200);
    assert.equal((await server.ask('DELETE', `${path}/${id}`)).status, 204);
  });

  it('that is not there is named by no gateway', async () => {
    const body = { name: 'g', auth_type: 'user_source', user_source_ids: ['usrc_none'] };
    await refused('POST', '/v1/gateways', body, 400, /no user source usrc_none/, 'user_source_ids');
  });
});

describe('a test of a user source', () => {
  it('walks what a sign-in needs, and says which step fails and why', async () => {
    const { id } = await create();
    const test = async () => (await server.ask('POST', `${path}/${id}/test`)).body;
    const good = await test();
    assert.deepEqual(
      [good.success, good.steps.map(({ step, ok }: { step: string; ok: boolean }) => [step, ok])],
      [true, ['discovery', 'scopes', 'keys', 'client_authentication'].map((step) => [step, true])],
    );
    idp.knobs.tokenError = {
      status: 401,
      error: 'invalid_client',
      error_description: `no ${idp.clientSecret}`,
    };
    const unknown = await test();
    assert.deepEqual([unknown.success, unknown.failed_step], [false, 'client_authentication']);
    assert.match(unknown.message, /invalid_client.*compare client_id and client_secret/);
    assert.equal(JSON.stringify(unknown).includes(idp.clientSecret), false);
    idp.knobs.down = true;
    assert.equal((await test()).failed_step, 'discovery');
  });
});

describe('another user claim', () => {
  async function seen(sourceId: string, people: readonly { id: string; claims: object }[]) {
    for (const { id, claims } of people) {
      const { sub: subject } = claims as { sub: string };
      const said = await server.app.rooms.identity.people.signedIn({
        organizationId: 'default',
        projectId: 'default',
        sourceId,
        issuer: idp.issuer,
        subject,
        userId: subject,
        email: '',
        name: id,
        groups: [],
        claims: claims as { [name: string]: unknown },
      });
      assert.ok(said.ok);
    }
  }

  it('is shown first: who becomes whom, who is left out, who collides, and what names them', async () => {
    const { id } = await create();
    await seen(id, [
      { id: 'a', claims: { sub: `s1-${id}`, upn: 'ann' } },
      { id: 'b', claims: { sub: `s2-${id}`, upn: 'bob' } },
      { id: 'c', claims: { sub: `s3-${id}`, upn: 'bob' } },
      { id: 'd', claims: { sub: `s4-${id}` } },
    ]);
    const grant = { effect: 'allow', subject: { user: `s1-${id}` }, tools: ['X.*'] };
    assert.equal((await server.ask('POST', '/v1/grants', { body: grant })).status, 201);

    const preview = await server.ask('POST', `${path}/${id}/preview`, { body: { user_claim: 'upn' } });
    assert.equal(preview.status, 200, JSON.stringify(preview.body));
    const { people_count, changed_count, without_count, collisions, named_by, token } = preview.body;
    assert.deepEqual([people_count, changed_count, without_count], [4, 3, 1]);
    assert.deepEqual(
      collisions.map(({ user_id, person_ids }: { user_id: string; person_ids: string[] }) => [
        user_id,
        person_ids.length,
      ]),
      [['bob', 2]],
    );
    assert.equal(named_by.grants, 1);

    const words = /of 4 people who signed in here, 3 would be another user/;
    const told = await refused('PATCH', `${path}/${id}`, { user_claim: 'upn' }, 409, words, 'user_claim');
    assert.deepEqual(told.details.preview, preview.body);
    const wrong = { user_claim: 'upn', confirm_user_claim_change: 'x' };
    await refused('PATCH', `${path}/${id}`, wrong, 409, words);

    await seen(id, [{ id: 'e', claims: { sub: `s5-${id}`, upn: 'eve' } }]);
    const old = { user_claim: 'upn', confirm_user_claim_change: token };
    const again = await refused('PATCH', `${path}/${id}`, old, 409, /of 5 people/);
    const now = { user_claim: 'upn', confirm_user_claim_change: again.details.preview.token };
    const changed = await server.ask('PATCH', `${path}/${id}`, { body: now });
    assert.deepEqual([changed.status, changed.body.user_claim], [200, 'upn']);
  });

  it('lets nobody stay signed in under the user id of before', async () => {
    const { id } = await create();
    const { identity } = server.app.rooms;
    const person = {
      issuer: idp.issuer,
      sourceId: id,
      subject: `s-${id}`,
      email: '',
      claims: { upn: 'zoe' },
    };
    const { signIn: mine } = await signIn(identity, saidBy(person));
    const renamed = await server.ask('PATCH', `${path}/${id}`, { body: { name: 'Another name' } });
    assert.equal(renamed.status, 200, JSON.stringify(renamed.body));
    assert.notEqual(await identity.signIns.find(mine.id), null);
    const preview = await server.ask('POST', `${path}/${id}/preview`, { body: { user_claim: 'upn' } });
    const change = { user_claim: 'upn', confirm_user_claim_change: preview.body.token };
    const changed = await server.ask('PATCH', `${path}/${id}`, { body: change });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    assert.equal(await identity.signIns.find(mine.id), null);
  });

  it('ends who signed in by a source that is removed: another one of its name is another one', async () => {
    const { id } = await create();
    const { identity } = server.app.rooms;
    const { signIn: mine } = await signIn(identity, saidBy({ issuer: idp.issuer, sourceId: id, email: '' }));
    const removed = await server.ask('DELETE', `${path}/${id}`);
    assert.equal(removed.status, 204, JSON.stringify(removed.body));
    assert.equal(await identity.signIns.find(mine.id), null);
  });

  it('needs no word where it changes nobody', async () => {
    const { id } = await create();
    const changed = await server.ask('PATCH', `${path}/${id}`, { body: { user_claim: 'email' } });
    assert.equal(changed.status, 200);
  });
});
