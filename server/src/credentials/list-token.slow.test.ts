import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { newSourceFromRequest, type Source } from '#domain';
import { type StandIn, startPlain } from '../../test/oauth-providers/index.ts';
import type { Target } from './authority.ts';
import {
  attach,
  connect,
  consent,
  createWorld,
  type Replica,
  register,
  tokenIn,
  toolFor,
  userOfKey,
  type World,
} from './fixtures/world.ts';

describe('the token with which the lists of a source are asked for', () => {
  let world: World;
  let mail: StandIn;
  let credentials: Replica;
  let target: Target;
  const ada = userOfKey('ada');

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

  function sourceOf(id: string, { port = 9, provider = 'mail' } = {}): Source {
    const mcp = { uri: `http://127.0.0.1:${port}/mcp`, timeout: 30, retry: 0, headers: {}, secrets: {} };
    const made = newSourceFromRequest({ id, enabled: true, mcp }, { projectId: 'default' });
    const dates = { createdAt: world.time.iso(), updatedAt: world.time.iso() };
    const source: Source = { ...made, ...dates, origin: 'api', authProvider: { id: provider, scopes: [] } };
    world.sources.set(id, source);
    return source;
  }
  async function ask(source: Source): Promise<string> {
    const asked = await credentials.connectList({ source, userId: 'ada', personId: null, challenge: null });
    assert.ok(asked.ok, JSON.stringify(asked));
    return asked.value.url;
  }
  async function connectList(source: Source, as = 'ann'): Promise<void> {
    assert.ok((await consent(credentials, target, await ask(source), as)).ok);
  }
  const whoLists = async (source: Source) =>
    mail.grantOf((await credentials.listToken(source, null))?.token ?? '')?.user.login ?? null;

  it('is that of who consented for this very source, and of no other of the same provider', async () => {
    const [tickets, stranger] = [sourceOf('tickets'), sourceOf('stranger', { port: 10 })];
    await connect(credentials, target, { caller: ada, as: 'ann' });
    assert.deepEqual([await whoLists(tickets), await whoLists(stranger)], [null, null]);
    await connectList(tickets);
    assert.deepEqual([await whoLists(tickets), await whoLists(stranger)], ['ann', null]);
    const url = await ask(tickets);
    assert.notEqual(await ask(stranger), url, 'a consent for one is none for the other');
    await connectList(stranger, 'sid');
    assert.deepEqual([await whoLists(tickets), await whoLists(stranger)], ['ann', 'sid']);
  });

  it('goes to no other address than the source had at the consent, and is of its provider', async () => {
    await connectList(sourceOf('tickets'));
    const files = await startPlain({ now: world.time.now });
    try {
      await register(credentials, files, { id: 'files' });
      assert.equal(await whoLists(sourceOf('tickets', { port: 10 })), null);
      assert.equal(await whoLists(sourceOf('tickets', { provider: 'files' })), null);
      assert.equal(await whoLists(sourceOf('tickets')), 'ann');
    } finally {
      await files.close();
    }
  });

  it('is that of who consented last, and of nobody once they disconnect or the source is gone', async () => {
    const tickets = sourceOf('tickets');
    await connectList(tickets);
    await connectList(tickets, 'sid');
    assert.equal(await whoLists(tickets), 'sid');
    const accounts = await credentials.connections.list('default', {});
    const used = accounts.find(({ name }) => /sid/.test(name))?.id ?? '';
    assert.ok((await credentials.connections.revoke('default', used)).ok);
    assert.equal(await whoLists(tickets), null);
    await connectList(tickets);
    await credentials.forgetSource('default', 'tickets');
    assert.equal(await whoLists(tickets), null);
    tokenIn(await attach(credentials, ada, toolFor('mail')));
  });
});
