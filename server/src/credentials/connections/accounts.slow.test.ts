import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Db } from '#storage';
import { type StandIn, startPlain } from '../../../test/oauth-providers/index.ts';
import type { Target } from '../authority.ts';
import {
  answerTo,
  askedIn,
  attach,
  browser,
  connect,
  createWorld,
  person,
  type Replica,
  register,
  tokenIn,
  toolFor,
  userOfKey,
  type World,
} from '../fixtures/world.ts';

const tool = toolFor('mail');

describe('accounts of one user id', () => {
  let world: World;
  let mail: StandIn;
  let credentials: Replica;
  let target: Target;

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

  /** Somebody signed in connects an account at the page of connections. */
  async function connectAs(personId: string, as: string): Promise<void> {
    const whom = { projectId: 'default', userId: 'ada', personId };
    const url = await credentials.consents.connect(whom, { target, scopes: [], account: as });
    assert.ok(url.ok);
    const at = browser('cookie', { id: personId, isUser: () => true });
    const answer = await answerTo(credentials, url.value, { as, at });
    const finished = await credentials.consents.finish(target, answer.searchParams, at);
    assert.ok(finished.ok, JSON.stringify(finished));
    world.time.advance(1_000);
  }
  const actsAs = async (caller: ReturnType<typeof person>, gateway: string | null = null) =>
    mail.grantOf(tokenIn(await attach(credentials, caller, tool, gateway)))?.user.login;

  it('are of the person who consented: another one of that user id neither uses nor changes them', async () => {
    const [first, second] = [person('ada', 'usr_1'), person('ada', 'usr_2')];
    await connectAs('usr_1', 'work');
    await connectAs('usr_1', 'side');
    const all = await credentials.connections.list('default', { personId: 'usr_1' });
    const idOf = (name: string) => all.find((one) => one.name === name)?.id ?? '';
    const { connections } = credentials;
    const chosen = { isDefault: true, tools: [tool.id], gateways: ['office'] } as const;
    assert.ok((await connections.change('default', idOf('work'), { gateways: ['office'] })).ok);
    assert.ok((await connections.change('default', idOf('work'), { isDefault: true })).ok);
    askedIn(await attach(credentials, second, tool));
    await connectAs('usr_2', 'other');
    const [theirs] = await connections.list('default', { personId: 'usr_2' });
    assert.ok((await connections.change('default', theirs?.id ?? '', chosen)).ok);
    assert.deepEqual(
      [await actsAs(first), await actsAs(first, 'office'), await actsAs(second)],
      ['work', 'work', 'other'],
    );
  });

  it('that only a key vouches for take the place of none that a person consented to', async () => {
    await connectAs('usr_1', 'own');
    await connect(credentials, target, {
      caller: userOfKey('ada'),
      as: 'own',
      tool: toolFor('mail', ['send']),
    });
    const accounts = await credentials.connections.list('default', { userIds: ['ada'] });
    const whose = accounts.map(({ personId }) => personId).toSorted();
    assert.deepEqual(whose, ['usr_1', null].toSorted());
    assert.equal(await actsAs(person('ada', 'usr_1')), 'own');
  });

  it('are one where the provider says that it is the same: it is changed, and none is added', async () => {
    const ada = userOfKey('ada');
    await connect(credentials, target, { caller: ada, as: 'ann' });
    const [before] = await credentials.connections.list('default', {});
    await connect(credentials, target, { caller: ada, as: 'ann', tool: toolFor('mail', ['send']) });
    const [after, ...more] = await credentials.connections.list('default', {});
    assert.deepEqual([after?.id, after?.scopes, more], [before?.id, ['send'], []]);
  });

  it('are gone with their provider, and who is asked is told', async () => {
    await connect(credentials, target, { caller: userOfKey('ada'), as: 'ann' });
    const { id } = askedIn(await attach(credentials, userOfKey('bob'), tool));
    assert.ok((await credentials.providers.remove('default', 'mail')).ok);
    assert.deepEqual(await credentials.connections.list('default', {}), []);
    const status = await credentials.authorizations.status('default', id, 0, null);
    assert.equal(status?.failure?.code, 'target_gone');
  });

  it('are not left behind by a consent that ends just as its provider goes', async () => {
    const { url } = askedIn(await attach(credentials, userOfKey('ada'), tool));
    const answer = await answerTo(credentials, url, { as: 'ann' });
    const [asked, ending, finished] = [0, 1, 2].map(() => Promise.withResolvers<void>());
    mail.before = ({ place }) => {
      if (place !== 'token') return;
      asked?.resolve();
      return ending?.promise;
    };
    const isOfWaiting = (sql: string) => /target_id = \$3\s+and status in \('pending'/.test(sql);
    const db: Db = {
      ...world.db,
      async query(sql, params) {
        if (isOfWaiting(sql)) {
          ending?.resolve();
          await finished?.promise;
        }
        return world.db.query(sql, params);
      },
    };
    const other = await world.replica({ db });
    const finishing = credentials.consents.finish(target, answer.searchParams, browser('cookie'));
    await asked?.promise;
    const removing = other.providers.remove('default', 'mail');
    assert.ok((await finishing).ok, 'it ended before anybody was told that the provider goes');
    finished?.resolve();
    assert.ok((await removing).ok);
    assert.deepEqual(await credentials.connections.list('default', {}), []);
  });

  it('of another client of the provider are of no use', async () => {
    await connect(credentials, target, { caller: userOfKey('ada'), as: 'ann' });
    const updated = await credentials.providers.update('default', 'mail', {
      oauth2: { client_id: 'another-client' },
    });
    assert.ok(updated.ok, JSON.stringify(updated));
    askedIn(await attach(credentials, userOfKey('ada'), tool));
  });

  it('go to no other host than they were given for, whatever the provider says from now on', async () => {
    const elsewhere = await startPlain({ now: world.time.now });
    try {
      const ada = userOfKey('ada');
      const { clientSecret: client_secret, settings } = mail;
      const { refresh_request, revocation_request, user_info_request } = elsewhere.settings;
      for (const moved of [{ refresh_request }, { revocation_request }, { user_info_request }]) {
        await connect(credentials, target, { caller: ada, as: 'ann' });
        const oauth2 = { ...moved, client_secret };
        assert.ok((await credentials.providers.update('default', 'mail', { oauth2 })).ok);
        world.time.advance(3_600_000);
        askedIn(await attach(credentials, ada, tool));
        const [one] = await credentials.connections.list('default', {});
        assert.ok((await credentials.connections.revoke('default', one?.id ?? '')).ok);
        const back = { oauth2: { ...settings, client_secret } };
        assert.ok((await credentials.providers.update('default', 'mail', back)).ok);
      }
      assert.deepEqual(elsewhere.requests, []);
    } finally {
      await elsewhere.close();
    }
  });
});
