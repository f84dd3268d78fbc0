import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type RestServer, startRestServer } from '../fixtures/rest-server.ts';

let server: RestServer;
before(async () => {
  server = await startRestServer();
  for (const slug of ['eng', 'ops']) {
    const made = await server.ask('POST', '/v1/gateways', { body: { name: slug, slug } });
    assert.equal(made.status, 201);
  }
});
after(() => server?.close());

const grant = { subject: { user: 'alice' }, tools: ['Github.*'], effect: 'allow' };
const rule = {
  name: 'no SSN',
  direction: 'input',
  tools: ['*'],
  match: { detector: 'ssn' },
  action: 'block',
};
const limit = { name: 'calls', tools: ['*'], per: ['user'], rate: { limit: 10, per_seconds: 60 } };

const kinds = [
  { path: '/v1/grants', request: grant, other: { effect: 'deny' }, bad: { effect: 'maybe' } },
  { path: '/v1/rules', request: rule, other: { mode: 'log_only' }, bad: { action: 'shred' } },
  { path: '/v1/limits', request: limit, other: { concurrency: 2 }, bad: { per: ['moon'] } },
] as const;

async function make(path: string, body: object) {
  const made = await server.ask('POST', path, { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

for (const { path, request, other, bad } of kinds) {
  describe(`POST ${path}`, () => {
    it('answers with what was asked for; it is found, changed, replaced and deleted by its id', async () => {
      const made = await make(path, request);
      const { id, binding, created_at, updated_at, ...asked } = made;
      assert.deepEqual(asked, request);
      assert.deepEqual(binding, { type: 'project', id: 'default' });
      assert.ok(created_at && updated_at);
      assert.deepEqual((await server.ask('GET', `${path}/${id}`)).body, made);

      const described = { description: 'why', gateway: 'eng' };
      const changed = await server.ask('PATCH', `${path}/${id}`, { body: { ...other, ...described } });
      assert.equal(changed.status, 200, JSON.stringify(changed.body));
      assert.deepEqual(changed.body, {
        ...made,
        ...other,
        ...described,
        updated_at: changed.body.updated_at,
      });
      const cleared = await server.ask('PATCH', `${path}/${id}`, {
        body: { description: null, gateway: null },
      });
      assert.deepEqual(cleared.body, { ...made, ...other, updated_at: cleared.body.updated_at });

      const replaced = await server.ask('PUT', `${path}/${id}`, { body: request });
      assert.deepEqual(replaced.body, { ...made, updated_at: replaced.body.updated_at });
      const { body: page } = await server.ask('GET', `${path}?limit=1000`);
      assert.deepEqual(
        page.items.find((item: { id: string }) => item.id === id),
        replaced.body,
      );
      assert.equal((await server.ask('DELETE', `${path}/${id}`)).status, 204);
      for (const method of ['GET', 'DELETE']) {
        const { status, body } = await server.ask(method, `${path}/${id}`);
        assert.deepEqual({ status, name: body.name }, { status: 404, name: 'resource.unknown' });
      }
    });

    it('a mistake names its field and changes nothing', async () => {
      const { id } = await make(path, request);
      const before = (await server.ask('GET', `${path}?limit=1000`)).body;
      const [field = ''] = Object.keys(bad);
      for (const [method, address, body, at] of [
        ['POST', path, { ...request, ...bad }, field],
        ['PUT', `${path}/${id}`, { ...request, ...bad }, field],
        ['PATCH', `${path}/${id}`, bad, field],
        ['PATCH', `${path}/${id}`, { tools: null }, 'tools'],
        ['PATCH', `${path}/${id}`, { tols: ['*'] }, 'tols'],
        ['POST', path, { ...request, gateway: 'engg' }, 'gateway'],
        ['PUT', `${path}/${id}`, { ...request, gateway: 'engg' }, 'gateway'],
        ['PATCH', `${path}/${id}`, { gateway: 'engg' }, 'gateway'],
      ] as const) {
        const refused = await server.ask(method, address, { body });
        assert.equal(refused.body?.name, 'request.params_invalid', `${method} ${JSON.stringify(body)}`);
        assert.match(refused.body.field, new RegExp(`^${at}`));
      }
      assert.deepEqual((await server.ask('GET', `${path}?limit=1000`)).body, before);
    });

    it('what names a gateway holds its slug: it keeps it for as long', async () => {
      const gateway = await make('/v1/gateways', { name: 'Named', slug: 'named' });
      const { id } = await make(path, { ...request, gateway: 'named' });
      const rename = () =>
        server.ask('PATCH', `/v1/gateways/${gateway.id}`, { body: { slug: 'named-anew' } });
      const refused = await rename();
      assert.deepEqual(
        { name: refused.body.name, field: refused.body.field },
        {
          name: 'resource.conflict',
          field: 'slug',
        },
      );
      assert.equal((await server.ask('DELETE', `${path}/${id}`)).status, 204);
      assert.equal((await rename()).status, 200);
      assert.equal((await server.ask('DELETE', `/v1/gateways/${gateway.id}`)).status, 204);
    });

    it('what names a gateway that has gone can still be changed', async () => {
      const gateway = await make('/v1/gateways', { name: 'Gone', slug: 'gone' });
      const { id } = await make(path, { ...request, gateway: 'gone' });
      assert.equal((await server.ask('DELETE', `/v1/gateways/${gateway.id}`)).status, 204);
      const changed = await server.ask('PATCH', `${path}/${id}`, { body: { description: 'still there' } });
      assert.deepEqual(
        { status: changed.status, gateway: changed.body.gateway },
        { status: 200, gateway: 'gone' },
      );
    });

    it('every change has its record', async () => {
      const { id } = await make(path, request);
      await server.ask('PATCH', `${path}/${id}`, { body: other });
      await server.ask('DELETE', `${path}/${id}`);
      const { body } = await server.ask('GET', '/v1/audit_events?kind=admin&limit=3');
      const name = path.slice('/v1/'.length);
      assert.deepEqual(
        body.items.map(({ tool }: { tool: string }) => tool),
        [`${name}.delete`, `${name}.update`, `${name}.create`],
      );
      const [deleted, updated, created] = body.items.map(({ changes }: { changes: object }) => changes);
      assert.deepEqual([created.before, created.after.id, deleted.after], [null, id, null]);
      const [field = ''] = Object.keys(other);
      assert.deepEqual(
        [updated.before[field], updated.after[field]],
        [(request as Record<string, unknown>)[field], Object.values(other)[0]],
      );
    });
  });
}

describe('GET of lists', () => {
  it('are pages, of one gateway, user or group where that is asked for', async () => {
    for (const { items } of [(await server.ask('GET', '/v1/grants?limit=1000')).body])
      for (const { id } of items) await server.ask('DELETE', `/v1/grants/${id}`);
    await make('/v1/grants', { ...grant, gateway: 'eng' });
    await make('/v1/grants', { ...grant, gateway: 'ops' });
    await make('/v1/grants', { ...grant, subject: { group: 'sre' }, gateway: 'ops' });
    await make('/v1/grants', { ...grant, subject: { everyone: true } });
    const count = async (query: string) => (await server.ask('GET', `/v1/grants?${query}`)).body.total_count;
    assert.equal(await count(''), 4);
    assert.equal(await count('gateway=ops'), 2);
    assert.equal(await count('user_id=alice'), 2);
    assert.equal(await count('user_id=alice&gateway=ops'), 1);
    assert.equal(await count('group=sre'), 1);
    const { body } = await server.ask('GET', '/v1/grants?limit=2&offset=3');
    assert.deepEqual([body.page_count, body.total_count, body.items[0].subject], [1, 4, { everyone: true }]);
  });
});

describe('a grant that would never act', () => {
  it('is refused, and one whose time is over may still be described', async () => {
    const past = '2020-01-01T00:00:00Z';
    const refused = await server.ask('POST', '/v1/grants', { body: { ...grant, expires_at: past } });
    assert.deepEqual([refused.status, refused.body.field], [400, 'expires_at']);
    const made = await server.app.rooms.policy.grants.create('default', {
      subject: { user: 'alice' },
      tools: ['*'],
      effect: 'allow',
      expires_at: past,
    });
    const described = await server.ask('PATCH', `/v1/grants/${made.id}`, { body: { description: 'over' } });
    assert.deepEqual([described.status, described.body.expires_at], [200, past]);
  });
});

describe('a glob that matches nothing', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['Github.[ab]', /character 8: \[ is not known in globs/],
    ['{Github,Jira}.*', /character 1: \{ is not known/],
    ['!Github.*', /character 1: ! is not known/],
    ['Github.* ', /must not begin or end with a space/],
    ['Github.CreateIssue@1.0.0', /must not name a version/],
    ['Github_CreateIssue', /would match nothing: a tool is named Toolkit\.Tool/],
    ['', /at least 1/],
  ];
  const bodies = { grants: grant, rules: rule, limits: limit, api_keys: { name: 'k' } };
  for (const [kind, body] of Object.entries(bodies))
    it(`is refused with what is wrong and where in ${kind}`, async () => {
      for (const [glob, problem] of wrong) {
        const refused = await server.ask('POST', `/v1/${kind}`, { body: { ...body, tools: ['*', glob] } });
        assert.deepEqual([refused.status, refused.body.field], [400, 'tools.1'], glob);
        assert.match(refused.body.message, problem);
      }
    });

  it('is refused among the users of a key, whose ids need no dot', async () => {
    const ask = (users: string[]) => server.ask('POST', '/v1/api_keys', { body: { name: 'k', users } });
    const refused = await ask(['alice', 'team[1-9]']);
    assert.deepEqual([refused.status, refused.body.field], [400, 'users.1']);
    assert.match(refused.body.message, /character 5: \[ is not known in globs/);
    assert.equal((await ask(['alice', 'team?'])).status, 201);
  });
});
