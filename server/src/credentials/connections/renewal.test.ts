import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Db } from '#storage';
import {
  type SlowStandIn,
  type StandIn,
  startMicrosoft,
  startPlain,
  startSlow,
} from '../../../test/oauth-providers/index.ts';
import type { Target } from '../authority.ts';
import {
  askedIn,
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
} from '../fixtures/world.ts';

const ada = userOfKey('ada');
const tool = toolFor('mail');
const lifeMs = 3_600_000;

describe('a token that runs out', () => {
  let world: World;
  let mail: StandIn;
  let credentials: Replica;
  let target: Target;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());
  afterEach(async () => {
    await world.reset();
    await mail.close();
  });

  async function begin(started: StandIn): Promise<void> {
    mail = started;
    credentials = await world.replica();
    target = await register(credentials, mail, { id: 'mail' });
    await connect(credentials, target, { caller: ada, as: 'ann' });
    mail.asked.token = 0;
  }
  const call = (on: Replica = credentials) => attach(on, ada, tool);
  const statuses = async () =>
    (await credentials.connections.list('default', {})).map(({ status }) => status);

  describe('at a provider by the book', () => {
    beforeEach(async () => begin(await startPlain({ now: world.time.now })));

    it('is renewed once for a thousand calls at once, on all replicas', async () => {
      const replicas = [credentials, await world.replica(), await world.replica()];
      world.time.advance(lifeMs);
      const calls = Array.from({ length: 1000 }, (_, n) => call(replicas[n % 3]));
      const tokens = new Set((await Promise.all(calls)).map(tokenIn));
      assert.deepEqual([tokens.size, mail.asked.token], [1, 1]);
      assert.ok(mail.grantOf([...tokens][0] ?? '') !== null);
    });

    it('still serves while it is renewed ahead of its end, and nobody waits', async () => {
      const before = tokenIn(await call());
      world.time.advance(lifeMs - 5 * 60_000 - 1);
      assert.equal(tokenIn(await call()), before);
      assert.equal(mail.asked.token, 0);
      world.time.advance(1);
      assert.equal(tokenIn(await call()), before);
      while (tokenIn(await call()) === before) await world.db.query('select 1');
      assert.equal(mail.asked.token, 1);
    });

    it('is not renewed while its provider is away: one that lasts serves, one that is over is told, and none is lost', async () => {
      const before = tokenIn(await call());
      mail.outage = true;
      world.time.advance(lifeMs - 10_000);
      assert.equal(tokenIn(await call()), before);
      world.time.advance(10_000);
      const refused = await call();
      assert.equal(refused.ok ? null : refused.error.code, 'credentials.provider_unavailable');
      assert.deepEqual(await statuses(), ['active']);
      mail.outage = false;
      world.time.advance(2_000);
      assert.notEqual(tokenIn(await call()), before);
    });

    it('is not asked for by every call while its provider is away', async () => {
      mail.outage = true;
      world.time.advance(lifeMs);
      for (let n = 0; n < 20; n++) assert.ok(!(await call()).ok);
      assert.equal(mail.asked.token, 1);
    });

    it('is kept where our own client is not taken any more, which is ours to mend', async () => {
      mail.refuseClient = true;
      world.time.advance(lifeMs);
      const refused = await call();
      assert.equal(refused.ok ? null : refused.error.code, 'credentials.not_configured');
      assert.deepEqual(await statuses(), ['active']);
      mail.refuseClient = false;
      world.time.advance(2_000);
      tokenIn(await call());
    });

    it('leads to one consent where it was taken back over there, and is not tried again', async () => {
      mail.revokeAll();
      world.time.advance(lifeMs);
      const { url } = askedIn(await call());
      assert.deepEqual(await statuses(), ['revoked']);
      for (let n = 0; n < 5; n++) assert.equal(askedIn(await call()).url, url);
      assert.equal(mail.asked.token, 1);
      const refused = world.events.filter(({ kind }) => kind === 'renewal_refused');
      assert.equal(refused.length, 1);
      await connect(credentials, target, { caller: ada, as: 'ann' });
      tokenIn(await call());
      assert.deepEqual(await statuses(), ['active'], 'the same account again');
    });

    it('is counted by what came of its renewal, at its provider and under no other name', async () => {
      const counted = async () => {
        const read = await credentials.metrics.read();
        return read.find(({ name }) => name === 'sallyport_token_refreshes_total')?.series;
      };
      assert.deepEqual(await counted(), []);
      mail.outage = true;
      world.time.advance(lifeMs);
      await call();
      mail.outage = false;
      world.time.advance(2_000);
      await call();
      mail.revokeAll();
      world.time.advance(lifeMs);
      await call();
      assert.deepEqual(await counted(), [
        { values: ['default', 'mail', 'passing'], value: 1 },
        { values: ['default', 'mail', 'renewed'], value: 1 },
        { values: ['default', 'mail', 'consent'], value: 1 },
      ]);
    });

    it('notes when it was used, at most once a minute', async () => {
      const noted: unknown[] = [];
      const db: Db = {
        ...world.db,
        query(sql, params) {
          if (sql.includes('set last_used_at')) noted.push(params?.[1]);
          return world.db.query(sql, params);
        },
      };
      const replica = await world.replica({ db });
      const usedIn = async () => (await credentials.connections.list('default', {}))[0]?.lastUsedAt;
      const firstMs = world.time.now();
      for (const passMs of [0, 59_999, 1]) {
        world.time.advance(passMs);
        await call(replica);
      }
      const last = new Date(firstMs + 60_000).toISOString();
      assert.deepEqual(noted, [new Date(firstMs).toISOString(), last]);
      while ((await usedIn()) !== last) await world.db.query('select 1');
    });
  });

  describe('at a provider that takes a refresh token once', () => {
    beforeEach(async () => begin(await startMicrosoft({ now: world.time.now })));

    /** A database on which nothing is renewed while `isBroken`. */
    function breakable(db: Db): Db & { isBroken: boolean } {
      const broken = {
        ...db,
        isBroken: false,
        tx: <T>(work: Parameters<typeof db.tx<T>>[0]) =>
          db.tx<T>((queries) =>
            work({
              query(sql, params) {
                if (broken.isBroken && /^update connections set sealed/.test(sql)) throw new Error('full');
                return queries.query(sql, params);
              },
            }),
          ),
      };
      return broken;
    }

    it('serves from memory while it cannot be kept, and is kept once it can', async () => {
      const db = breakable(world.db);
      const replica = await world.replica({ db, clock: world.time });
      world.time.advance(lifeMs);
      db.isBroken = true;
      const token = tokenIn(await call(replica));
      assert.equal(tokenIn(await call(replica)), token);
      world.time.advance(1_000);
      await world.db.query('select 1');
      assert.equal(tokenIn(await call(replica)), token);
      db.isBroken = false;
      const versions = async () => (await world.db.query('select version from connections'))[0]?.version;
      while ((await versions()) === 1) {
        world.time.advance(1_000);
        await world.db.query('select 1');
      }
      assert.equal(tokenIn(await call(await world.replica())), token);
      assert.equal(mail.asked.token, 1);
    });

    it('is not lost by an end between the renewal and what is kept of it, where the provider lets us try again', async () => {
      mail.graceMs = 60_000;
      const db = breakable(world.db);
      const dying = await world.replica({ db });
      world.time.advance(lifeMs);
      db.isBroken = true;
      const lost = tokenIn(await call(dying));
      dying.close();
      // By then no other replica waits for it any more.
      world.time.advance(45_000);
      const again = tokenIn(await call(await world.replica()));
      assert.notEqual(again, lost);
      assert.ok(mail.grantOf(again) !== null);
      assert.deepEqual([mail.asked.token, await statuses()], [2, ['active']]);
    });

    it('is changed in nothing by a new name that is given meanwhile', async () => {
      world.time.advance(lifeMs);
      const [one] = await credentials.connections.list('default', {});
      mail.before = async () => {
        mail.before = null;
        await credentials.connections.change('default', one?.id ?? '', { name: 'renamed' });
      };
      const token = tokenIn(await call());
      assert.equal(tokenIn(await call(await world.replica())), token);
      assert.deepEqual((await credentials.connections.list('default', {}))[0]?.name, 'renamed');
    });
  });

  describe('at a provider that is slow', () => {
    let slow: SlowStandIn;
    beforeEach(async () => {
      slow = await startSlow({ now: world.time.now });
      slow.holds.clear();
      await begin(slow);
    });

    it('gives way to what the user consented to meanwhile', async () => {
      const other = await world.replica();
      world.time.advance(lifeMs);
      slow.holds.add('token');
      const waiting = call();
      await slow.arrived(1);
      slow.holds.clear();
      const whom = { projectId: 'default', userId: 'ada', personId: null };
      const url = await other.consents.connect(whom, { target, scopes: ['more'], account: null });
      assert.ok(url.ok);
      assert.ok((await consent(other, target, url.value, 'ann')).ok);
      slow.release();
      const token = tokenIn(await waiting);
      assert.deepEqual(mail.grantOf(token)?.scopes, ['more']);
      assert.equal(tokenIn(await call(other)), token);
    });

    it('is revoked while it is renewed: nothing of it comes back', async () => {
      world.time.advance(lifeMs);
      slow.holds.add('token');
      const waiting = call();
      await slow.arrived(1);
      slow.holds.clear();
      const [one] = await credentials.connections.list('default', {});
      assert.ok((await credentials.connections.revoke('default', one?.id ?? '')).ok);
      slow.release();
      askedIn(await waiting);
      assert.deepEqual(await credentials.connections.list('default', {}), []);
    });
  });
});
