import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { saidByLink, signIn, tokenFor } from '../../../../test/access-token.ts';
import { createBrowser } from '../../../../test/browser.ts';
import { consentAt } from '../../../../test/oauth-providers/index.ts';
import { type MailWorld, readScope, sendScope, startMailWorld } from '../fixtures/mail-world.ts';
import type { Asked } from '../fixtures/rest-server.ts';

let world: MailWorld;
let key: string;
before(async () => {
  world = await startMailWorld();
  key = await world.server.newKey({ name: 'calls', scopes: ['read', 'call'] });
});
after(() => world?.close());

let users = 0;
const newUser = () => `user-${++users}@example.com`;
const ask = (method: string, path: string, as: string, body?: object): Promise<Asked> =>
  world.server.ask(method, path, { key: as, ...(body === undefined ? {} : { body }) });
const listed = async (as: string, query = ''): Promise<Asked['body'][]> =>
  (await ask('GET', `/v1/connections?limit=100${query}`, as)).body.items;

interface Ada {
  readonly bearer: string;
  readonly email: string;
  readonly cookie: string;
}

async function person(role: 'member' | 'admin' = 'member'): Promise<Ada> {
  const { identity } = world.server.app.rooms;
  const email = newUser();
  const who = await signIn(identity, saidByLink(email), role);
  const bearer = `Bearer ${await tokenFor(identity, who, null, { issuer: world.server.url })}`;
  return { bearer, email, cookie: who.cookie };
}

/** Connects an account of this user by the word of a key, and gives its id. */
async function connected(user_id: string, login: string, scopes = [readScope]): Promise<string> {
  const auth_requirement = { provider_id: 'google', oauth2: { scopes } };
  const before = new Set((await listed(key, `&user_id=${user_id}`)).map(({ id }) => id));
  const { body } = await ask('POST', '/v1/auth/authorize', key, { auth_requirement, user_id });
  await consentAt(body.url, { as: login, allow: true });
  const [made] = (await listed(key, `&user_id=${user_id}`)).filter(({ id }) => !before.has(id));
  return made?.id ?? assert.fail('nothing was connected');
}

/** What a person consents to themselves, signed in at the browser. */
async function connectedBy({ bearer, email, cookie }: Ada, login: string): Promise<string> {
  const before = new Set((await listed(bearer)).map(({ id }) => id));
  const auth_requirement = { provider_id: 'google', oauth2: { scopes: [readScope] } };
  const { body } = await ask('POST', '/v1/auth/authorize', bearer, { auth_requirement, user_id: email });
  const browser = createBrowser();
  browser.plant(world.server.url, `sallyport_sign_in=${cookie}; Path=/`);
  await consentAt(body.url, { as: login, allow: true, browser });
  const [made] = (await listed(bearer)).filter(({ id }) => !before.has(id));
  return made?.id ?? assert.fail('nothing was connected');
}

const whoami = async (user_id: string): Promise<string> =>
  (await ask('POST', '/v1/tools/execute', key, { tool_name: 'Mail.Whoami', user_id })).body.output?.value;

describe('connected accounts', () => {
  it('are shown with what they are for, without tokens', async () => {
    const user = newUser();
    const id = await connected(user, 'ann');
    const [own] = await listed(key, `&user_id=${user}`);
    const { created_at, updated_at, expires_at, last_used_at, user_info, name, ...rest } = own;
    assert.deepEqual(rest, {
      id,
      user_id: user,
      provider_id: 'google',
      provider_type: 'oauth2',
      provider_name: 'Accounts at google',
      status: 'active',
      is_default: true,
      gateways: [],
      tools: [],
      scopes: [readScope],
    });
    assert.equal(user_info.email, 'ann@example.com');
    assert.ok(name.length > 0);
    for (const time of [created_at, updated_at, expires_at]) assert.ok(Date.parse(time) > 0, time);
    const text = JSON.stringify(own);
    for (const token of world.google.given) assert.ok(!text.includes(token));
  });

  it('of others do not exist: not in the list, not to change, not to end', async () => {
    const [ada, bob] = [await person(), await person()];
    const own = await connectedBy(ada, 'ada');
    assert.deepEqual(await listed(bob.bearer), []);
    assert.deepEqual(
      (await listed(ada.bearer)).map(({ id }) => id),
      [own],
    );
    assert.equal((await ask('GET', `/v1/connections?user_id=${ada.email}`, bob.bearer)).status, 403);
    for (const [method, body] of [
      ['PATCH', { name: 'mine' }],
      ['DELETE', undefined],
    ] as const) {
      const theirs = await ask(method, `/v1/connections/${own}`, bob.bearer, body);
      const nowhere = await ask(method, '/v1/connections/con_nowhere', bob.bearer, body);
      assert.deepEqual([theirs.status, theirs.body.name], [404, 'resource.unknown']);
      assert.equal(theirs.body.message.replace(own, ''), nowhere.body.message.replace('con_nowhere', ''));
    }
    assert.equal(
      (await ask('PATCH', `/v1/connections/${own}`, ada.bearer, { name: 'Work' })).body.name,
      'Work',
    );
    assert.equal((await ask('DELETE', `/v1/connections/${own}`, ada.bearer)).status, 204);
    assert.deepEqual(await listed(ada.bearer), []);
  });

  it('are all seen by who may administer, by user and by provider', async () => {
    const user = newUser();
    const id = await connected(user, 'cleo');
    const admin = await person('admin');
    for (const as of [admin.bearer, await world.server.newKey({ name: 'a', scopes: ['admin'] })]) {
      const all = await listed(as);
      assert.ok(all.some((one) => one.id === id) && new Set(all.map(({ user_id }) => user_id)).size > 1);
      const ids = async (query: string) => (await listed(as, query)).map((one) => one.id);
      assert.deepEqual(await ids(`&user_id=${user}`), [id]);
      assert.deepEqual(await ids(`&user_id=${user}&provider_id=google`), [id]);
      assert.deepEqual(await ids(`&user_id=${user}&provider_id=github`), []);
    }
    assert.equal((await ask('DELETE', `/v1/connections/${id}`, admin.bearer)).status, 204);
  });

  it('are those of the user whom a key names that may call', async () => {
    const user = newUser();
    const id = await connected(user, 'dan');
    const nobody = await ask('GET', '/v1/connections', key);
    assert.deepEqual([nobody.status, nobody.body.name], [400, 'identity.user_missing']);
    const ofOthers = await world.server.newKey({ name: 'o', scopes: ['call'], users: ['other-*'] });
    assert.equal(
      (await ask('GET', `/v1/connections?user_id=${user}`, ofOthers)).body.name,
      'identity.user_refused',
    );
    assert.equal((await ask('DELETE', `/v1/connections/${id}`, ofOthers)).status, 404);
    const ofTools = await world.server.newKey({ name: 't', scopes: ['call'], tools: ['Mail.*'] });
    const refused = await ask('GET', `/v1/connections?user_id=${user}`, ofTools);
    assert.equal(refused.body.name, 'identity.scope_missing');
    assert.match(refused.body.message, /not restricted to tools/);
  });

  it('are chosen: by tool first, else the default one', async () => {
    const user = newUser();
    const first = await connected(user, 'eve');
    const second = await connected(user, 'eve-at-work', [sendScope]);
    const change = (id: string, body: object) => ask('PATCH', `/v1/connections/${id}`, key, body);
    await change(first, { is_default: true });
    assert.equal(await whoami(user), 'eve');
    const chosen = await change(second, { name: 'Work', tools: ['Mail.Whoami'], gateways: ['work'] });
    assert.deepEqual(
      [chosen.status, chosen.body.name, chosen.body.tools, chosen.body.gateways, chosen.body.is_default],
      [200, 'Work', ['Mail.Whoami'], ['work'], false],
    );
    assert.equal(await whoami(user), 'eve-at-work');
    const { body: again } = await change(second, { tools: chosen.body.tools });
    assert.deepEqual(again.tools, ['Mail.Whoami']);
    const { body } = await world.server.ask(
      'GET',
      '/v1/audit_events?kind=credential&tool=connections.update',
    );
    const { before, after } = body.items.find(
      ({ changes }: Asked['body']) => changes.before?.name !== 'Work' && changes.after?.name === 'Work',
    ).changes;
    assert.deepEqual([before.tools, after.tools], [[], ['Mail.Whoami']]);
    assert.equal('user_info' in after, false);
  });

  it('take only what makes sense', async () => {
    const id = await connected(newUser(), 'fay');
    for (const [body, field] of [
      [{ name: '' }, 'name'],
      [{ name: 'a\u0007' }, 'name'],
      [{ is_default: false }, 'is_default'],
      [{ gateways: ['Not A Slug'] }, 'gateways.0'],
      [{ tools: ['Mail.Free', 'Mail.Nope'] }, 'tools.1'],
      [{ scopes: ['all'] }, 'scopes'],
    ] as const) {
      const refused = await ask('PATCH', `/v1/connections/${id}`, key, body);
      assert.deepEqual([refused.status, refused.body.field], [400, field], JSON.stringify(refused.body));
    }
  });

  it('end here at once, and at the provider; the record says so', async () => {
    const user = newUser();
    const id = await connected(user, 'gil');
    assert.equal(await whoami(user), 'gil');
    assert.equal((await ask('DELETE', `/v1/connections/${id}`, key)).status, 204);
    const call = await ask('POST', '/v1/tools/execute', key, { tool_name: 'Mail.Whoami', user_id: user });
    assert.deepEqual([call.status, call.body.name], [403, 'credentials.consent_required']);
    assert.equal((await ask('DELETE', `/v1/connections/${id}`, key)).status, 404);
    const { body } = await world.server.ask(
      'GET',
      '/v1/audit_events?kind=credential&tool=connections.delete',
    );
    const [record] = body.items.filter(({ changes }: Asked['body']) => changes?.before?.id === id);
    assert.equal(record.changes.at_provider, 'revoked');
  });

  it('end here when the provider is out of order, too; then the record says that they may hold there', async () => {
    const user = newUser();
    const id = await connected(user, 'hal');
    world.google.outage = true;
    try {
      assert.equal((await ask('DELETE', `/v1/connections/${id}`, key)).status, 204);
    } finally {
      world.google.outage = false;
    }
    assert.deepEqual(await listed(key, `&user_id=${user}`), []);
    const { body } = await world.server.ask(
      'GET',
      '/v1/audit_events?kind=credential&tool=connections.delete',
    );
    assert.equal(body.items[0].changes.at_provider, 'failed');
  });
});
