import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Role } from '#domain';
import type { Identity } from '#identity';
import { saidBy, saidByLink, signIn, tokenFor } from '../../../../test/access-token.ts';
import { adminKey, type RestServer, startRestServer } from '../fixtures/rest-server.ts';

let server: RestServer;
let identity: Identity;
let count = 0;
before(async () => {
  server = await startRestServer();
  ({ identity } = server.app.rooms);
});
after(() => server?.close());
beforeEach(() => {
  count++;
});

/** Somebody new, signed in by a link, with a role and a token. */
async function newPerson(role: Role | null, email = `${role}-${count}@example.com`) {
  const who = await signIn(identity, saidByLink(email), role);
  const key = `Bearer ${await tokenFor(identity, who, null, { issuer: server.url })}`;
  return { id: who.person.id, email, signInId: who.signIn.id, key };
}

async function status(method: string, path: string, key: string, body?: object) {
  const asked = await server.ask(method, path, { key, body });
  return [asked.status, asked.status < 400 ? null : asked.body.name];
}

describe('people', () => {
  it('are listed with their roles, found by address, and shown with what they came in by', async () => {
    const admin = await newPerson('admin');
    const member = await newPerson('member');
    await newPerson(null);
    const { body } = await server.ask('GET', '/v1/people?limit=1000', { key: admin.key });
    const listed = body.items.map(({ id }: { id: string }) => id);
    assert.equal(body.total_count, listed.length);
    assert.ok(listed.includes(admin.id) && listed.includes(member.id));
    assert.ok(body.items.every(({ role }: { role: string | null }) => role !== null));
    const found = await server.ask('GET', `/v1/people?email=${member.email.toUpperCase()}`);
    assert.deepEqual(
      found.body.items.map(({ id, role, organization_role }: Record<string, unknown>) => [
        id,
        role,
        organization_role,
      ]),
      [[member.id, 'member', null]],
    );
    const one = await server.ask('GET', `/v1/people/${member.id}`, { key: admin.key });
    assert.deepEqual(one.body.identities[0].issuer, 'link');
  });

  it('who are deactivated are refused on their next request, and signed out', async () => {
    const person = await newPerson('editor');
    assert.deepEqual(await status('GET', '/v1/workers', person.key), [200, null]);
    assert.deepEqual(await status('PATCH', `/v1/people/${person.id}`, adminKey, { active: false }), [
      200,
      null,
    ]);
    assert.equal((await status('GET', '/v1/workers', person.key))[0], 401);
    const { body } = await server.ask('GET', `/v1/people/${person.id}/sign_ins`);
    assert.ok(body.items.every(({ ended_at }: { ended_at: string | null }) => ended_at !== null));
  });

  it('have another role from the next request on', async () => {
    const person = await newPerson('editor');
    await status('PUT', `/v1/people/${person.id}/role`, adminKey, { role: 'auditor' });
    assert.deepEqual(await status('GET', '/v1/audit_events', person.key), [200, null]);
    assert.deepEqual(await status('POST', '/v1/workers', person.key, {}), [403, 'identity.scope_missing']);
    await status('PUT', `/v1/people/${person.id}/role`, adminKey, { role: null });
    assert.deepEqual(await status('GET', '/v1/audit_events', person.key), [403, 'identity.scope_missing']);
    const there = '/v1/orgs/default/projects/default/audit_events';
    assert.deepEqual(await status('GET', there, person.key), [404, 'resource.unknown']);
  });

  it('are signed out from one sign-in or from all', async () => {
    const [person, other] = [await newPerson('editor'), await newPerson('member')];
    const path = `/v1/people/${person.id}/sign_ins`;
    const foreign = `${path}/${other.signInId}`;
    assert.deepEqual(await status('DELETE', foreign, adminKey), [404, 'resource.unknown']);
    assert.deepEqual(await status('DELETE', `${path}/${person.signInId}`, adminKey), [204, null]);
    assert.equal((await status('GET', '/v1/workers', person.key))[0], 401);
    assert.deepEqual(await status('DELETE', `${path}/${person.signInId}`, adminKey), [
      404,
      'resource.unknown',
    ]);
    const all = await server.ask('DELETE', `/v1/people/${other.id}/sign_ins`);
    assert.deepEqual(all.body, { ended: 1 });
    assert.equal((await status('GET', '/v1/tools', other.key))[0], 401);
  });

  it('never get more than who gives it, and owners are made by owners', async () => {
    const [owner, admin, person] = [
      await newPerson('owner'),
      await newPerson('admin'),
      await newPerson('member'),
    ];
    const role = `/v1/people/${person.id}/role`;
    const everywhere = `/v1/orgs/default/people/${person.id}/role`;
    assert.deepEqual(await status('PUT', role, admin.key, { role: 'owner' }), [
      403,
      'identity.scope_missing',
    ]);
    assert.deepEqual(await status('PUT', everywhere, admin.key, { role: 'admin' }), [
      403,
      'identity.scope_missing',
    ]);
    assert.deepEqual(await status('PUT', role, owner.key, { role: 'owner' }), [
      400,
      'request.params_invalid',
    ]);
    assert.deepEqual(await status('PUT', role, admin.key, { role: 'admin' }), [200, null]);
    assert.deepEqual(await status('PUT', everywhere, owner.key, { role: 'owner' }), [200, null]);
    const invite = { email: `new-${count}@example.com`, role: 'owner' };
    assert.deepEqual(await status('POST', '/v1/invitations', admin.key, invite), [
      403,
      'identity.scope_missing',
    ]);
    assert.deepEqual(await status('POST', '/v1/invitations', owner.key, invite), [201, null]);
  });

  it('who are no owners change nothing of the key of who runs the installation', async () => {
    const [owner, admin] = [await newPerson('owner'), await newPerson('admin')];
    const { body } = await server.ask('GET', '/v1/api_keys?limit=1000');
    const { id } = body.items.find((key: { id: string }) => key.id.startsWith('key_admin'));
    const path = `/v1/api_keys/${id}`;
    for (const [method, change] of [
      ['PATCH', { expires_at: '2100-01-01T00:00:00Z' }],
      ['DELETE', undefined],
    ] as const) {
      assert.deepEqual(await status(method, path, admin.key, change), [403, 'identity.scope_missing']);
    }
    assert.deepEqual(await status('PATCH', path, owner.key, { name: 'ours' }), [200, null]);
  });

  it('who edit gateways say nothing of how people come in there', async () => {
    const [admin, editor] = [await newPerson('admin'), await newPerson('editor')];
    const slug = `of-editors-${count}`;
    const skips = { consent_skip_client_ids: ['https://evil.example/client.json'] };
    const assertion = { user_assertion: { issuer: 'https://evil.example', secret: 'e'.repeat(64) } };
    const gateway = { name: 'G', slug };
    for (const more of [skips, assertion]) {
      const refused = ['identity.scope_missing', 403];
      const made = await status('POST', '/v1/gateways', editor.key, { ...gateway, ...more });
      assert.deepEqual(made.reverse(), refused);
    }
    const { body } = await server.ask('POST', '/v1/gateways', { key: editor.key, body: gateway });
    const path = `/v1/gateways/${body.id}`;
    for (const more of [skips, assertion]) {
      assert.deepEqual(await status('PATCH', path, editor.key, more), [403, 'identity.scope_missing']);
      assert.deepEqual(await status('PATCH', path, admin.key, more), [200, null]);
      assert.deepEqual(await status('PATCH', path, editor.key, { ...more, description: 'd' }), [200, null]);
    }
    assert.deepEqual(await status('PUT', path, editor.key, gateway), [403, 'identity.scope_missing']);
  });

  it('are said who they are by sources of the first project, which only owners change', async () => {
    const [owner, admin] = [await newPerson('owner'), await newPerson('admin')];
    const asked = {
      name: 'Evil',
      issuer: 'https://idp.example',
      client_id: 'c',
      client_secret: 'a-secret-of-the-issuer',
      skip_validation: true,
    };
    assert.deepEqual(await status('POST', '/v1/user_sources', admin.key, asked), [
      403,
      'identity.scope_missing',
    ]);
    const { status: made, body } = await server.ask('POST', '/v1/user_sources', {
      key: owner.key,
      body: asked,
    });
    assert.equal(made, 201, JSON.stringify(body));
    const path = `/v1/user_sources/${body.id}`;
    const change = { issuer: 'https://evil.example', skip_validation: true };
    assert.deepEqual(await status('PATCH', path, admin.key, change), [403, 'identity.scope_missing']);
    assert.deepEqual(await status('DELETE', path, admin.key), [403, 'identity.scope_missing']);
    assert.deepEqual(await status('DELETE', path, owner.key), [204, null]);
  });

  it('whom other projects know, too, are changed by owners only', async () => {
    const admin = await newPerson('admin');
    const project = await identity.people.createProject('default', 'Other');
    const person = await newPerson('member');
    const place = { organizationId: 'default', projectId: project.id };
    assert.ok((await identity.people.setRole(person.id, place, 'member')).ok);
    for (const [method, path, body] of [
      ['PATCH', `/v1/people/${person.id}`, { active: false }],
      ['DELETE', `/v1/people/${person.id}/sign_ins`, undefined],
    ] as const) {
      assert.deepEqual(await status(method, path, admin.key, body), [403, 'identity.scope_missing']);
      assert.equal((await status(method, path, adminKey, body))[0], 200);
    }
  });

  it('leave the organisation its last owner', async () => {
    const there = await identity.people.createOrganization('There');
    const said = { ...saidByLink('last@example.com'), organizationId: there.id };
    const { person } = await signIn(identity, said);
    assert.equal(await identity.people.becomeFirstOwner(there.id, person.id), true);
    await identity.people.createProject(there.id, 'One');
    const who = await identity.signIns.start(person.id, said, 'test');
    const key = `Bearer ${await tokenFor(identity, { person, ...who }, null, { issuer: server.url })}`;
    const role = `/v1/orgs/${there.id}/people/${person.id}/role`;
    assert.deepEqual(await status('PUT', role, key, { role: 'admin' }), [409, 'resource.conflict']);
    assert.deepEqual(await status('PATCH', `/v1/people/${person.id}`, key, { active: false }), [
      409,
      'resource.conflict',
    ]);
  });
});

describe('a token on the API', () => {
  it('is looked up in no database, once it was seen', async () => {
    const person = await newPerson('editor');
    await server.ask('GET', '/v1/gateways', { key: person.key });
    const { db } = server.app.rooms;
    const { query, tx } = db;
    const asked: string[] = [];
    const counted = Object.assign(db, {
      query: (sql: string, params?: readonly unknown[]) => {
        asked.push(sql);
        return query(sql, params);
      },
      tx: (work: Parameters<typeof tx>[0]) => {
        asked.push('a transaction');
        return tx(work);
      },
    });
    try {
      assert.equal((await server.ask('GET', '/v1/gateways', { key: person.key })).status, 200);
      assert.deepEqual(
        asked.filter((sql) => !/audit_events/.test(sql)),
        [],
      );
      await server.ask('GET', '/v1/people', { key: adminKey });
      assert.ok(asked.length > 0, 'it would have been seen');
    } finally {
      Object.assign(counted, { query, tx });
    }
  });

  it('acts as its person, with the groups and claims of the sign-in', async () => {
    const said = { ...saidByLink(`groups-${count}@example.com`), groups: ['engineers'] };
    const who = await signIn(identity, said, 'editor');
    const token = await tokenFor(identity, who, null, { issuer: server.url });
    const principal = await identity.authenticate(`Bearer ${token}`);
    assert.ok(principal.ok);
    const caller = server.app.rooms.pipeline.actAs(principal.value, null);
    assert.ok(caller.ok, JSON.stringify(caller));
    assert.deepEqual([caller.value.userId, caller.value.groups], [said.email, ['engineers']]);
    assert.equal(server.app.rooms.pipeline.actAs(principal.value, 'boss@example.com').ok, false);
  });
});

describe('invitations', () => {
  const open = async (url: string) => identity.people.redeem(url.split('#')[1] ?? '');

  it('are a link that opens once and is shown once; a new one takes the place of the one before', async () => {
    const email = `guest-${count}@example.com`;
    const first = await server.ask('POST', '/v1/invitations', { body: { email, role: 'editor' } });
    assert.ok(first.body.url.startsWith(`${server.url}/oauth2/link#`));
    const second = await server.ask('POST', '/v1/invitations', { body: { email, role: 'member' } });
    assert.equal(await open(first.body.url), null);
    const { body } = await server.ask('GET', '/v1/invitations?limit=1000');
    const listed = body.items.filter((one: { email: string }) => one.email === email);
    assert.deepEqual(
      listed.map((one: object) => ({ ...one, url: 'none' })),
      [{ ...second.body, url: 'none' }],
    );
    assert.ok(!JSON.stringify(body).includes('#'));
    assert.equal((await open(second.body.url))?.role, 'member');
    assert.deepEqual(await status('DELETE', `/v1/invitations/${second.body.id}`, adminKey), [
      404,
      'resource.unknown',
    ]);
  });

  it('are taken back', async () => {
    const asked = { email: `gone-${count}@example.com`, role: 'editor' };
    const { body } = await server.ask('POST', '/v1/invitations', { body: asked });
    assert.deepEqual(await status('DELETE', `/v1/invitations/${body.id}`, adminKey), [204, null]);
    assert.equal(await open(body.url), null);
  });

  it('are refused for who signs in here already, or may do more: they would open somebody else', async () => {
    const [admin, owner] = [await newPerson('admin'), await newPerson('owner')];
    const said = saidBy({ email: `ada-${count}@example.com`, subject: `s-${count}` });
    const { person } = await signIn(identity, said);
    for (const [email, id] of [
      [owner.email, owner.id],
      [person.email, person.id],
    ]) {
      const asked = { email, role: 'admin' };
      const { status, body } = await server.ask('POST', '/v1/invitations', { key: admin.key, body: asked });
      assert.deepEqual([status, body.name, body.details], [409, 'resource.conflict', { person_id: id }]);
    }
    const { body } = await server.ask('GET', '/v1/invitations?limit=1000');
    assert.ok(!JSON.stringify(body.items).includes(owner.email));
  });
});

describe('organisations and projects', () => {
  it('are made, listed and renamed by owners; those of others do not exist', async () => {
    const asked = { name: 'Acme', owner_email: 'boss@acme.example' };
    const made = await server.ask('POST', '/v1/orgs', { body: asked });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { id, project, owner_url } = made.body;
    const link = await identity.people.redeem(owner_url.split('#')[1]);
    assert.deepEqual([link?.organizationId, link?.projectId, link?.role], [id, '', 'owner']);
    for (const [method, path, body] of [
      ['GET', `/v1/orgs/${id}/projects`, undefined],
      ['GET', `/v1/orgs/${id}/people`, undefined],
      ['PATCH', `/v1/orgs/${id}`, { name: 'Mine' }],
      ['PATCH', `/v1/orgs/default/projects/${project.id}`, { name: 'Mine' }],
      ['POST', `/v1/orgs/${id}/projects`, { name: 'Mine' }],
    ] as const) {
      assert.deepEqual(await status(method, path, adminKey, body), [404, 'resource.unknown'], path);
    }
    const second = await server.ask('POST', '/v1/orgs/default/projects', { body: { name: 'Second' } });
    assert.equal(second.status, 201);
    const renamed = await server.ask('PATCH', `/v1/orgs/default/projects/${second.body.id}`, {
      body: { name: 'Renamed' },
    });
    assert.equal(renamed.body.name, 'Renamed');
    const { body: orgs } = await server.ask('GET', '/v1/orgs');
    assert.deepEqual(
      orgs.items.map((one: { id: string }) => one.id),
      ['default'],
    );
    const renamedOrg = await server.ask('PATCH', '/v1/orgs/default', { body: { name: 'Company' } });
    assert.equal(renamedOrg.body.name, 'Company');
  });

  it('are not made by owners of another organisation than the first', async () => {
    const there = await identity.people.createOrganization('There');
    await identity.people.createProject(there.id, 'One');
    const said = { ...saidByLink('boss@there.example'), organizationId: there.id };
    const who = await signIn(identity, said);
    await identity.people.becomeFirstOwner(there.id, who.person.id);
    const key = `Bearer ${await tokenFor(identity, who, null, { issuer: server.url })}`;
    const body = { name: 'X', owner_email: 'x@example.com' };
    assert.deepEqual(await status('POST', '/v1/orgs', key, body), [403, 'identity.scope_missing']);
    assert.deepEqual(await status('GET', `/v1/orgs/${there.id}/projects`, key), [200, null]);
  });
});

describe('what changes', () => {
  it('is in the log book with what was before, and without links', async () => {
    const admin = await newPerson('admin');
    const person = await newPerson('member');
    await status('PUT', `/v1/people/${person.id}/role`, admin.key, { role: 'editor' });
    await status('POST', '/v1/invitations', admin.key, { email: `log-${count}@example.com`, role: 'member' });
    const { body } = await server.ask('GET', `/v1/audit_events?kind=admin&principal=${admin.id}`);
    // `body` is whatever the server says.
    const recordOf = (tool: string) => body.items.find((one: { tool: string }) => one.tool === tool);
    const role = recordOf('people.set_role');
    assert.deepEqual([role.changes.before.role, role.changes.after.role], ['member', 'editor']);
    assert.equal(role.project_id ?? 'default', 'default');
    const invited = JSON.stringify(recordOf('invitations.create'));
    assert.ok(invited.includes(`log-${count}@example.com`) && !invited.includes('#'));
  });
});
