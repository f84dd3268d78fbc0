import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { openTestDatabase } from '../../../test/database.ts';
import { createConsents } from './consents.ts';
import { createSigningKeys } from './signing-keys.ts';
import { tidyUp } from './tidy-up.ts';

const dayMs = 24 * 3_600_000;
let db: Db;
let clock: ReturnType<typeof manualClock>;
let changes: Changes;

before(async () => {
  db = await openTestDatabase();
  await db.query(
    `insert into people (id, organization_id, email, name, active, created_at, updated_at)
     values ('usr_ada', 'default', '', '', true, now(), now())`,
  );
  await db.query(
    `insert into sign_ins (id, person_id, project_id, source_id, issuer, subject, user_id, groups, claims, user_agent, created_at,
       browser_until, expires_at)
     values ('sgn_1', 'usr_ada', '', '', '', '', '', '[]', '{}', '', now(), now(), now())`,
  );
});
after(() => db.close());
beforeEach(async () => {
  await db.query('delete from signing_keys');
  await db.query('delete from consents');
  clock = manualClock();
  changes = await openChanges(db, { clock, log: silentLog }, true);
});

const open = async () =>
  createSigningKeys({ db, changes, vault: await openVault({ db, clock }), clock, log: silentLog });

describe('signing keys', () => {
  it('are made when the first is asked for, and are the same after a restart', async () => {
    const keys = await open();
    assert.deepEqual(keys.current(), []);
    const made = await keys.ready();
    assert.equal(made.length, 1);
    assert.equal(made[0]?.jwk.alg, 'RS256');
    assert.equal(made[0]?.jwk.kid, made[0]?.kid);
    const again = await open();
    assert.deepEqual(JSON.stringify(again.current()), JSON.stringify(made));
  });

  it('of replicas that need one at the same time are one and the same', async () => {
    const one = await open();
    const other = await open();
    const [first, second] = await Promise.all([one.ready(), other.ready(), one.ready()]);
    assert.deepEqual(
      first.map(({ kid }) => kid),
      second.map(({ kid }) => kid),
    );
    assert.equal((await db.query('select 1 from signing_keys')).length, 1);
  });

  it('are published a day before they sign, and until nothing that they signed holds any more', async () => {
    const keys = await open();
    const [first] = await keys.ready();
    let told = 0;
    keys.onChange(() => told++);
    clock.advance(28 * dayMs);
    assert.deepEqual(keys.current(), [first]);
    clock.advance(dayMs + 3_600_000);
    await until(() => keys.current().length === 2);
    assert.equal(keys.current()[0]?.kid, first?.kid, 'the first goes on signing');
    clock.advance(dayMs);
    assert.notEqual(keys.current()[0]?.kid, first?.kid);
    assert.equal(keys.current().length, 2, 'the first is still published');
    clock.advance(dayMs);
    assert.equal(keys.current().length, 1);
    assert.ok(told > 0);
  });

  it('that another replica made are heard of', async () => {
    const here = await open();
    const elsewhere = await openChanges(db, { clock, log: silentLog }, true);
    const there = await createSigningKeys({
      db,
      changes: elsewhere,
      vault: await openVault({ db, clock }),
      clock,
      log: silentLog,
    });
    let told = 0;
    there.onChange(() => told++);
    await here.ready();
    await elsewhere.look();
    assert.equal(there.current().length, 1);
    assert.equal(told, 1);
  });
});

/** Looks until the database has answered what was asked of it in the background. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await db.query('select 1');
}

describe('consents', () => {
  it('are of one person, client and gateway, and add up', async () => {
    const consents = createConsents({ db, changes, clock });
    assert.deepEqual(await consents.of('usr_ada', 'client', 'gw_1'), []);
    await consents.give('usr_ada', 'client', 'gw_1', ['openid', 'mcp']);
    await consents.give('usr_ada', 'client', 'gw_1', ['mcp', 'admin']);
    assert.deepEqual(await consents.of('usr_ada', 'client', 'gw_1'), ['openid', 'mcp', 'admin']);
    for (const [person, client, gateway] of [
      ['usr_bob', 'client', 'gw_1'],
      ['usr_ada', 'other', 'gw_1'],
      ['usr_ada', 'client', 'gw_2'],
      ['usr_ada', 'client', ''],
    ] as const) {
      assert.deepEqual(await consents.of(person, client, gateway), []);
    }
    assert.equal((await consents.list('usr_ada')).length, 1);
  });

  it('that are withdrawn take along what was given by them, and nothing else', async () => {
    const consents = createConsents({ db, changes, clock });
    const heard: (string | null)[] = [];
    changes.on('grants', (key) => void heard.push(key));
    await consents.give('usr_ada', 'client', 'gw_1', ['mcp']);
    await keepGrant('g1', 'client', 'gw_1');
    await keepGrant('g2', 'client', 'gw_2');
    await keepGrant('g3', 'other', 'gw_1');
    assert.equal(await consents.withdraw('usr_ada', 'client', 'gw_1'), true);
    assert.equal(await consents.withdraw('usr_ada', 'client', 'gw_1'), false);
    assert.deepEqual(await consents.of('usr_ada', 'client', 'gw_1'), []);
    assert.deepEqual(heard, ['g1']);
    const left = await db.query<{ id: string }>('select id from oauth_records order by id');
    assert.deepEqual(
      left.map(({ id }) => id),
      ['g2', 'g3', 'r-g2', 'r-g3'],
    );
  });
});

describe('the daily tidy-up', () => {
  it('removes what expired, and leaves the rest', async () => {
    const keep = (id: string, at: number | null) =>
      db.query(`insert into oauth_records (model, id, payload, expires_at) values ('Test', $1, '{}', $2)`, [
        id,
        at === null ? null : new Date(at).toISOString(),
      ]);
    await keep('expired', clock.now() - 1);
    await keep('lasting', clock.now() + 1);
    await keep('for ever', null);
    await tidyUp(db, clock);
    const left = await db.query<{ id: string }>(
      "select id from oauth_records where model = 'Test' order by id",
    );
    assert.deepEqual(
      left.map(({ id }) => id),
      ['for ever', 'lasting'],
    );
  });
});

async function keepGrant(id: string, clientId: string, gatewayId: string): Promise<void> {
  await db.query(
    `insert into oauth_records (model, id, payload, sign_in_id, client_id, gateway_id)
     values ('Grant', $1, '{}', 'sgn_1', $2, $3)`,
    [id, clientId, gatewayId],
  );
  await db.query(
    `insert into oauth_records (model, id, payload, grant_id) values ('RefreshToken', $1, '{}', $2)`,
    [`r-${id}`, id],
  );
}
