import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { consentsIn, newSourceFromRequest } from '#domain';
import { type StandIn, startPlain } from '../../test/oauth-providers/index.ts';
import type { Target } from './authority.ts';
import {
  askedIn,
  attach,
  connect,
  consent,
  createWorld,
  person,
  type Replica,
  register,
  tokenIn,
  toolFor,
  userOfKey,
  type World,
} from './fixtures/world.ts';

describe('what a call carries of its user', () => {
  let world: World;
  let mail: StandIn;
  let credentials: Replica;
  let target: Target;
  const ada = userOfKey('ada');
  const bob = userOfKey('bob');

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());
  beforeEach(async () => {
    mail = await startPlain({ now: world.time.now });
    credentials = await world.replica();
    target = await register(credentials, mail, { id: 'mail' });
  });
  afterEach(async () => {
    await world.reset();
    await mail.close();
  });

  it('is nothing until the user consented, and then their token and what the provider says of them', async () => {
    const tool = toolFor('mail', ['read']);
    const { url, providerId, scopes } = askedIn(await attach(credentials, ada, tool));
    assert.deepEqual([providerId, scopes], ['mail', ['read']]);
    assert.ok((await consent(credentials, target, url, 'ann')).ok);
    const given = await attach(credentials, ada, tool);
    assert.deepEqual(mail.grantOf(tokenIn(given))?.user.login, 'ann');
    assert.equal(given.ok && given.value?.authorization?.userInfo.name, 'Ann');
    const { provider } = (given.ok && given.value?.authorization) || {};
    assert.deepEqual(provider, { id: 'mail', providerId: null, clientId: mail.clientId, scopes: ['read'] });
  });

  it('is never that of another user, of a person who consented to nothing, or of another project', async () => {
    await connect(credentials, target, { caller: ada, as: 'ann' });
    await connect(credentials, target, { caller: bob, as: 'ben' });
    const tool = toolFor('mail');
    assert.equal(mail.grantOf(tokenIn(await attach(credentials, ada, tool)))?.user.login, 'ann');
    assert.equal(mail.grantOf(tokenIn(await attach(credentials, bob, tool)))?.user.login, 'ben');
    askedIn(await attach(credentials, userOfKey('eve'), tool));
    askedIn(await attach(credentials, person('ada'), tool));
    const elsewhere = await attach(credentials, ada, { ...tool, projectId: 'other' });
    assert.equal(elsewhere.ok ? null : elsewhere.error.code, 'credentials.not_configured');
  });

  it('asks for more where a tool needs more, and loses nothing that was granted', async () => {
    await connect(credentials, target, { caller: ada, as: 'ann', tool: toolFor('mail', ['read']) });
    const sending = toolFor('mail', ['send']);
    const { url, scopes } = askedIn(await attach(credentials, ada, sending));
    assert.deepEqual(scopes, ['read', 'send']);
    assert.ok((await consent(credentials, target, url, 'ann')).ok);
    const tokens = [sending, toolFor('mail', ['read'])].map((tool) => attach(credentials, ada, tool));
    const [one, other] = (await Promise.all(tokens)).map(tokenIn);
    assert.equal(one, other);
    assert.equal((await credentials.connections.list('default', {})).length, 1);
  });

  it('says what the user did not allow, asks again for that, and keeps the rest', async () => {
    mail.withheld.add('send');
    const tool = toolFor('mail', ['read', 'send']);
    const { url } = askedIn(await attach(credentials, ada, tool));
    const consented = await consent(credentials, target, url, 'ann');
    assert.match(
      consented.ok ? '' : consented.error.words,
      /not everything was allowed that is needed: send/,
    );
    assert.notEqual(askedIn(await attach(credentials, ada, tool)).url, url);
    tokenIn(await attach(credentials, ada, toolFor('mail', ['read'])));
  });

  it('names every consent that is missing, where the tool and its server want different ones', async () => {
    const files = await startPlain({ now: world.time.now });
    try {
      await register(credentials, files, { id: 'files' });
      const mcp = { uri: 'http://127.0.0.1:9/mcp', timeout: 30, retry: 0, headers: {}, secrets: {} };
      const made = newSourceFromRequest({ id: 'worker', enabled: true, mcp }, { projectId: 'default' });
      const authProvider = { id: 'files', scopes: ['list'] };
      const dates = { createdAt: world.time.iso(), updatedAt: world.time.iso() };
      world.sources.set('worker', { ...made, ...dates, origin: 'api', authProvider });
      const refused = await attach(credentials, ada, toolFor('mail', ['read']));
      assert.ok(!refused.ok);
      assert.deepEqual(
        consentsIn(refused.error).map(({ providerId, scopes }) => [providerId, scopes]),
        [
          ['mail', ['read']],
          ['files', ['list']],
        ],
      );
      const at = { projectId: 'default', sourceId: 'worker' };
      const ofServer = await credentials.forSource(ada, at);
      assert.equal(askedIn(ofServer).providerId, 'files');
      await consent(credentials, { ...target, id: 'files' }, askedIn(ofServer).url, 'ann');
      assert.equal(files.grantOf(tokenIn(await credentials.forSource(ada, at)))?.user.login, 'ann');
    } finally {
      await files.close();
    }
  });

  it('is looked at without asking anybody', async () => {
    const tool = toolFor('mail');
    const peeked = await credentials.attach({ caller: ada, tool, gateway: null, given: [], peek: true });
    assert.deepEqual(peeked, { ok: true, value: null });
    assert.deepEqual(world.events, []);
  });

  it('is refused where no user is named, and where nobody set the provider up', async () => {
    const codes = [
      await attach(credentials, { ...ada, userId: null }, toolFor('mail')),
      await attach(credentials, ada, toolFor('nowhere')),
    ].map((given) => (given.ok ? null : given.error.code));
    assert.deepEqual(codes, ['credentials.not_configured', 'credentials.not_configured']);
  });

  it('is of the account that was chosen for the tool, else for the gateway, else of the default one', async () => {
    await connect(credentials, target, { caller: ada, as: 'ann' });
    const whom = { projectId: 'default', userId: 'ada', personId: null };
    for (const as of ['work', 'side']) {
      const url = await credentials.consents.connect(whom, { target, scopes: [], account: as });
      assert.ok(url.ok && (await consent(credentials, target, url.value, as)).ok);
    }
    const accounts = await credentials.connections.list('default', {});
    const idOf = (name: string) => accounts.find((one) => one.name === name)?.id ?? '';
    const named = Object.fromEntries(accounts.map(({ name, isDefault }) => [name, isDefault]));
    assert.deepEqual(named, { 'ann@example.com': false, work: false, side: true });
    await credentials.connections.change('default', idOf('ann@example.com'), { isDefault: true });
    await credentials.connections.change('default', idOf('work'), { gateways: ['office'] });
    await credentials.connections.change('default', idOf('side'), { tools: ['tool_2'] });
    const userOf = async (toolId: string, gateway: string | null) =>
      mail.grantOf(tokenIn(await attach(credentials, ada, toolFor('mail', [], toolId), gateway)))?.user.login;
    assert.deepEqual(
      [await userOf('tool_1', null), await userOf('tool_1', 'office'), await userOf('tool_2', 'office')],
      ['ann', 'work', 'side'],
    );
  });
});
