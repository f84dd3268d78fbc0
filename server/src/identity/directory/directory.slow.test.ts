import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Refusal } from '#domain';
import { manualClock, ok } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../test/database.ts';
import type { People, SignedInPerson } from '../people/contract.ts';
import { createPeople } from '../people/people.ts';
import type { SignIns } from '../sign-ins/contract.ts';
import { createSignIns } from '../sign-ins/sign-ins.ts';
import type { Directory, GroupContent, Search, UserContent } from './contract.ts';
import { createDirectory } from './directory.ts';

let db: Db;
let counted: Db;
let queries = 0;
let clock: ReturnType<typeof manualClock>;
let changes: Changes;
let people: People;
let signIns: SignIns;
let directory: Directory;

before(async () => {
  db = await openTestDatabase();
  counted = {
    ...db,
    query(sql, params) {
      queries++;
      return db.query(sql, params);
    },
    tx: (work) =>
      db.tx((inner) =>
        work({
          query(sql, params) {
            // A message to other replicas names five hundred people.
            if (!sql.startsWith('insert into changes')) queries++;
            return inner.query(sql, params);
          },
        }),
      ),
  };
});
after(() => db.close());
beforeEach(async () => {
  for (const table of ['sign_ins', 'memberships', 'person_identities', 'directory_group_members']) {
    await db.query(`delete from ${table}`);
  }
  for (const table of ['directory_groups', 'people', 'changes']) await db.query(`delete from ${table}`);
  await db.query(`delete from projects where id <> 'default'`);
  await db.query(`delete from organizations where id <> 'default'`);
  clock = manualClock();
  changes = await openChanges(db, { clock, log: silentLog });
  people = await createPeople({ db, changes, clock, endSignIns: (id) => signIns.endAllOf(id) });
  signIns = createSignIns({
    ...{ db, changes, clock, people },
    issuerTokens: { sealedFor: () => '', subjectToken: async () => ok(null) },
  });
  directory = createDirectory({ db: counted, changes, clock, people, signIns });
});

const ann = userContent('ann@corp.example');

function userContent(userName: string, more: Partial<UserContent> = {}): UserContent {
  const email = more.email ?? (userName.includes('@') ? userName : '');
  return {
    userName,
    externalId: null,
    active: true,
    email,
    name: userName,
    attributes: { userName, emails: [{ value: email }] },
    ...more,
  };
}

async function newUser(content: UserContent, organizationId = 'default') {
  const made = await directory.createUser(organizationId, content);
  assert.ok(made.ok, made.ok ? '' : made.error.message);
  return made.value;
}

async function newGroup(displayName: string, ids: readonly string[] = [], organizationId = 'default') {
  const content: GroupContent = { displayName, externalId: null };
  const made = await directory.createGroup(organizationId, content, new Set(ids));
  assert.ok(made.ok, made.ok ? '' : made.error.message);
  return made.value.group;
}

const changed = (id: string, content: UserContent) =>
  directory.changeUser<Refusal>('default', id, () => okay(content));
const okay = <T>(value: T) => ({ ok: true, value }) as const;

const everything: Search = { where: null, orderBy: null, descending: false, offset: 0, limit: 200 };

function said(more: Partial<SignedInPerson> = {}): SignedInPerson {
  return {
    organizationId: 'default',
    projectId: 'default',
    sourceId: 'entra',
    issuer: 'https://entra.example',
    subject: 'subject-of-ann',
    userId: 'ann@corp.example',
    email: 'ann@corp.example',
    name: 'Ann of Entra',
    groups: [],
    claims: {},
    ...more,
  };
}

async function signIn(more: Partial<SignedInPerson> = {}) {
  const signedIn = await people.signedIn(said(more));
  assert.ok(signedIn.ok, signedIn.ok ? '' : signedIn.error.message);
  return signedIn.value;
}

describe('a provisioned user and their sign-in', () => {
  it('are one person, when the sign-in comes later', async () => {
    const { id } = await newUser(ann);
    assert.equal((await signIn()).id, id);
    assert.equal(people.standingOf('default', 'ann@corp.example')?.personId, id);
  });

  it('are one person, when the sign-in came first; what they may do stays', async () => {
    const { id } = await signIn();
    await people.setRole(id, { organizationId: 'default', projectId: 'default' }, 'editor');
    const user = await newUser(ann);
    assert.equal(user.id, id);
    assert.equal(people.standing(id)?.roleIn('default'), 'editor');
    assert.equal((await signIn()).id, id);
  });

  it('are one person when only the name in the directory is the address of the sign-in', async () => {
    const { id } = await signIn();
    assert.equal((await newUser({ ...ann, email: 'ann.smith@corp.example' })).id, id);
  });

  it('are one person when the issuer says the name in the directory for an address', async () => {
    const { id } = await newUser({ ...ann, email: 'ann.smith@corp.example' });
    assert.equal((await signIn()).id, id);
    assert.equal(people.standing(id)?.email, 'ann.smith@corp.example');
    await changed(id, { ...ann, email: 'ann.smith@corp.example', active: false });
    assert.equal((await people.signedIn(said())).ok, false);
    assert.equal((await people.signedIn(said({ issuer: 'https://other.example', subject: '2' }))).ok, false);
  });

  it('end together: who is deactivated is refused and signed out, and comes in when activated', async () => {
    const person = await signIn();
    const { cookie } = await signIns.start(person.id, said(), 'test');
    const { id } = await newUser(ann);
    await changed(id, { ...ann, active: false });
    assert.equal(people.standing(id)?.active, false);
    assert.equal((await people.signedIn(said())).ok, false);
    await changed(id, ann);
    assert.equal((await signIn()).id, id);
    assert.equal(await signIns.ofBrowser(cookie), null, 'the sign-in from before has ended');
  });

  it('a user who is created inactive is signed out, too', async () => {
    const person = await signIn();
    const { cookie } = await signIns.start(person.id, said(), 'test');
    await newUser({ ...ann, active: false });
    assert.equal(await signIns.ofBrowser(cookie), null);
  });

  it('who is deleted is refused as themselves and by their address, until they are provisioned again', async () => {
    await signIn();
    const { id } = await newUser(ann);
    await newGroup('Engineers', [id]);
    assert.deepEqual(await directory.removeUser('default', id, () => okay(undefined)), okay(undefined));
    assert.deepEqual(people.standing(id)?.groups, []);
    assert.equal(people.standingOf('default', 'ann@corp.example')?.active, false);
    assert.equal((await people.signedIn(said())).ok, false);
    assert.equal((await people.signedIn(said({ issuer: 'https://other.example', subject: '2' }))).ok, false);
    assert.equal((await newUser(ann)).id, id);
    assert.equal((await signIn()).id, id);
  });

  it('an owner stays one while deactivated, so that nobody who comes next becomes it', async () => {
    const { id } = await signIn();
    await people.becomeFirstOwner('default', id);
    await newUser({ ...ann, active: false });
    assert.equal(people.standing(id)?.active, false);
    assert.equal(await people.hasOwner('default'), true);
  });
});

describe('names', () => {
  it('two users have not the same, in whatever case', async () => {
    await newUser(ann);
    const second = await directory.createUser('default', userContent('ANN@corp.example'));
    assert.equal(second.ok ? '' : second.error.field, 'userName');
    const bob = await newUser(userContent('bob@corp.example'));
    const renamed = await changed(bob.id, userContent('Ann@Corp.example'));
    assert.equal(renamed?.ok ? '' : renamed?.error.code, 'resource.conflict');
  });

  it('two people have not the same address, nor one the name of another as their address', async () => {
    await newUser(ann);
    for (const email of ['ann@corp.example', 'ANN@corp.example']) {
      const admin = await directory.createUser('default', userContent('adm-ann', { email }));
      assert.equal(admin.ok ? '' : admin.error.field, 'emails');
    }
    const bob = await newUser(userContent('bob', { email: 'bob@corp.example' }));
    const taken = await directory.createUser('default', userContent('bob@corp.example', { email: '' }));
    assert.equal(taken.ok ? '' : taken.error.code, 'resource.conflict');
    await signIn({ subject: 'carol', userId: 'carol', email: 'carol@corp.example' });
    const carol = await changed(bob.id, userContent('bob', { email: 'carol@corp.example' }));
    assert.equal(carol?.ok ? '' : carol?.error.code, 'resource.conflict', 'carol signs in with it');
  });

  it('an address of somebody who left names whoever the directory gives it to', async () => {
    const old = await newUser(ann);
    await directory.removeUser('default', old.id, () => okay(undefined));
    const other = await newUser(userContent('ann.two@corp.example'));
    assert.equal((await changed(other.id, ann))?.ok, true);
    assert.equal(people.standingOf('default', 'ann@corp.example')?.personId, other.id);
    assert.equal(people.standingOf('default', 'ann@corp.example')?.active, true);
    assert.equal(people.standing(old.id)?.active, false);
  });

  it('of two that are created at the same time one is', async () => {
    const both = await Promise.all([
      directory.createUser('default', ann),
      directory.createUser('default', ann),
    ]);
    assert.deepEqual(both.map(({ ok }) => ok).toSorted(), [false, true]);
    const groups = await Promise.all(
      ['Team', 'TEAM'].map((displayName) =>
        directory.createGroup('default', { displayName, externalId: null }, new Set()),
      ),
    );
    assert.deepEqual(groups.map(({ ok }) => ok).toSorted(), [false, true]);
  });
});

describe('organizations', () => {
  it('have directories of their own: names, ids and members of one mean nothing in another', async () => {
    const other = (await people.createOrganization('Other')).id;
    const user = await newUser(ann);
    const group = await newGroup('Team', [user.id]);
    const twin = await newUser(ann, other);
    assert.notEqual(twin.id, user.id);
    await newGroup('Team', [twin.id], other);

    assert.equal(await directory.user(other, user.id), null);
    assert.equal(await directory.changeUser(other, user.id, () => okay({ ...ann, active: false })), null);
    assert.equal(await directory.removeUser(other, user.id, () => okay(undefined)), null);
    assert.equal(await directory.group(other, group.id), null);
    assert.equal(await directory.removeGroup(other, group.id, () => okay(undefined)), null);
    const change = { displayName: 'Mine', externalId: null, members: null };
    assert.equal(await directory.changeGroup(other, group.id, () => okay(change)), null);
    const stranger = await directory.createGroup(
      other,
      { displayName: 'Strangers', externalId: null },
      new Set([user.id]),
    );
    assert.equal(stranger.ok ? '' : stranger.error.field, 'members');
    assert.equal((await directory.users(other, everything)).total, 1);
    assert.equal((await directory.groups(other, everything, true)).total, 1);
    assert.equal(people.standing(user.id)?.active, true);
    assert.deepEqual(people.standing(user.id)?.groups, ['Team']);
  });

  it('a person who was never provisioned is no user, and no member', async () => {
    const { id } = await signIn();
    assert.equal(await directory.user('default', id), null);
    assert.equal((await directory.users('default', everything)).total, 0);
    const made = await directory.createGroup(
      'default',
      { displayName: 'G', externalId: null },
      new Set([id]),
    );
    assert.equal(made.ok, false);
    assert.equal((await directory.groups('default', everything, false)).total, 0, 'nothing was written');
  });
});

describe('standings', () => {
  it('have the groups as they are when a change returns: created, renamed, joined, left, deleted', async () => {
    const { id } = await newUser(ann);
    const groups = () => people.standing(id)?.groups;
    const group = await newGroup('Team', [id]);
    assert.deepEqual(groups(), ['Team']);
    const change = (displayName: string, add: string[], remove: string[]) =>
      directory.changeGroup('default', group.id, () =>
        okay({
          displayName,
          externalId: null,
          members: { keep: true, add: new Set(add), remove: new Set(remove) },
        }),
      );
    await change('Crew', [], []);
    assert.deepEqual(groups(), ['Crew']);
    await change('Crew', [], [id]);
    assert.deepEqual(groups(), []);
    await change('Crew', [id], []);
    assert.deepEqual(groups(), ['Crew']);
    await directory.removeGroup('default', group.id, () => okay(undefined));
    assert.deepEqual(groups(), []);
  });

  it('are known to another replica as soon as it looks', async () => {
    const here = await openChanges(db, { clock, log: silentLog }, true);
    const there = await openChanges(db, { clock, log: silentLog }, true);
    const peopleThere = await createPeople({
      db,
      changes: there,
      clock,
      endSignIns: (id) => signIns.endAllOf(id),
    });
    createDirectory({ db, changes: there, clock, people: peopleThere, signIns });
    directory = createDirectory({ db, changes: here, clock, people, signIns });
    const users = [];
    for (let count = 0; count < 3; count++) users.push((await newUser(userContent(`user${count}`))).id);
    await newGroup('Team', users);
    await changed(users[0] as string, userContent('user0', { active: false }));
    await there.look();
    for (const id of users) assert.deepEqual(peopleThere.standing(id)?.groups, ['Team']);
    assert.deepEqual(
      users.map((id) => peopleThere.standing(id)?.active),
      [false, true, true],
    );
    here.close();
    there.close();
  });
});

describe('a change that was written while its standing could not be read', () => {
  it('is mended by the same change again', async () => {
    const { id } = await newUser(ann);
    let fails = true;
    const failing = {
      async refresh(ids: readonly string[]) {
        if (fails) throw new Error('the database went away');
        await people.refresh(ids);
      },
    };
    const broken = createDirectory({ db, changes, clock, people: failing, signIns });
    const deactivate = () => broken.changeUser<Refusal>('default', id, () => okay({ ...ann, active: false }));
    const join = () =>
      broken.createGroup('default', { displayName: 'Team', externalId: null }, new Set([id]));
    await assert.rejects(deactivate());
    await assert.rejects(join());
    assert.deepEqual([people.standing(id)?.active, people.standing(id)?.groups], [true, []]);
    fails = false;
    await deactivate();
    assert.deepEqual([people.standing(id)?.active, people.standing(id)?.groups], [false, ['Team']]);
  });
});

describe('how much work it is', () => {
  async function countQueries(work: () => Promise<unknown>): Promise<number> {
    queries = 0;
    await work();
    return queries;
  }

  it('is the same for a group of two and one of five thousand', async () => {
    await db.query(
      `insert into people (id, organization_id, email, name, active, provisioned, user_name, created_at, updated_at)
       select 'usr_' || n, 'default', '', 'User', true, json_build_object('userName', 'u' || n), 'u' || n, now(), now()
       from generate_series(1, 5000) n`,
    );
    const ids = Array.from({ length: 5000 }, (_, at) => `usr_${at + 1}`);
    const work = async (size: number) => {
      const members = ids.slice(0, size);
      const counts: number[] = [];
      const counting = async (run: () => Promise<unknown>) => void counts.push(await countQueries(run));
      let id = '';
      await counting(async () => {
        id = (await newGroup(`Group of ${size}`, members)).id;
      });
      const change = (displayName: string, keep: boolean, add: string[], remove: string[]) =>
        counting(() =>
          directory.changeGroup('default', id, () =>
            okay({
              displayName,
              externalId: null,
              members: { keep, add: new Set(add), remove: new Set(remove) },
            }),
          ),
        );
      await change(`Group of ${size}`, true, ['usr_4999'], ['usr_1']);
      await change(`Renamed ${size}`, true, [], []);
      await change(`Renamed ${size}`, false, members, []);
      await counting(() => directory.groups('default', everything, true));
      await counting(() => directory.membersOf([id]));
      await counting(() => directory.removeGroup('default', id, () => okay(undefined)));
      return counts;
    };
    assert.deepEqual(await work(5000), await work(2));
  });

  it('is the same for the first user and for the last of many', async () => {
    const first = await countQueries(() => newUser(userContent('first@corp.example')));
    for (let count = 0; count < 50; count++) await newUser(userContent(`user${count}@corp.example`));
    assert.equal(await countQueries(() => newUser(userContent('last@corp.example'))), first);
    const page = await countQueries(() => directory.users('default', { ...everything, limit: 20 }));
    assert.equal(page, 2, 'the page, and how many there are');
  });

  it('finds by name, by id of the directory and by address without reading everybody', async () => {
    await db.query(
      `insert into people (id, organization_id, email, name, active, provisioned, external_id, user_name, created_at, updated_at)
       select 'usr_' || n, 'default', 'u' || n || '@x', 'User', true, json_build_object('userName', 'u' || n), 'e' || n,
         'u' || n, now(), now()
       from generate_series(1, 5000) n`,
    );
    await db.query('analyze people');
    const plans: string[] = [];
    const explaining: Db = {
      ...db,
      async query(sql, params) {
        const plan = await db.query(`explain ${sql}`, params);
        plans.push(JSON.stringify(plan));
        return db.query(sql, params);
      },
    };
    const explained = createDirectory({ db: explaining, changes, clock, people, signIns });
    const text = { type: 'text', exact: false, list: false } as const;
    for (const [path, exact] of [
      ['userName', false],
      ['externalId', true],
    ] as const) {
      const where = {
        field: { ...text, path: [path], exact },
        is: 'eq',
        value: path[0] === 'u' ? 'U77' : 'e77',
      } as const;
      const found = await explained.users('default', { ...everything, where });
      assert.deepEqual(
        found.items.map(({ id }) => id),
        ['usr_77'],
      );
    }
    assert.equal(plans.length, 2);
    for (const plan of plans) assert.doesNotMatch(plan, /Seq Scan/);
  });
});
