import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Role } from '#domain';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../test/database.ts';
import type { People, Person, SignedInPerson } from './contract.ts';
import { createPeople } from './people.ts';

let db: Db;
let changes: Changes;
let clock: ReturnType<typeof manualClock>;
let people: People;
let ended: string[];
const endSignIns = async (personId: string) => void ended.push(personId);

before(async () => {
  db = await openTestDatabase();
});
after(async () => {
  await db.close();
});
beforeEach(async () => {
  for (const table of ['links', 'memberships', 'person_identities', 'directory_group_members']) {
    await db.query(`delete from ${table}`);
  }
  await db.query('delete from directory_groups');
  await db.query('delete from people');
  await db.query(`delete from projects where id <> 'default'`);
  await db.query(`delete from organizations where id <> 'default'`);
  clock = manualClock();
  ended = [];
  changes = await openChanges(db, { clock, log: silentLog });
  people = await createPeople({ db, changes, clock, endSignIns });
});

const okta = 'https://okta.example';
const google = 'https://accounts.google.com';

function said(more: Partial<SignedInPerson> = {}): SignedInPerson {
  return {
    organizationId: 'default',
    projectId: 'default',
    sourceId: 'okta',
    issuer: okta,
    subject: '1',
    userId: '1',
    email: 'alice@corp.example',
    name: 'Alice',
    groups: [],
    claims: {},
    ...more,
  };
}

const byLink = (email: string) =>
  said({ projectId: '', sourceId: '', issuer: 'link', subject: email, userId: email, email, name: '' });

async function signIn(more: Partial<SignedInPerson> = {}): Promise<Person> {
  const found = await people.signedIn(said(more));
  assert.ok(found.ok, found.ok ? '' : found.error.message);
  return found.value;
}

async function provision(id: string, email: string, userName = email): Promise<void> {
  await db.query(
    `insert into people
       (id, organization_id, email, name, active, provisioned, user_name, created_at, updated_at)
     values ($1, 'default', $2, '', true, $3::json, $4, now(), now())`,
    [id, email, JSON.stringify({ userName }), userName.toLowerCase()],
  );
  await people.refresh([id]);
}

function roleOf(personId: string, projectId = 'default'): Role | null {
  return people.standing(personId)?.roleIn(projectId) ?? null;
}

async function give(personId: string, role: Role | null, projectId = ''): Promise<string> {
  const done = await people.setRole(personId, { organizationId: 'default', projectId }, role);
  return done.ok ? 'ok' : done.error.code;
}

function invitation(email: string, role: Role, projectId = '') {
  const expiresAt = new Date(clock.now() + 60_000).toISOString();
  const link = { kind: 'invitation', organizationId: 'default', projectId, email, role, expiresAt } as const;
  return people.createLink(link, 'usr_admin');
}

describe('a sign-in', () => {
  it('is of the same person whenever the same subject comes, whatever else they are called', async () => {
    const first = await signIn();
    const again = await signIn({ email: 'renamed@corp.example', name: 'Alice B.', userId: 'x' });
    assert.equal(again.id, first.id);
    assert.deepEqual([again.email, again.name], ['renamed@corp.example', 'Alice B.']);
    assert.equal(people.standingOf('default', 'x')?.personId, first.id);
  });

  it('by another source of the same issuer is of the same person, who is known by both', async () => {
    const project = await people.createProject('default', 'Second');
    const here = await signIn({ userId: 'alice.a' });
    const there = await signIn({ projectId: project.id, sourceId: 'okta2', userId: '4711' });
    assert.equal(there.id, here.id);
    const ids = ['alice.a', '4711'].map((userId) => people.standingOf('default', userId)?.personId);
    assert.deepEqual(ids, [here.id, here.id]);
    const known = (await people.identities(here.id)).map(({ projectId, sourceId }) => [projectId, sourceId]);
    assert.deepEqual(
      known.sort(),
      [
        ['default', 'okta'],
        [project.id, 'okta2'],
      ].sort(),
    );
    assert.equal((await people.list('default', { limit: 9, offset: 0, projectId: 'default' })).total, 1);
  });

  it('of two at the same time makes one person', async () => {
    const [one, two] = await Promise.all([signIn(), signIn()]);
    assert.equal(one.id, two.id);
  });

  it('with an address that the directory provisioned is of that person', async () => {
    await provision('usr_p', 'alice@corp.example');
    assert.equal((await signIn({ email: 'Alice@Corp.example' })).id, 'usr_p');
  });

  it('with an address that only looks like that of somebody is not of them', async () => {
    await provision('usr_p', 'mike@corp.example');
    for (const email of ['mi\u212ae@corp.example', 'mike\u200b@corp.example', 'mike@corp.example.']) {
      const found = await signIn({ email, subject: email, userId: email });
      assert.notEqual(found.id, 'usr_p');
      assert.equal(found.email, '', email);
      assert.equal(people.standingOf('default', email)?.personId, found.id, email);
    }
    assert.equal((await signIn({ email: 'MIKE@Corp.example', subject: 'm' })).id, 'usr_p');
    const composed = await signIn({ email: 'ren\u00e9@corp.example', subject: 'r' });
    assert.equal(
      (await people.list('default', { limit: 9, offset: 0, email: 'rene\u0301@corp.example' })).total,
      1,
    );
    assert.equal(composed.email, 'ren\u00e9@corp.example');
  });

  it('with an address that nobody vouches for is of nobody who has it', async () => {
    await provision('usr_p', 'alice@corp.example');
    const stranger = await signIn({ email: '' });
    assert.notEqual(stranger.id, 'usr_p');
    assert.equal(stranger.email, '');
  });

  it('by another issuer with the address of somebody does not become them, and does not get the address', async () => {
    const alice = await signIn();
    await give(alice.id, 'owner');
    const other = await signIn({ issuer: google, sourceId: 'google', subject: 'g' });
    assert.notEqual(other.id, alice.id);
    assert.equal(other.email, '');
    assert.equal(roleOf(other.id), null);
    assert.equal(people.standingOf('default', 'alice@corp.example')?.personId, alice.id);
    const later = await signIn({ issuer: google, sourceId: 'google', subject: 'g' });
    assert.deepEqual([later.id, later.email], [other.id, '']);
  });

  it('by another issuer is of the same person where the directory knows the address', async () => {
    await provision('usr_p', 'alice@corp.example');
    await signIn();
    assert.equal((await signIn({ issuer: google, sourceId: 'google', subject: 'g' })).id, 'usr_p');
  });

  it('by another issuer is of the same person where the address was invited', async () => {
    await invitation('alice@corp.example', 'editor');
    const alice = await signIn();
    assert.equal((await signIn({ issuer: google, sourceId: 'google', subject: 'g' })).id, alice.id);
  });

  it('with an address that the company gave to somebody new is of somebody new', async () => {
    const before = await signIn();
    await give(before.id, 'owner');
    const after = await signIn({ subject: '2', userId: '2' });
    assert.notEqual(after.id, before.id);
    assert.deepEqual([after.email, roleOf(after.id)], ['', null]);
    await provision('usr_p', 'bob@corp.example');
    await signIn({ subject: '3', email: 'bob@corp.example' });
    assert.notEqual((await signIn({ subject: '4', email: 'bob@corp.example' })).id, 'usr_p');
  });

  it('cannot take an address over by renaming itself to it', async () => {
    const alice = await signIn();
    const mallory = await signIn({ subject: 'm', userId: 'm', email: 'mallory@corp.example' });
    const renamed = await signIn({ subject: 'm', userId: 'm' });
    assert.deepEqual([renamed.id, renamed.email], [mallory.id, 'mallory@corp.example']);
    assert.equal(people.standingOf('default', 'alice@corp.example')?.personId, alice.id);
  });

  it('leaves name and address to the directory', async () => {
    await provision('usr_p', 'alice@corp.example');
    await signIn();
    const again = await signIn({ email: 'other@corp.example', name: 'Somebody' });
    assert.deepEqual([again.email, again.name], ['alice@corp.example', '']);
  });

  it('at a source of another project keeps no address from the company, and opens no invitation of it', async () => {
    const project = await people.createProject('default', 'Second');
    const there = { projectId: project.id, sourceId: 'own', issuer: 'https://own.example', subject: 'x' };
    await invitation('alice@corp.example', 'admin');
    const first = await signIn(there);
    assert.deepEqual([first.email, roleOf(first.id)], ['alice@corp.example', null]);
    const alice = await signIn();
    assert.notEqual(alice.id, first.id);
    assert.deepEqual([alice.email, roleOf(alice.id)], ['alice@corp.example', 'admin']);
    assert.equal(people.standing(first.id)?.email, '');
    assert.equal((await signIn(there)).email, '');
    assert.equal(people.standingOf('default', 'alice@corp.example')?.personId, alice.id);
  });

  it('at a source of another project is of nobody whom more than that project knows', async () => {
    const project = await people.createProject('default', 'Second');
    const owner = await people.signedIn(byLink('alice@corp.example'));
    assert.ok(owner.ok);
    await give(owner.value.id, 'owner');
    const there = { projectId: project.id, sourceId: 'own', issuer: 'https://own.example', subject: 'x' };
    const stranger = await signIn(there);
    assert.notEqual(stranger.id, owner.value.id);
    assert.deepEqual([stranger.email, ended], ['', []]);
    assert.equal((await signIn()).id, owner.value.id, 'who owns the address comes in as before');
    const guest = await people.signedIn(byLink('guest@corp.example'));
    assert.ok(guest.ok);
    await give(guest.value.id, 'editor', project.id);
    const guestThere = await signIn({ ...there, subject: 'g', email: 'guest@corp.example' });
    assert.equal(guestThere.id, guest.value.id);
  });

  it('of somebody deactivated is refused by whichever issuer, and writes nothing', async () => {
    const alice = await signIn();
    await people.setActive('default', alice.id, false);
    for (const more of [{}, { issuer: google, subject: 'g' }, byLink('alice@corp.example')]) {
      const found = await people.signedIn(said(more));
      assert.equal(found.ok ? 'ok' : found.error.code, 'identity.deactivated');
    }
    assert.equal((await people.list('default', { limit: 9, offset: 0 })).total, 1);
  });

  it('is of another person in another organisation', async () => {
    const there = await people.createOrganization('There');
    const here = await signIn();
    const other = await signIn({ organizationId: there.id });
    assert.notEqual(other.id, here.id);
    assert.equal(await people.person(there.id, here.id), null);
    assert.equal(people.standingOf(there.id, 'alice@corp.example')?.personId, other.id);
  });

  it('of who was invited has the role of the invitation, which is used up by it', async () => {
    const { token } = await invitation('alice@corp.example', 'editor', 'default');
    await invitation('bob@corp.example', 'owner');
    const alice = await signIn();
    assert.equal(roleOf(alice.id), 'editor');
    assert.equal(await people.redeem(token), null);
  });

  it('never makes less of somebody because of an invitation', async () => {
    const alice = await signIn();
    await give(alice.id, 'admin', 'default');
    await invitation('alice@corp.example', 'member', 'default');
    await signIn();
    assert.equal(roleOf(alice.id), 'admin');
  });
});

describe('a link', () => {
  it('opens once, and of two at the same time for one', async () => {
    const { token, link } = await invitation('bob@corp.example', 'member');
    assert.equal((await people.linkOf(token))?.id, link.id);
    const both = await Promise.all([people.redeem(token), people.redeem(token)]);
    assert.deepEqual(both.map((one) => one?.id ?? null).sort(), [link.id, null].sort());
    assert.equal(await people.linkOf(token), null);
  });

  it('does not open after its time, or once it was taken back', async () => {
    const [late, gone] = [await invitation('a@b.c', 'member'), await invitation('d@e.f', 'member')];
    assert.equal(await people.removeLink('other', gone.link.id), false);
    assert.equal(await people.removeLink('default', gone.link.id), true);
    assert.equal(await people.redeem(gone.token), null);
    clock.advance(60_000);
    assert.equal(await people.redeem(late.token), null);
  });

  it('is kept as a hash only', async () => {
    const { token } = await invitation('a@b.c', 'member');
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    assert.equal(JSON.stringify(await db.query('select * from links')).includes(token), false);
  });

  it('that somebody made for themselves does not open who may do more, or who signs in at an issuer', async () => {
    const owner = (await people.signedIn(byLink('owner@corp.example'))) as { ok: true; value: Person };
    await give(owner.value.id, 'owner');
    const first = await invitation('owner@corp.example', 'admin');
    assert.equal(await people.linkOf(first.token), null);
    assert.equal(await people.redeem(first.token), null);
    const second = await invitation('alice@corp.example', 'member');
    await people.removeLink('default', (await invitation('x@y.z', 'member')).link.id);
    await db.query(`update links set used_at = null`);
    await provision('usr_p', 'alice@corp.example');
    await db.query(
      `insert into person_identities (organization_id, issuer, subject, person_id, project_id, source_id, user_id, claims, groups, seen_at)
       values ('default', $1, '1', 'usr_p', 'default', 'okta', '1', '{}', '[]', now())`,
      [okta],
    );
    assert.equal(await people.redeem(second.token), null);
    const free = await people.createLink(
      { ...second.link, email: '', expiresAt: second.link.expiresAt },
      'usr_admin',
    );
    assert.equal(await people.redeem(free.token), null, 'an address must be said');
  });

  it('of one project does not open who is somebody in another, under whatever name it calls them', async () => {
    const project = await people.createProject('default', 'Second');
    await provision('usr_p', 'b.oss@corp.example', 'boss@corp.example');
    await give('usr_p', 'editor', 'default');
    for (const email of ['b.oss@corp.example', 'boss@corp.example']) {
      const there = await invitation(email, 'admin', project.id);
      assert.equal(await people.linkOf(there.token), null, email);
      assert.equal(await people.redeem(there.token), null, email);
      const here = await invitation(email, 'editor', 'default');
      assert.equal((await people.linkOf(here.token))?.id, here.link.id);
      const less = await invitation(email, 'member', 'default');
      assert.equal(await people.linkOf(less.token), null);
    }
  });

  it('that somebody left behind who is not active any more opens nothing, and invites nobody', async () => {
    const admin = await signIn({ subject: 'admin', email: 'admin@corp.example' });
    const by = async (email: string) => {
      const { link } = await invitation(email, 'admin', 'default');
      await people.removeLink('default', link.id);
      return people.createLink(link, admin.id);
    };
    const [own, other] = [await by('private@home.example'), await by('alice@corp.example')];
    assert.equal((await people.linkOf(own.token))?.id, own.link.id);
    await people.setActive('default', admin.id, false);
    assert.equal(await people.linkOf(own.token), null);
    assert.equal(await people.redeem(other.token), null);
    assert.equal(roleOf((await signIn()).id), null);
  });

  it('that the server printed opens for whom it names', async () => {
    const owner = await signIn();
    await give(owner.id, 'owner');
    const { link } = await invitation('alice@corp.example', 'owner');
    const { token } = await people.createLink(link, null);
    assert.equal((await people.redeem(token))?.email, 'alice@corp.example');
    const again = await people.signedIn(byLink('alice@corp.example'));
    assert.equal(again.ok && again.value.id, owner.id);
  });

  it('holds no longer once an issuer says who its person is', async () => {
    const invited = await people.signedIn(byLink('alice@corp.example'));
    assert.ok(invited.ok);
    assert.deepEqual(ended, []);
    assert.equal((await signIn()).id, invited.value.id);
    await signIn();
    assert.deepEqual(ended, [invited.value.id]);
  });

  it('holds no longer either where a source of another project said so before', async () => {
    const project = await people.createProject('default', 'Second');
    const { token } = await invitation('alice@corp.example', 'member', project.id);
    await people.redeem(token);
    const invited = await people.signedIn(byLink('alice@corp.example'));
    assert.ok(invited.ok);
    await signIn({ projectId: project.id, sourceId: 'own', issuer: 'https://own.example', subject: 'x' });
    ended = [];
    assert.equal((await signIn()).id, invited.value.id);
    assert.deepEqual(ended, [invited.value.id]);
  });

  it('speaks of whoever has the address now', async () => {
    const first = await people.signedIn(byLink('desk@corp.example'));
    assert.ok(first.ok);
    await db.query(`update people set email = 'moved@corp.example' where id = $1`, [first.value.id]);
    const second = await people.signedIn(byLink('desk@corp.example'));
    assert.ok(second.ok);
    assert.notEqual(second.value.id, first.value.id);
  });
});

describe('roles', () => {
  it('hold in a project, or in all of the organisation and nowhere else', async () => {
    const project = await people.createProject('default', 'Second');
    const elsewhere = await people.createOrganization('Elsewhere');
    const foreign = await people.createProject(elsewhere.id, 'Foreign');
    const alice = await signIn();
    await give(alice.id, 'editor', 'default');
    assert.deepEqual([roleOf(alice.id), roleOf(alice.id, project.id)], ['editor', null]);
    await give(alice.id, 'admin');
    assert.deepEqual([roleOf(alice.id), roleOf(alice.id, project.id)], ['admin', 'admin']);
    assert.deepEqual([roleOf(alice.id, foreign.id), roleOf(alice.id, 'no.such')], [null, null]);
    await give(alice.id, null);
    assert.deepEqual([roleOf(alice.id), roleOf(alice.id, project.id)], ['editor', null]);
    assert.equal(await give(alice.id, 'editor', foreign.id), 'resource.unknown');
    assert.equal(await give(alice.id, 'owner', project.id), 'request.params_invalid');
  });

  it('leave an organisation its last owner', async () => {
    const [alice, bob] = [await signIn(), await signIn({ subject: '2', email: 'bob@corp.example' })];
    assert.equal(await people.becomeFirstOwner('default', alice.id), true);
    assert.equal(await people.becomeFirstOwner('default', bob.id), false);
    assert.equal(await give(alice.id, null), 'resource.conflict');
    assert.equal(await give(alice.id, 'admin'), 'resource.conflict');
    const off = await people.setActive('default', alice.id, false);
    assert.equal(off.ok ? 'ok' : off.error.code, 'resource.conflict');
    await give(bob.id, 'owner');
    const both = await Promise.all([give(alice.id, null), give(bob.id, null)]);
    assert.deepEqual(both.sort(), ['ok', 'resource.conflict']);
  });
});

describe('standings', () => {
  it('are another object after a change, and the same one without', async () => {
    const { id } = await signIn();
    const first = people.standing(id);
    await people.refresh([id]);
    await signIn();
    assert.equal(people.standing(id), first);
    await people.setActive('default', id, false);
    assert.notEqual(people.standing(id), first);
    assert.equal(people.standing(id)?.active, false);
  });

  it('are found by address, provisioned name and user id, in this order and this organisation', async () => {
    await provision('usr_1', 'a@corp.example', 'Name');
    const byUserId = await signIn({ email: '', subject: 's', userId: 'Name' });
    const id = (userId: string) => people.standingOf('default', userId)?.personId;
    assert.deepEqual([id('A@Corp.Example'), id('name'), id('Name')], ['usr_1', 'usr_1', 'usr_1']);
    await signIn({ email: '', subject: 's', userId: '00uAb' });
    assert.deepEqual([id('00uAb'), id('00uaB')], [byUserId.id, undefined]);
    assert.equal(people.standingOf('other', 'name'), null);
  });

  it('of a user id that several have are of the one who may not come in any more', async () => {
    const one = await signIn({ email: '', subject: '1', userId: 'same' });
    const two = await signIn({ email: '', subject: '2', issuer: google, userId: 'same' });
    for (const { id } of [one, two]) {
      await people.setActive('default', id, false);
      assert.equal(people.standingOf('default', 'same')?.active, false);
      await people.setActive('default', id, true);
    }
    assert.equal(people.standingOf('default', 'same')?.active, true);
  });

  it('hold the groups of the directory, and go with the person', async () => {
    await provision('usr_1', 'a@corp.example');
    await db.query(
      `insert into directory_groups (id, organization_id, display_name, name_key, created_at, updated_at)
       values ('grp_1', 'default', 'Staff', 'staff', now(), now())`,
    );
    await db.query(`insert into directory_group_members values ('grp_1', 'usr_1')`);
    await people.refresh(['usr_1']);
    assert.deepEqual(people.standing('usr_1')?.groups, ['Staff']);
    await db.query('delete from directory_group_members');
    await db.query('delete from people');
    await people.refresh(['usr_1']);
    assert.equal(people.standing('usr_1'), null);
    assert.equal(people.standingOf('default', 'a@corp.example'), null);
  });

  it('are heard of on other replicas, like projects', async () => {
    const theirs = await openChanges(db, { clock, log: silentLog }, true);
    const ours = await openChanges(db, { clock, log: silentLog }, true);
    const here = await createPeople({ db, changes: ours, clock, endSignIns });
    const there = await createPeople({ db, changes: theirs, clock, endSignIns });
    try {
      const found = await here.signedIn(said());
      assert.ok(found.ok);
      await here.becomeFirstOwner('default', found.value.id);
      const project = await here.createProject('default', 'Second');
      await theirs.look();
      assert.equal(there.standing(found.value.id)?.roleIn(project.id), 'owner');
      assert.equal(there.project(project.id)?.name, 'Second');
    } finally {
      ours.close();
      theirs.close();
    }
  });
});

describe('people', () => {
  it('are listed by page, by address and by project', async () => {
    const project = await people.createProject('default', 'Second');
    const alice = await signIn();
    clock.advance(1);
    const bob = await signIn({ subject: '2', email: 'bob@corp.example', projectId: project.id });
    await give(bob.id, 'member', 'default');
    const ids = async (more: object) => {
      const { items, total } = await people.list('default', { limit: 9, offset: 0, ...more });
      return [items.map(({ id }) => id), total];
    };
    assert.deepEqual(await ids({ limit: 1, offset: 1 }), [[bob.id], 2]);
    assert.deepEqual(await ids({ email: 'ALICE@corp.example' }), [[alice.id], 1]);
    assert.deepEqual(await ids({ projectId: 'default' }), [[alice.id, bob.id], 2]);
    assert.deepEqual(await ids({ projectId: project.id }), [[bob.id], 1]);
    assert.deepEqual(await ids({ projectId: project.id, email: 'alice@corp.example' }), [[], 0]);
  });
});
