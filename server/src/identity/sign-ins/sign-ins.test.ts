import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { manualClock, ok } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../test/database.ts';
import type { SignedInPerson, Standing } from '../people/contract.ts';
import type { SignIns } from './contract.ts';
import { createSignIns } from './sign-ins.ts';

let db: Db;
let clock: ReturnType<typeof manualClock>;
let changes: Changes;
let signIns: SignIns;
let active: Set<string>;
let ended: (string | null)[];
const issuerTokens = { sealedFor: () => '', subjectToken: async () => ok(null) };

const said: SignedInPerson = {
  organizationId: 'default',
  projectId: 'default',
  sourceId: 'corp',
  issuer: 'https://idp.example',
  subject: 'subject-1',
  userId: 'ada',
  email: 'ada@example.com',
  name: 'Ada',
  groups: ['staff'],
  claims: { department: 'engines' },
};

before(async () => {
  db = await openTestDatabase();
  for (const id of ['usr_ada', 'usr_bob']) {
    await db.query(
      `insert into people (id, organization_id, email, name, active, created_at, updated_at)
       values ($1, 'default', '', '', true, now(), now())`,
      [id],
    );
  }
});
after(() => db.close());
beforeEach(async () => {
  await db.query('delete from sign_ins');
  await db.query('delete from oauth_records');
  clock = manualClock();
  changes = await openChanges(db, { clock, log: silentLog }, true);
  ended = [];
  changes.on('sign_ins', (key) => void ended.push(key));
  active = new Set(['usr_ada', 'usr_bob']);
  signIns = createSignIns({ db, changes, clock, people: { standing }, issuerTokens });
});

function standing(personId: string): Standing | null {
  return { personId, active: active.has(personId) } as Standing;
}

const hours = (count: number) => clock.advance(count * 3_600_000);

describe('a sign-in', () => {
  it('is found by the cookie of its browser, and by its id, as it was said', async () => {
    const { signIn, cookie } = await signIns.start('usr_ada', said, 'Firefox');
    assert.match(cookie, /^[\w-]{43}$/);
    assert.match(signIn.id, /^sgn_/);
    for (const found of [await signIns.ofBrowser(cookie), await signIns.find(signIn.id)]) {
      assert.deepEqual({ ...found, claims: { ...found?.claims } }, signIn);
    }
    assert.deepEqual(signIn.groups, ['staff']);
  });

  it('is kept without the cookie that opens it', async () => {
    const { cookie } = await signIns.start('usr_ada', said, 'Firefox');
    const rows = await db.query('select * from sign_ins');
    assert.equal(rows.length, 1);
    assert.ok(!JSON.stringify(rows).includes(cookie));
  });

  it('is not found by anything else', async () => {
    const { cookie } = await signIns.start('usr_ada', said, 'Firefox');
    const [row] = await db.query<{ cookie_hash: string }>('select cookie_hash from sign_ins');
    const wrong = ['', `${cookie}x`, cookie.slice(1), cookie.toLowerCase(), row?.cookie_hash ?? '', '\u0000'];
    for (const other of wrong) assert.equal(await signIns.ofBrowser(other), null);
    assert.equal(await signIns.find('sgn_unknown'), null);
  });

  it('is believed of a browser for twelve hours, and lasts for thirty days', async () => {
    const { signIn, cookie } = await signIns.start('usr_ada', said, 'Firefox');
    hours(12);
    assert.equal(await signIns.ofBrowser(cookie), null);
    assert.notEqual(await signIns.find(signIn.id), null);
    hours(30 * 24 - 12);
    assert.equal(await signIns.find(signIn.id), null);
    assert.deepEqual(await signIns.list('usr_ada'), []);
    await signIns.start('usr_bob', said, '');
    assert.equal((await db.query('select 1 from sign_ins')).length, 1, 'what is over is not kept');
  });

  it('of somebody who is not active any more is refused', async () => {
    const { signIn, cookie } = await signIns.start('usr_ada', said, 'Firefox');
    active.delete('usr_ada');
    assert.equal(await signIns.ofBrowser(cookie), null);
    assert.equal(await signIns.find(signIn.id), null);
  });

  it('that follows another has another cookie, and the one before stays', async () => {
    const one = await signIns.start('usr_ada', said, 'Firefox');
    const two = await signIns.start('usr_ada', said, 'Firefox');
    assert.notEqual(one.cookie, two.cookie);
    assert.equal((await signIns.ofBrowser(one.cookie))?.id, one.signIn.id);
    assert.equal((await signIns.ofBrowser(two.cookie))?.id, two.signIn.id);
  });
});

describe('ending a sign-in', () => {
  it('is final, is told, and takes what was given in it along', async () => {
    const mine = await signIns.start('usr_ada', said, 'Firefox');
    const other = await signIns.start('usr_ada', said, 'Safari');
    await keep('Grant', 'g1', { signInId: mine.signIn.id });
    await keep('RefreshToken', 'r1', { grantId: 'g1' });
    await keep('Session', 's1', { signInId: mine.signIn.id });
    await keep('Grant', 'g2', { signInId: other.signIn.id });
    await keep('RefreshToken', 'r2', { grantId: 'g2', signInId: other.signIn.id });
    await keep('Client', 'c1', {});
    assert.equal(await signIns.end(mine.signIn.id), true);
    assert.equal(await signIns.end(mine.signIn.id), false);
    assert.deepEqual(ended, [mine.signIn.id]);
    assert.equal(await signIns.ofBrowser(mine.cookie), null);
    assert.equal(await signIns.find(mine.signIn.id), null);
    assert.notEqual(await signIns.ofBrowser(other.cookie), null);
    const left = await db.query<{ id: string }>('select id from oauth_records order by id');
    assert.deepEqual(
      left.map(({ id }) => id),
      ['c1', 'g2', 'r2'],
    );
  });

  it('made by another replica, is found with what became of the person there', async () => {
    active.delete('usr_ada');
    changes.on('people', (key) => void active.add(key as string));
    const elsewhere = await openChanges(db, { clock, log: silentLog }, true);
    const there = createSignIns({ db, changes: elsewhere, clock, people: { standing }, issuerTokens });
    await db.tx((queries) => elsewhere.tell(queries, 'people', 'usr_ada'));
    const { signIn, cookie } = await there.start('usr_ada', said, 'Browser');
    assert.equal((await signIns.ofBrowser(cookie))?.id, signIn.id);
    active.delete('usr_ada');
    await db.tx((queries) => elsewhere.tell(queries, 'people', 'usr_ada'));
    assert.equal((await signIns.find(signIn.id))?.id, signIn.id);
    elsewhere.close();
  });

  it('is heard by other replicas', async () => {
    const { signIn } = await signIns.start('usr_ada', said, 'Firefox');
    const elsewhere = await openChanges(db, { clock, log: silentLog }, true);
    const heard: (string | null)[] = [];
    elsewhere.on('sign_ins', (key) => void heard.push(key));
    await signIns.end(signIn.id);
    await elsewhere.look();
    assert.deepEqual(heard, [signIn.id]);
    elsewhere.close();
  });

  it('of all of a person leaves those of others', async () => {
    await signIns.start('usr_ada', said, 'Firefox');
    await signIns.start('usr_ada', said, 'Safari');
    await signIns.start('usr_bob', said, 'Firefox');
    assert.equal(await signIns.endAllOf('usr_ada'), 2);
    assert.deepEqual(await signIns.list('usr_ada'), []);
    assert.equal((await signIns.list('usr_bob')).length, 1);
  });

  it('of all by one source leaves those by others, and those by one of its name elsewhere', async () => {
    const mine = await signIns.start('usr_ada', said, 'Firefox');
    const others = [
      await signIns.start('usr_ada', { ...said, sourceId: 'partner' }, 'Firefox'),
      await signIns.start('usr_ada', { ...said, projectId: 'other' }, 'Firefox'),
    ];
    assert.equal(await signIns.endAllBy({ projectId: 'default', id: 'corp' }), 1);
    assert.equal(await signIns.find(mine.signIn.id), null);
    for (const { signIn } of others) assert.notEqual(await signIns.find(signIn.id), null);
  });

  it('comes to the oldest where a person has too many', async () => {
    const first = await signIns.start('usr_ada', said, 'Firefox');
    for (let count = 0; count < 200; count++) {
      clock.advance(1);
      await signIns.start('usr_ada', said, 'Firefox');
    }
    assert.equal((await signIns.list('usr_ada')).length, 200);
    assert.equal(await signIns.find(first.signIn.id), null);
    assert.deepEqual(ended, [first.signIn.id]);
  });
});

async function keep(model: string, id: string, by: { grantId?: string; signInId?: string }): Promise<void> {
  await db.query(
    `insert into oauth_records (model, id, payload, grant_id, sign_in_id) values ($1, $2, '{}', $3, $4)`,
    [model, id, by.grantId ?? null, by.signInId ?? null],
  );
}
