import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { enterprise, type ScimServer, startScimServer } from './fixtures/scim-server.ts';

/** The requests that Microsoft Entra ID sends, in its order and its words. */

let server: ScimServer;
before(async () => {
  server = await startScimServer();
});
after(() => server?.close());

const account = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', enterprise],
  externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
  userName: 'Test_User_ab6490ee@corp.example',
  active: true,
  displayName: 'lennay',
  emails: [{ primary: true, type: 'work', value: 'Test_User_fd0ea19b@corp.example' }],
  meta: { resourceType: 'User' },
  name: { formatted: 'Givenname Familyname', familyName: 'Familyname', givenName: 'Givenname' },
  roles: [],
  [enterprise]: { employeeNumber: '701984', department: 'bob', manager: '1' },
};

describe('Entra and a user', () => {
  let id: string;

  it('tries the connection with a user that nobody has', async () => {
    const { status, body } = await server.find('Users', 'userName eq "b7a8f2c0-not-there"');
    assert.equal(status, 200);
    assert.deepEqual(body, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    });
  });

  it('creates the user, and reads it back as it was given', async () => {
    const { status, body, headers } = await server.ask('POST', '/Users', account);
    assert.equal(status, 201);
    id = body.id;
    assert.equal(headers.get('location'), `${server.url}/scim/v2/Users/${id}`);
    const { roles: _empty, meta: _theirs, ...said } = account;
    const read = await server.ask('GET', `/Users/${id}`);
    const { id: readId, meta, groups, ...rest } = read.body;
    assert.deepEqual(rest, { ...said, [enterprise]: { ...account[enterprise], manager: { value: '1' } } });
    assert.deepEqual([readId, groups, meta.resourceType], [id, [], 'User']);
    assert.equal(meta.version, read.headers.get('etag'));
  });

  it('finds it by the attributes that it can be set to match', async () => {
    for (const filter of [
      'userName eq "test_user_AB6490ee@corp.example"',
      'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"',
      'emails[type eq "work"].value eq "Test_User_fd0ea19b@corp.example"',
      'emails[type eq "work"] and userName sw "Test_User"',
    ]) {
      const { body } = await server.find('Users', filter);
      assert.deepEqual(
        body.Resources?.map((user: { id: string }) => user.id),
        [id],
        filter,
      );
    }
  });

  it('changes many attributes by paths with filters, and makes what is not there', async () => {
    const { status, body } = await server.patch(`/Users/${id}`, [
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updatedEmail@corp.example' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
      { op: 'Add', path: 'addresses[type eq "work"].streetAddress', value: '1 Main Street' },
      { op: 'Add', path: 'addresses[type eq "work"].postalCode', value: '98052' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555 0100' },
      { op: 'Replace', path: `${enterprise}:department`, value: 'R&D' },
      { op: 'Add', path: `${enterprise}:manager`, value: 'usr_manager' },
      { op: 'Add', path: 'roles[primary eq "True"].value', value: 'Developer' },
    ]);
    assert.equal(status, 200);
    assert.deepEqual(body.emails, [{ primary: true, type: 'work', value: 'updatedEmail@corp.example' }]);
    assert.equal(body.name.familyName, 'updatedFamilyName');
    assert.equal(body.name.givenName, 'Givenname');
    assert.deepEqual(body.addresses, [{ type: 'work', streetAddress: '1 Main Street', postalCode: '98052' }]);
    assert.deepEqual(body.phoneNumbers, [{ type: 'mobile', value: '+1 555 0100' }]);
    assert.deepEqual(body.roles, [{ primary: true, value: 'Developer' }]);
    assert.deepEqual(body[enterprise], {
      employeeNumber: '701984',
      department: 'R&D',
      manager: { value: 'usr_manager' },
    });
  });

  it('changes several at once without a path, names of members being paths', async () => {
    const { status, body } = await server.patch(`/Users/${id}`, [
      {
        op: 'replace',
        value: {
          displayName: 'Lenny',
          'name.givenName': 'Len',
          'emails[type eq "work"].value': 'len@corp.example',
          [`${enterprise}:costCenter`]: '42',
          [enterprise]: { division: 'West' },
        },
      },
    ]);
    assert.equal(status, 200);
    assert.equal(body.displayName, 'Lenny');
    assert.equal(body.name.givenName, 'Len');
    assert.equal(body.emails[0].value, 'len@corp.example');
    assert.equal(body[enterprise].costCenter, '42');
    assert.equal(body[enterprise].division, 'West');
  });

  it('takes away what is empty now', async () => {
    const { status, body } = await server.patch(`/Users/${id}`, [
      { op: 'Remove', path: 'phoneNumbers[type eq "mobile"].value' },
      { op: 'Remove', path: `${enterprise}:manager` },
      { op: 'Remove', path: 'addresses[type eq "work"].postalCode' },
      { op: 'Remove', path: 'title' },
    ]);
    assert.equal(status, 200);
    assert.equal(body.phoneNumbers, undefined);
    assert.equal(body[enterprise].manager, undefined);
    assert.deepEqual(body.addresses, [{ type: 'work', streetAddress: '1 Main Street' }]);
  });

  it('is not held up by attributes that are unknown here', async () => {
    const { status, body } = await server.patch(`/Users/${id}`, [
      { op: 'Add', path: 'urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge', value: '7' },
      { op: 'Add', path: 'favouriteColour', value: 'blue' },
      { op: 'Replace', path: 'active', value: 'False' },
    ]);
    assert.equal(status, 200);
    assert.equal(body.active, false);
    assert.equal(body.favouriteColour, undefined);
  });

  it('finds the disabled user as it is, and enables it again', async () => {
    const found = await server.find('Users', 'userName eq "Test_User_ab6490ee@corp.example"');
    assert.equal(found.body.Resources[0].active, false);
    const { body } = await server.patch(`/Users/${id}`, [{ op: 'Add', path: 'active', value: 'True' }]);
    assert.equal(body.active, true);
  });

  it('deletes it for good; then there is none, and the name is free', async () => {
    assert.equal((await server.ask('DELETE', `/Users/${id}`)).status, 204);
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await server.ask(method, `/Users/${id}`);
      assert.deepEqual([status, body.status, body.schemas], [404, '404', [errorUrn]]);
    }
    assert.equal(
      (await server.patch(`/Users/${id}`, [{ op: 'Add', path: 'title', value: 'x' }])).status,
      404,
    );
    assert.equal((await server.ask('PUT', `/Users/${id}`, account)).status, 404);
    assert.equal((await server.ask('POST', '/Users', account)).status, 201);
  });
});

const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

describe('Entra and a group', () => {
  let id: string;
  let people: string[];
  before(async () => {
    people = [];
    for (let count = 0; count < 3; count++) people.push((await server.newUser()).id);
  });
  const membersOf = async () =>
    (await server.ask('GET', `/Groups/${id}`)).body.members.map(({ value }: { value: string }) => value);

  it('creates it without members, and asks for it without them', async () => {
    const created = await server.ask('POST', '/Groups', {
      schemas: [
        'urn:ietf:params:scim:schemas:core:2.0:Group',
        'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
      ],
      externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
      displayName: 'displayName',
      meta: { resourceType: 'Group' },
    });
    assert.equal(created.status, 201);
    id = created.body.id;
    assert.deepEqual(created.body.members, []);
    const read = await server.ask('GET', `/Groups/${id}?excludedAttributes=members`);
    assert.equal(read.status, 200);
    assert.equal('members' in read.body, false);
    assert.equal(read.body.externalId, '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159');
    const found = await server.find('Groups', 'displayName eq "displayName"', '&excludedAttributes=members');
    assert.equal(found.body.totalResults, 1);
    assert.equal('members' in found.body.Resources[0], false);
  });

  it('renames it', async () => {
    const { status, body } = await server.patch(`/Groups/${id}`, [
      { op: 'Replace', path: 'displayName', value: '1879db59-3bdf' },
    ]);
    assert.deepEqual([status, body], [204, null]);
    assert.equal((await server.ask('GET', `/Groups/${id}`)).body.displayName, '1879db59-3bdf');
  });

  it('adds members by lists of values, and adding them again changes nothing', async () => {
    for (let time = 0; time < 2; time++) {
      const { status } = await server.patch(`/Groups/${id}`, [
        { op: 'Add', path: 'members', value: [{ $ref: null, value: people[0] }, { value: people[1] }] },
        { op: 'Add', path: 'members', value: [{ value: people[2] }] },
      ]);
      assert.equal(status, 204);
      assert.deepEqual(await membersOf(), people);
    }
  });

  it('asks whether somebody is a member', async () => {
    for (const [member, total] of [
      [people[0], 1],
      ['usr_nobody', 0],
    ]) {
      const { body } = await server.find(
        'Groups',
        `id eq "${id}" and members eq "${member}"`,
        '&attributes=id',
      );
      assert.equal(body.totalResults, total);
    }
  });

  it('removes members, by a list of values and by a filter', async () => {
    await server.patch(`/Groups/${id}`, [
      { op: 'Remove', path: 'members', value: [{ $ref: null, value: people[0] }] },
    ]);
    assert.deepEqual(await membersOf(), people.slice(1));
    await server.patch(`/Groups/${id}`, [{ op: 'remove', path: `members[value eq "${people[1]}"]` }]);
    assert.deepEqual(await membersOf(), people.slice(2));
    await server.patch(`/Groups/${id}`, [{ op: 'remove', path: 'members' }]);
    assert.deepEqual(await membersOf(), []);
  });

  it('deletes it', async () => {
    assert.equal((await server.ask('DELETE', `/Groups/${id}`)).status, 204);
    assert.equal((await server.ask('GET', `/Groups/${id}`)).status, 404);
    assert.equal((await server.ask('DELETE', `/Groups/${id}`)).status, 404);
  });
});
