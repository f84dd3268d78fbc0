import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adminKey } from '../rest/fixtures/rest-server.ts';
import { type ScimServer, startScimServer } from './fixtures/scim-server.ts';
import { scimRoutes } from './front.ts';

/** Who may call this, for every route: a key of the organisation that may provision, and nobody else. */

let server: ScimServer;
const keys = new Map<string, string>();
before(async () => {
  server = await startScimServer();
  const gateway = { name: 'G', slug: 'g' };
  assert.equal((await server.rest.ask('POST', '/v1/gateways', { body: gateway })).status, 201);
  const all = ['admin', 'read', 'call', 'approve', 'provision'];
  const wanted: Record<string, object> = {
    admin: { scopes: ['admin'] },
    provision: { scopes: ['provision'] },
    others: { scopes: ['read', 'call', 'approve'] },
    'of users': { scopes: all, users: ['alice'] },
    'of tools': { scopes: all, tools: ['A.*'] },
    'of gateways': { scopes: all, gateways: ['g'] },
    revoked: { scopes: all },
  };
  for (const [name, request] of Object.entries(wanted)) {
    keys.set(name, await server.newKey({ name, ...request }));
  }
  const { body } = await server.rest.ask('GET', '/v1/api_keys');
  const { id } = body.items.find(({ name }: { name: string }) => name === 'revoked');
  assert.equal((await server.rest.ask('DELETE', `/v1/api_keys/${id}`)).status, 204);
  keys.set('unknown', 'sp_unknown_key_0123456789');
});
after(() => server?.close());

it('the routes are those of the RFC', () => {
  const { app } = server;
  const routes = scimRoutes({
    ...app.rooms,
    clock: undefined as never,
    log: undefined as never,
    issuer: () => '',
  });
  assert.deepEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted(), [...table].toSorted());
});

const table = [
  'GET /Users',
  'POST /Users',
  'POST /Users/.search',
  'GET /Users/{id}',
  'PUT /Users/{id}',
  'PATCH /Users/{id}',
  'DELETE /Users/{id}',
  'GET /Groups',
  'POST /Groups',
  'POST /Groups/.search',
  'GET /Groups/{id}',
  'PUT /Groups/{id}',
  'PATCH /Groups/{id}',
  'DELETE /Groups/{id}',
  'GET /ServiceProviderConfig',
  'GET /ResourceTypes',
  'GET /ResourceTypes/{id}',
  'GET /Schemas',
  'GET /Schemas/{id}',
] as const;

/** What is not there is refused to strangers as what is. */
const further = ['GET /Other', 'POST /Bulk', 'GET /Me', 'DELETE /Users'] as const;

for (const call of [...table, ...further]) {
  describe(call, () => {
    const asked = (authorization: string | null) => {
      const [method = '', path = ''] = call.split(' ');
      const body = ['GET', 'DELETE'].includes(method) ? undefined : {};
      return server.ask(method, path.replace('{id}', 'no.such'), body, {
        key: authorization,
        ...(body === undefined ? {} : { body }),
      });
    };
    const keyOf = (name: string) => `Bearer ${keys.get(name)}`;

    it('is open to keys that may provision', async () => {
      for (const [name, key] of [
        ['the operator', `Bearer ${adminKey}`],
        ['provision', keyOf('provision')],
      ] as const) {
        const { status } = await asked(key);
        assert.ok(![401, 403].includes(status), `${name}: ${status}`);
      }
    });

    it('is closed to no key, an unknown one and a revoked one', async () => {
      for (const authorization of [
        null,
        'Basic YTpi',
        'Bearer',
        keyOf('unknown'),
        keyOf('revoked'),
        'Bearer a.b.c',
      ]) {
        const { status, body, headers } = await asked(authorization);
        assert.deepEqual([status, body.status], [401, '401'], String(authorization));
        assert.deepEqual(body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error']);
        assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
      }
    });

    it('is closed to keys without the scope, and to restricted ones', async () => {
      for (const name of ['admin', 'others', 'of users', 'of tools', 'of gateways']) {
        const { status, body } = await asked(keyOf(name));
        assert.deepEqual([status, body.status], [403, '403'], name);
        assert.match(body.detail, /"provision"/);
      }
    });
  });
}

it('a cookie opens nothing', async () => {
  const { status } = await server.ask('GET', '/Users', undefined, {
    key: null,
    headers: { cookie: '__Host-sallyport=x; sallyport=x' },
  });
  assert.equal(status, 401);
});

it('a key of another organization sees and changes only its own people and groups', async () => {
  const { people, createKey } = server.app.rooms.identity;
  const organization = await people.createOrganization('Other');
  const project = await people.createProject(organization.id, 'Other');
  const unrestricted = { users: null, gateways: null, tools: null, serviceAccountId: null, expiresAt: null };
  const { plaintext } = await createKey({
    projectId: project.id,
    name: 'theirs',
    scopes: ['provision'],
    ...unrestricted,
  });
  const key = { key: `Bearer ${plaintext}` };
  const user = await server.newUser({ userName: 'both@corp.example' });
  const group = await server.newGroup('Both', [user.id]);
  for (const path of [`/Users/${user.id}`, `/Groups/${group.id}`]) {
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { userName: 'x', displayName: 'x' }],
      ['PATCH', { Operations: [{ op: 'replace', path: 'externalId', value: 'x' }] }],
      ['DELETE', undefined],
    ] as const) {
      const theirs = await server.ask(method, path, body, body === undefined ? key : { ...key, body });
      const none = await server.ask(
        method,
        path.replace(/_.*/, '_no'),
        body,
        body === undefined ? key : { ...key, body },
      );
      assert.equal(theirs.status, 404);
      assert.equal(theirs.body.detail.replace(/\w+_\w+/, ''), none.body.detail.replace(/\w+_\w+/, ''));
    }
  }
  for (const list of ['Users', 'Groups']) {
    assert.equal((await server.ask('GET', `/${list}`, undefined, key)).body.totalResults, 0);
  }
  const twin = { userName: 'both@corp.example' };
  assert.equal((await server.ask('POST', '/Users', twin, { ...key, body: twin })).status, 201);
  const members = { displayName: 'Theirs', members: [{ value: user.id }] };
  assert.equal((await server.ask('POST', '/Groups', members, { ...key, body: members })).status, 400);
  assert.equal((await server.ask('GET', `/Users/${user.id}`)).body.groups.length, 1);
});

it('an administrator who is no owner neither keeps the directory nor makes a key that does', async () => {
  const admin = { key: `Bearer ${keys.get('admin')}` };
  const body = { name: 'mine', scopes: ['provision'] };
  const made = await server.rest.ask('POST', '/v1/api_keys', { ...admin, body });
  assert.deepEqual([made.status, made.body.field], [403, 'scopes']);
  const { status } = await server.ask('PATCH', '/Users/usr_1', undefined, { ...admin, body: {} });
  assert.equal(status, 403);
});
