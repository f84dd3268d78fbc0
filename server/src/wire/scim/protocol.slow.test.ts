import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { enterprise, type ScimServer, startScimServer } from './fixtures/scim-server.ts';

let server: ScimServer;
before(async () => {
  server = await startScimServer();
});
after(() => server?.close());

describe('discovery', () => {
  it('says what is supported, and does not say more', async () => {
    const { body } = await server.ask('GET', '/ServiceProviderConfig');
    assert.deepEqual(
      [body.patch, body.bulk.supported, body.filter, body.sort, body.etag, body.changePassword],
      [
        { supported: true },
        false,
        { supported: true, maxResults: 200 },
        { supported: true },
        { supported: true },
        { supported: false },
      ],
    );
    assert.equal(body.authenticationSchemes[0].type, 'oauthbearertoken');
  });

  it('describes types and schemas, each also by its own address', async () => {
    for (const list of ['ResourceTypes', 'Schemas']) {
      const { body } = await server.ask('GET', `/${list}`);
      assert.equal(body.totalResults, body.Resources.length);
      for (const one of body.Resources) {
        assert.equal(one.meta.location, `${server.url}/scim/v2/${list}/${one.id}`);
        assert.deepEqual((await server.ask('GET', `/${list}/${one.id}`)).body, one);
      }
      assert.equal((await server.ask('GET', `/${list}/other`)).status, 404);
    }
  });

  it('what is left out has the answer of the RFC; what is not there, and what does not go, another', async () => {
    for (const [method, path, status] of [
      ['POST', '/Bulk', 501],
      ['GET', '/Me', 501],
      ['POST', '/.search', 501],
      ['GET', '/Other', 404],
      ['GET', '/', 404],
      ['GET', '/Users/a/b', 404],
      ['GET', '/Users/%E0%A4%A', 404],
      ['DELETE', '/Users', 405],
      ['POST', '/Groups/x', 405],
      ['GET', '/Users/.search', 405],
      ['PUT', '/Schemas', 405],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      const answer = await server.ask(method, path, body);
      assert.deepEqual([answer.status, answer.body.status], [status, String(status)], `${method} ${path}`);
      if (status === 405) assert.ok(answer.headers.get('allow'), path);
    }
  });
});

describe('versions', () => {
  it('change with every change, whoever makes it, and hold up who has not seen it', async () => {
    const user = await server.newUser();
    const path = `/Users/${user.id}`;
    const first = user.meta.version;
    const same = await server.ask('GET', path, undefined, { headers: { 'if-none-match': first } });
    assert.deepEqual([same.status, same.body], [304, null]);

    const { rooms } = server.app;
    await rooms.identity.people.setActive('default', user.id, false);
    const seen = await server.ask('GET', path);
    assert.equal(seen.body.active, false, 'an administrator did it');
    assert.notEqual(seen.headers.get('etag'), first);

    const put = (tag: string) =>
      server.ask('PUT', path, { userName: user.userName, title: tag }, { headers: { 'if-match': tag } });
    const late = await put(first);
    assert.deepEqual([late.status, late.body.status], [412, '412']);
    assert.equal((await put(seen.headers.get('etag') as string)).status, 200);
    assert.equal((await put('*')).status, 200);
    const gone = await server.ask('DELETE', path, undefined, { headers: { 'if-match': first } });
    assert.equal(gone.status, 412);
  });

  it('of a group change with its members, and not when nothing changed', async () => {
    const { id } = await server.newUser();
    const group = await server.newGroup('Versions');
    const add = () =>
      server.patch(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: [{ value: id }] }]);
    const added = await add();
    assert.notEqual(added.headers.get('etag'), group.meta.version);
    assert.equal((await add()).headers.get('etag'), added.headers.get('etag'));
    await server.ask('DELETE', `/Users/${id}`);
    const { body } = await server.ask('GET', `/Groups/${group.id}`);
    assert.notEqual(body.meta.version, added.headers.get('etag'));
    assert.deepEqual(body.members, []);
  });
});

describe('an answer', () => {
  it('has the attributes that are asked for, or all but some', async () => {
    const { id } = await server.newUser({
      name: { givenName: 'A', familyName: 'B' },
      emails: [{ value: 'shown@corp.example', type: 'work' }],
      [enterprise]: { department: 'R', division: 'D' },
    });
    const get = async (query: string) => {
      const { schemas: _schemas, ...body } = (await server.ask('GET', `/Users/${id}?${query}`)).body;
      return body;
    };
    assert.deepEqual(await get('attributes=userName,active'), await get('attributes=active,USERNAME,other'));
    assert.deepEqual(Object.keys(await get('attributes=active')).toSorted(), ['active', 'id']);
    assert.deepEqual(await get(`attributes=name.givenName,emails.value,emails.type,${enterprise}:division`), {
      id,
      name: { givenName: 'A' },
      emails: [{ value: 'shown@corp.example', type: 'work' }],
      [enterprise]: { division: 'D' },
    });
    const less = await get(
      `excludedAttributes=id,name.givenName,emails.type,groups,meta,${enterprise}:division`,
    );
    assert.deepEqual(
      [less.id, less.name, less.emails, 'groups' in less, 'meta' in less, less[enterprise]],
      [id, { familyName: 'B' }, [{ value: 'shown@corp.example' }], false, false, { department: 'R' }],
    );
    assert.equal(enterprise in (await get(`excludedAttributes=${enterprise}`)), false);
  });

  it('to a patch of a group is empty, unless attributes are asked for', async () => {
    const { id } = await server.newGroup('Patched');
    const patch = [{ op: 'replace', path: 'externalId', value: 'x' }];
    assert.equal((await server.patch(`/Groups/${id}`, patch)).status, 204);
    const { status, body } = await server.patch(`/Groups/${id}?excludedAttributes=members`, patch);
    assert.deepEqual([status, body.externalId, 'members' in body], [200, 'x', false]);
  });
});

describe('pages', () => {
  it('go through everything in an order that stays, and are capped', async () => {
    const made: string[] = [];
    for (const title of ['c', 'A', 'b']) made.push((await server.newUser({ title, userType: 'paged' })).id);
    const filter = encodeURIComponent('userType eq "paged"');
    const page = async (more: string) => {
      const { body } = await server.ask('GET', `/Users?filter=${filter}${more}`);
      return [body.totalResults, body.startIndex, body.Resources.map(({ id }: { id: string }) => id)];
    };
    const [c, a, b] = made;
    assert.deepEqual(await page(''), [3, 1, made]);
    assert.deepEqual(await page('&startIndex=2&count=1'), [3, 2, [a]]);
    assert.deepEqual(await page('&startIndex=3&count=5'), [3, 3, [b]]);
    assert.deepEqual(await page('&startIndex=9'), [3, 9, []]);
    assert.deepEqual(await page('&startIndex=-4&count=-4'), [3, 1, []]);
    assert.deepEqual(await page('&count=0'), [3, 1, []]);
    assert.deepEqual(await page('&sortBy=title'), [3, 1, [a, b, c]]);
    assert.deepEqual(await page('&sortBy=title&sortOrder=descending'), [3, 1, [c, b, a]]);
    assert.deepEqual(await page('&sortBy=meta.created'), [3, 1, made]);
    for (const wrong of ['count=many', 'startIndex=1.5', 'sortBy=emails', 'sortBy=nothing', 'sortOrder=up']) {
      const { status, body } = await server.ask('GET', `/Users?${wrong}`);
      assert.deepEqual([status, body.scimType], [400, 'invalidValue'], wrong);
    }
  });

  it('are searched by a body, too, so that no name stands in an address', async () => {
    const user = await server.newUser({ title: 'searched' });
    const { status, body } = await server.ask('POST', '/Users/.search', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      filter: 'title eq "searched"',
      attributes: ['userName'],
      startIndex: 1,
      count: 10,
    });
    assert.equal(status, 200);
    assert.deepEqual(
      body.Resources.map(({ id, userName }: { id: string; userName: string }) => [id, userName]),
      [[user.id, user.userName]],
    );
  });
});

describe('what is wrong', () => {
  it('is told with the field, in the form of the RFC', async () => {
    const { id } = await server.newUser();
    const group = await server.newGroup('Wrong');
    const operation = (op: unknown) => ({ Operations: [op] });
    for (const [method, path, body, scimType, detail] of [
      ['POST', '/Users', '{', 'invalidSyntax', /JSON/],
      ['POST', '/Users', [], 'invalidSyntax', /object/],
      ['POST', '/Users', `${'[1,'.repeat(90)}1${']'.repeat(90)}`, 'invalidSyntax', /nested/],
      ['POST', '/Users', {}, 'invalidValue', /^userName/],
      ['POST', '/Users', { userName: ' ' }, 'invalidValue', /^userName/],
      ['POST', '/Users', { userName: 'x'.repeat(257) }, 'invalidValue', /^userName.*256/],
      ['POST', '/Users', { userName: { a: 1 } }, 'invalidValue', /^userName: must be a text/],
      ['POST', '/Users', { userName: 'a\0' }, 'invalidValue', /^userName.*NUL/],
      ['POST', '/Users', { userName: 'a\ud800' }, 'invalidValue', /^userName.*surrogate/],
      ['POST', '/Users', { userName: 'w', active: 'maybe' }, 'invalidValue', /^active/],
      ['POST', '/Users', { userName: 'w', emails: [['x']] }, 'invalidValue', /^emails\[0\]/],
      ['POST', '/Users', { userName: 'w', addresses: 'x' }, 'invalidValue', /^addresses/],
      ['POST', '/Users', { userName: 'w', title: 'x'.repeat(70_000) }, 'invalidValue', /characters/],
      ['POST', '/Users', { userName: 'w', roles: Array(201).fill('x') }, 'invalidValue', /^roles.*200/],
      [
        'POST',
        '/Users',
        { userName: 'w', emails: [1, 2].map((value) => ({ value, primary: true })) },
        'invalidValue',
        /^emails.*primary/,
      ],
      ['PATCH', `/Users/${id}`, {}, 'invalidSyntax', /^Operations/],
      [
        'PATCH',
        `/Users/${id}`,
        operation({ op: 'move', path: 'title' }),
        'invalidSyntax',
        /^Operations.0.op/,
      ],
      ['PATCH', `/Users/${id}`, operation({ op: 'remove' }), 'noTarget', /^path/],
      ['PATCH', `/Users/${id}`, operation({ op: 'add', value: 'x' }), 'invalidValue', /^value/],
      ['PATCH', `/Users/${id}`, operation({ op: 'add', path: 'a b', value: 1 }), 'invalidPath', /^path/],
      [
        'PATCH',
        `/Users/${id}`,
        operation({ op: 'add', path: 'name[x pr]', value: 1 }),
        'invalidPath',
        /list/,
      ],
      ['PATCH', `/Users/${id}`, operation({ op: 'replace', path: 'id', value: 'x' }), 'mutability', /^id/],
      ['PATCH', `/Users/${id}`, operation({ op: 'add', path: 'groups', value: [] }), 'mutability', /^groups/],
      ['PATCH', `/Users/${id}`, operation({ op: 'remove', path: 'userName' }), 'invalidValue', /^userName/],
      ['PATCH', `/Users/${id}`, operation({ op: 'remove', path: 'active' }), 'invalidValue', /^active/],
      [
        'PATCH',
        `/Users/${id}`,
        operation({ op: 'replace', path: 'emails[value co "x"].type', value: 'work' }),
        'noTarget',
        /no value fits/,
      ],
      ['POST', '/Groups', {}, 'invalidValue', /^displayName/],
      ['POST', '/Groups', { displayName: 'wrong' }, 'uniqueness', /^displayName/],
      [
        'POST',
        '/Groups',
        { displayName: 'w', members: [{ value: 'usr_no' }] },
        'invalidValue',
        /^members.*usr_no/,
      ],
      ['POST', '/Groups', { displayName: 'w', members: [{ value: group.id }] }, 'invalidValue', /^members/],
      ['POST', '/Groups', { displayName: 'w', members: [{}] }, 'invalidValue', /^members/],
      [
        'PATCH',
        `/Groups/${group.id}`,
        operation({ op: 'remove', path: 'displayName' }),
        'invalidValue',
        /^display/,
      ],
      [
        'PATCH',
        `/Groups/${group.id}`,
        operation({ op: 'remove', path: 'members[display co "a"]' }),
        'invalidFilter',
        /value eq/,
      ],
    ] as const) {
      const answer = await server.ask(method, path, typeof body === 'object' ? JSON.stringify(body) : body);
      const what = `${method} ${path} ${JSON.stringify(body).slice(0, 100)}`;
      assert.equal(answer.body.scimType, scimType, `${what}: ${answer.body.detail}`);
      assert.equal(answer.status, scimType === 'uniqueness' ? 409 : 400, what);
      assert.match(answer.body.detail, detail, what);
      assert.doesNotMatch(answer.body.detail, /x{300}/, 'nothing long is said back');
    }
    assert.equal((await server.find('Users', 'userName eq "w"')).body.totalResults, 0);
    assert.equal((await server.find('Groups', 'displayName eq "w"')).body.totalResults, 0);
  });

  it('changes nothing: of several operations all are done, or none', async () => {
    const user = await server.newUser({ title: 'before' });
    const { status } = await server.patch(`/Users/${user.id}`, [
      { op: 'replace', path: 'title', value: 'after' },
      { op: 'replace', path: 'active', value: 'perhaps' },
    ]);
    assert.equal(status, 400);
    assert.equal((await server.ask('GET', `/Users/${user.id}`)).body.title, 'before');
    const group = await server.newGroup('All or none', [user.id]);
    const refused = await server.patch(`/Groups/${group.id}`, [
      { op: 'remove', path: 'members' },
      { op: 'add', path: 'members', value: [{ value: 'usr_no' }] },
    ]);
    assert.equal(refused.status, 400);
    assert.equal((await server.ask('GET', `/Groups/${group.id}`)).body.members.length, 1);
  });
});

describe('the log book', () => {
  it('has who changed which fields, refused or not, and no values', async () => {
    const user = await server.newUser({ title: 'Private words', password: 'hunter2-hunter2' });
    let record = await server.lastRecord();
    assert.deepEqual(
      [record.kind, record.tool, record.decision, record.project_id, record.changes],
      [
        'admin',
        'scim.users.create',
        'allowed',
        'default',
        { user: user.id, fields: ['userName', 'title', 'active'], active: true },
      ],
    );
    assert.match(record.principal, /^key_/);

    await server.patch(`/Users/${user.id}`, [
      { op: 'replace', value: { title: 'Other words', active: false } },
    ]);
    record = await server.lastRecord();
    assert.deepEqual(record.changes, { user: user.id, fields: ['title', 'active'], active: false });
    assert.doesNotMatch(JSON.stringify(record), /words|hunter2/);

    const group = await server.newGroup('Recorded', [user.id]);
    record = await server.lastRecord();
    assert.deepEqual(record.changes, {
      group: group.id,
      fields: ['displayName', 'members'],
      added: [user.id],
    });

    await server.ask('DELETE', '/Users/usr_no');
    record = await server.lastRecord();
    assert.deepEqual(
      [record.tool, record.decision, record.code, record.changes],
      ['scim.users.delete', 'refused', 'resource.unknown', { id: 'usr_no' }],
    );
    await server.ask('DELETE', `/Users/${user.id}`);
    assert.deepEqual((await server.lastRecord()).changes, { user: user.id });
  });

  it('has no more than a hundred names of a group that gets many members', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 120; count++) ids.push((await server.newUser()).id);
    await server.newGroup('Long', ids);
    const { changes } = await server.lastRecord();
    assert.deepEqual([changes.added.length, changes.added.at(-1)], [101, 'and 20 more']);
  });
});

it('a body that is longer than allowed is not read', async () => {
  const { status, body } = await server.ask('POST', '/Groups', { displayName: 'x'.repeat(17 * 1024 * 1024) });
  assert.deepEqual([status, body.status], [413, '413']);
});
