import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { enterprise, type ScimServer, startScimServer } from './fixtures/scim-server.ts';

/** The requests that Okta sends, in its order and its words. */

let server: ScimServer;
before(async () => {
  server = await startScimServer();
});
after(() => server?.close());

const profile = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'test.user@okta.local',
  name: { givenName: 'Test', familyName: 'User' },
  emails: [{ primary: true, value: 'test.user@okta.local', type: 'work' }],
  displayName: 'Test User',
  locale: 'en-US',
  externalId: '00ujl29u0le5T6Aj10h7',
  groups: [],
  password: '1mz050nq',
  active: true,
};

describe('Okta and a user', () => {
  let id: string;

  it('looks around when provisioning is switched on', async () => {
    for (const path of ['/Users?startIndex=1&count=2', '/Groups?startIndex=1&count=100']) {
      const { status, body } = await server.ask('GET', path);
      assert.deepEqual([status, body.totalResults, body.Resources], [200, 0, []]);
    }
  });

  it('asks for the user, creates it, and its password stands nowhere', async () => {
    const asked = await server.find('Users', `userName eq "${profile.userName}"`, '&startIndex=1&count=100');
    assert.equal(asked.body.totalResults, 0);
    const { status, body } = await server.ask('POST', '/Users', profile);
    assert.equal(status, 201);
    id = body.id;
    assert.equal(body.password, undefined);
    assert.deepEqual(body.emails, profile.emails);
    const [row] = await server.app.rooms.db.query('select * from people where id = $1', [id]);
    assert.doesNotMatch(JSON.stringify(row), /1mz050nq/);
    assert.doesNotMatch(JSON.stringify(await server.lastRecord()), /1mz050nq/);
    assert.equal((await server.find('Users', 'password eq "1mz050nq"')).body.totalResults, 0);
  });

  it('says again who is there already', async () => {
    const { status, body } = await server.ask('POST', '/Users', {
      ...profile,
      userName: 'TEST.user@okta.local',
    });
    assert.equal(status, 409);
    assert.deepEqual(body, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '409',
      scimType: 'uniqueness',
      detail: 'userName: another user has this name',
    });
  });

  it('puts whole users: what is left out is gone', async () => {
    const { externalId: _gone, locale: _left, ...rest } = profile;
    const { status, body } = await server.ask('PUT', `/Users/${id}`, {
      ...rest,
      id,
      name: { givenName: 'Another', middleName: '', familyName: 'User' },
      displayName: 'Another User',
      [enterprise]: { department: 'Sales' },
      meta: { resourceType: 'User' },
    });
    assert.equal(status, 200);
    assert.equal(body.displayName, 'Another User');
    assert.deepEqual([body.locale, body.externalId], [undefined, undefined]);
    assert.equal(body[enterprise].department, 'Sales');
  });

  it('deactivates and activates by a value without a path', async () => {
    for (const active of [false, true]) {
      const { status, body } = await server.patch(`/Users/${id}`, [{ op: 'replace', value: { active } }]);
      assert.deepEqual([status, body.active], [200, active]);
    }
  });

  it('a put that does not say active leaves it as it was', async () => {
    await server.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }]);
    const { active: _unsaid, ...rest } = profile;
    assert.equal((await server.ask('PUT', `/Users/${id}`, rest)).body.active, false);
    assert.equal((await server.ask('PUT', `/Users/${id}`, profile)).body.active, true);
  });
});

describe('Okta and a group that is pushed', () => {
  let id: string;
  let people: { value: string; display: string }[];
  before(async () => {
    people = [];
    for (let count = 0; count < 3; count++) {
      const { id: value, userName } = await server.newUser();
      people.push({ value, display: userName });
    }
  });
  const members = async () => {
    const { body } = await server.ask('GET', `/Groups/${id}`);
    return body.members.map(({ value, display }: { value: string; display: string }) => ({ value, display }));
  };

  it('creates it with its members', async () => {
    const asked = await server.find('Groups', 'displayName eq "Test SCIMv2"');
    assert.equal(asked.body.totalResults, 0);
    const { status, body } = await server.ask('POST', '/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Test SCIMv2',
      members: people.slice(0, 1),
    });
    assert.equal(status, 201);
    id = body.id;
    assert.deepEqual(await members(), people.slice(0, 1));
    const { body: user } = await server.ask('GET', `/Users/${people[0]?.value}`);
    assert.equal(user.groups[0].display, 'Test SCIMv2');
  });

  it('renames it by a value that repeats the id', async () => {
    const { status } = await server.patch(`/Groups/${id}`, [
      { op: 'replace', value: { id, displayName: 'Test SCIMv2 renamed' } },
    ]);
    assert.equal(status, 204);
    assert.deepEqual(await members(), people.slice(0, 1));
  });

  it('adds and removes members in one request', async () => {
    await server.patch(`/Groups/${id}`, [
      { op: 'remove', path: `members[value eq "${people[0]?.value}"]` },
      { op: 'add', path: 'members', value: people.slice(1) },
    ]);
    assert.deepEqual(await members(), people.slice(1));
  });

  it('replaces all members, and empties it', async () => {
    await server.patch(`/Groups/${id}`, [{ op: 'replace', path: 'members', value: people.slice(0, 2) }]);
    assert.deepEqual(await members(), people.slice(0, 2));
    await server.patch(`/Groups/${id}`, [{ op: 'replace', path: 'members', value: [] }]);
    assert.deepEqual(await members(), []);
  });

  it('puts the whole group', async () => {
    const { status, body } = await server.ask('PUT', `/Groups/${id}`, {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      id,
      displayName: 'Put',
      members: people,
    });
    assert.deepEqual([status, body.displayName, body.members.length], [200, 'Put', 3]);
  });

  it('deletes it, and nobody is in it any more', async () => {
    assert.equal((await server.ask('DELETE', `/Groups/${id}`)).status, 204);
    assert.deepEqual((await server.ask('GET', `/Users/${people[0]?.value}`)).body.groups, []);
  });
});
