import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { GrantRequest } from '@sallyport/contracts';
import type { Gateway, RuleTarget, Subject } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { changesAlone, openTestDatabase } from '../../../test/database.ts';
import { createEntries } from '../entries.ts';
import { createGrants } from './grants.ts';
import {
  type GrantsUnderTest,
  grantsUnderTest,
  projectId,
  sampleGateway,
  sampleSubject,
  sampleTarget,
  sampleTraits,
} from './sample-grants.ts';

const granted = sampleGateway('shared', 'granted');
const open = sampleGateway('open', 'open');
const alice = sampleSubject('alice');
const bob = sampleSubject('bob');
const createIssue = sampleTarget('Github.CreateIssue');
const everything: Pick<GrantRequest, 'tools' | 'effect'> = { tools: ['*'], effect: 'allow' };

let db: Db;
before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());

/** Whether each of these subjects is allowed. */
function allowed(
  { grants }: GrantsUnderTest,
  gateway: Gateway | null,
  target: RuleTarget,
  ...subjects: readonly Subject[]
): boolean[] {
  return subjects.map((subject) => grants.decide(subject, gateway, target).allowed);
}

test('a gateway that takes grants starts from nothing, an open one and no gateway from all', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  assert.deepEqual(under.grants.decide(alice, granted, createIssue), { allowed: false, grantIds: [] });
  for (const gateway of [open, null])
    assert.deepEqual(under.grants.decide(alice, gateway, createIssue), { allowed: true, grantIds: [] });

  under.put({ subject: { user: 'alice' }, tools: ['github.*'], effect: 'allow' });
  const [entry] = under.entries.list(projectId);
  const grantIds = [entry?.id];
  assert.deepEqual(under.grants.decide(alice, granted, createIssue), { allowed: true, grantIds });
  assert.deepEqual(under.grants.decide(alice, open, createIssue), { allowed: true, grantIds: [] });
  assert.deepEqual(allowed(under, granted, sampleTarget('Slack.Send'), alice), [false]);
  assert.deepEqual(allowed(under, granted, createIssue, bob), [false]);
});

test('a grant that denies acts everywhere, and beats those that allow', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  under.put(
    { subject: { everyone: true }, tools: ['*.Create*'], effect: 'deny' },
    { subject: { user: 'alice' }, tools: ['Github.CreateIssue'], effect: 'allow' },
  );
  const [denies] = under.entries.list(projectId);
  for (const gateway of [granted, open, null])
    assert.deepEqual(under.grants.decide(alice, gateway, createIssue), {
      allowed: false,
      grantIds: [denies?.id],
    });
});

test('a grant for one gateway says nothing of another, nor of what comes without a gateway', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  under.put(
    { subject: { everyone: true }, ...everything, gateway: 'shared' },
    { subject: { user: 'bob' }, tools: ['*'], effect: 'deny', gateway: 'open' },
  );
  const other = sampleGateway('other', 'granted');
  assert.deepEqual(
    [granted, other, open, null].map((gateway) => allowed(under, gateway, createIssue, alice, bob)),
    [
      [true, true],
      [false, false],
      [true, false],
      [true, true],
    ],
  );
});

test('a user, a group and a claim of one name are three subjects, and so are values of several types', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const inGroup = sampleSubject('carol', { groups: ['alice'] });
  const claiming = (team: unknown) => sampleSubject('carol', { claims: { team } });
  const who = [alice, inGroup, claiming('alice'), claiming(['x', 'alice']), claiming(1), claiming('1')];
  const cases: [GrantRequest['subject'], boolean[]][] = [
    [{ user: 'alice' }, [true, false, false, false, false, false]],
    [{ group: 'alice' }, [false, true, false, false, false, false]],
    [{ claim: { name: 'team', value: 'alice' } }, [false, false, true, true, false, false]],
    [{ claim: { name: 'team', value: 1 } }, [false, false, false, false, true, false]],
    [{ claim: { name: 'team', value: '1' } }, [false, false, false, false, false, true]],
    [{ claim: { name: 'toString', value: 'alice' } }, [false, false, false, false, false, false]],
    [{ everyone: true }, [true, true, true, true, true, true]],
  ];
  for (const [subject, expected] of cases) {
    under.put({ subject, ...everything });
    assert.deepEqual(allowed(under, granted, createIssue, ...who), expected, JSON.stringify(subject));
  }
});

test('a user who is not named is given what everyone is given', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const nobody = sampleSubject(null);
  under.put({ subject: { user: 'null' }, ...everything });
  assert.deepEqual(allowed(under, granted, createIssue, nobody), [false]);
  under.put({ subject: { everyone: true }, ...everything });
  assert.deepEqual(allowed(under, granted, createIssue, nobody), [true]);
});

test('metadata must fit as well as the name; prompts and resources only read', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const mail = sampleTarget('Mail.List', sampleTraits({ readOnly: true, serviceDomains: ['Email'] }));
  const prompt = sampleTarget('Mail.greeting', null);
  const who: GrantRequest = { subject: { everyone: true }, tools: ['*'], effect: 'allow' };
  const asked = () => [mail, createIssue, prompt].map((target) => allowed(under, granted, target, alice)[0]);

  under.put({ ...who, metadata: { read_only: true } });
  assert.deepEqual(asked(), [true, false, true]);
  under.put({ ...who, metadata: { service_domains: ['email', 'chat*'] } });
  assert.deepEqual(asked(), [true, false, false]);
  under.put({ ...who, metadata: {} }, { ...who, effect: 'deny', metadata: { destructive: true } });
  assert.deepEqual(asked(), [false, false, true]);
});

test('what a tool says of itself now is what counts, also where its id and its name stay', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  under.put({ subject: { everyone: true }, ...everything, metadata: { read_only: true } });
  const before = sampleTarget('Mail.List', sampleTraits({ readOnly: true }));
  const now = { ...before, traits: sampleTraits() };
  const renamed = { ...before, ruleName: 'other/Mail.List' };
  assert.deepEqual(allowed(under, granted, before, alice), [true]);
  assert.deepEqual(allowed(under, granted, now, alice), [false]);
  under.put({ subject: { everyone: true }, tools: ['mail.*'], effect: 'allow' });
  assert.deepEqual(allowed(under, granted, before, alice), [true]);
  assert.deepEqual(allowed(under, granted, renamed, alice), [false]);
});

test('grants of one project say nothing in another', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  under.put({ subject: { everyone: true }, ...everything });
  const elsewhere = { ...createIssue, projectId: 'other' };
  assert.deepEqual(allowed(under, granted, elsewhere, alice), [false]);
  assert.deepEqual(
    under.grants.filter(alice, granted, [createIssue, elsewhere], (target) => target),
    [createIssue],
  );
});

test('a grant made, changed or removed by an administrator counts from the next decision', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const forAlice: GrantRequest = { subject: { user: 'alice' }, ...everything };
  const asked = () => allowed(under, granted, createIssue, alice, bob);
  assert.deepEqual(asked(), [false, false]);
  const { id } = await under.entries.create(projectId, forAlice);
  assert.deepEqual(asked(), [true, false]);
  await under.entries.replace(projectId, id, { ...forAlice, subject: { user: 'bob' } });
  assert.deepEqual(asked(), [false, true]);
  await under.entries.remove(projectId, id);
  assert.deepEqual(asked(), [false, false]);
});

describe('a grant that expires', () => {
  const soon = (clock: { now(): number }, ms: number) => new Date(clock.now() + ms).toISOString();

  test('does nothing from that millisecond on, though nobody was told yet', async (t) => {
    const under = await grantsUnderTest(db);
    t.after(under.grants.close);
    under.put({ subject: { user: 'alice' }, ...everything, expires_at: soon(under.clock, 500) });
    under.clock.advance(499);
    assert.deepEqual(allowed(under, granted, createIssue, alice), [true]);
    under.clock.advance(1);
    assert.deepEqual(under.told, []);
    assert.deepEqual(allowed(under, granted, createIssue, alice), [false]);
  });

  test('denies no longer', async (t) => {
    const under = await grantsUnderTest(db);
    t.after(under.grants.close);
    under.put({
      subject: { everyone: true },
      tools: ['*'],
      effect: 'deny',
      expires_at: soon(under.clock, 500),
    });
    assert.deepEqual(allowed(under, open, createIssue, alice), [false]);
    under.clock.advance(500);
    assert.deepEqual(allowed(under, open, createIssue, alice), [true]);
  });

  test('changes the state of the policy, and its gateway is told within a second', async (t) => {
    const under = await grantsUnderTest(db);
    t.after(under.grants.close);
    const one: GrantRequest = { subject: { user: 'alice' }, ...everything, gateway: 'shared' };
    under.put({ ...one, expires_at: soon(under.clock, 500) });
    const [revision, fingerprint] = [under.grants.revision(), under.grants.fingerprint()];
    under.clock.advance(500);
    assert.ok(under.grants.revision() > revision);
    assert.notEqual(under.grants.fingerprint(), fingerprint);
    under.clock.advance(500);
    assert.deepEqual(under.told, ['shared']);
    under.clock.advance(5000);
    assert.deepEqual(under.told, ['shared']);
  });

  test('on every gateway is told of once, for all of them', async (t) => {
    const under = await grantsUnderTest(db);
    t.after(under.grants.close);
    const expiring: GrantRequest = {
      subject: { everyone: true },
      ...everything,
      expires_at: soon(under.clock, 10),
    };
    under.put(expiring, { ...expiring, gateway: 'shared' });
    under.clock.advance(1000);
    assert.deepEqual(under.told, [null]);
  });

  test('and was prolonged in time acts on', async (t) => {
    const under = await grantsUnderTest(db);
    t.after(under.grants.close);
    const one: GrantRequest = { subject: { user: 'alice' }, ...everything };
    const made = await under.entries.create(projectId, { ...one, expires_at: soon(under.clock, 500) });
    await under.entries.replace(projectId, made.id, { ...one, expires_at: soon(under.clock, 1500) });
    under.clock.advance(1000);
    assert.deepEqual(allowed(under, granted, createIssue, alice), [true]);
    under.clock.advance(500);
    assert.deepEqual(allowed(under, granted, createIssue, alice), [false]);
    await under.entries.replace(projectId, made.id, one);
    assert.deepEqual(allowed(under, granted, createIssue, alice), [true]);
    await under.entries.remove(projectId, made.id);
    assert.deepEqual(allowed(under, granted, createIssue, alice), [false]);
  });

  test('leaves the same fingerprint whether one saw it expire or came later', async (t) => {
    const under = await grantsUnderTest(db);
    t.after(under.grants.close);
    const early: GrantRequest = {
      subject: { user: 'alice' },
      ...everything,
      expires_at: soon(under.clock, 500),
    };
    const made = await under.entries.create(projectId, early);
    t.after(() => under.entries.remove(projectId, made.id));
    under.clock.advance(500);
    const clock = manualClock(under.clock.now());
    const entries = await createEntries<GrantRequest>(
      { db, changes: await changesAlone(db), clock },
      'grant',
    );
    const restarted = createGrants({ entries, clock, onExpired() {} });
    t.after(restarted.close);
    assert.equal(restarted.decide(alice, granted, createIssue).allowed, false);
    assert.equal(restarted.fingerprint(), under.grants.fingerprint());
    assert.notEqual(restarted.fingerprint(), entries.fingerprint());
  });
});

test('a grant that is changed while it is being deleted acts no more', async (t) => {
  const clock = manualClock();
  const entries = await createEntries<GrantRequest>({ db, changes: await changesAlone(db), clock }, 'grant');
  const grants = createGrants({ entries, clock, onExpired() {} });
  t.after(grants.close);
  const untouched = grants.fingerprint();
  const asked: GrantRequest = { subject: { user: 'alice' }, ...everything };
  const { id } = await entries.create(projectId, asked);
  const changing = entries.replace(projectId, id, { ...asked, description: 'changed' });
  const deleting = entries.remove(projectId, id);
  const again = entries.replace(projectId, id, { ...asked, description: 'changed again' });
  assert.deepEqual(
    (await Promise.all([changing, deleting, again])).map(({ ok }) => ok),
    [true, true, false],
  );
  assert.equal(grants.decide(alice, granted, createIssue).allowed, false);
  assert.equal(grants.fingerprint(), untouched);
});

test('a list that is allowed whole is given back itself, and one that was asked for before is given again', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const items = Array.from({ length: 500 }, (_, n) => sampleTarget(`Kit${n % 7}.Tool${n}`));
  const filter = (subject: Subject, gateway: Gateway | null) =>
    under.grants.filter(subject, gateway, items, (target) => target);
  assert.equal(filter(alice, open), items);
  under.put(
    { subject: { user: 'alice' }, ...everything },
    { subject: { user: 'bob' }, tools: ['kit3.*'], effect: 'allow' },
  );
  assert.equal(filter(alice, granted), items);
  const left = filter(bob, granted);
  assert.deepEqual(
    left,
    items.filter(({ ruleName }) => ruleName.startsWith('Kit3.')),
  );
  assert.equal(filter(sampleSubject('bob'), granted), left);
  assert.equal(filter(bob, open), items);
});

test('claims that grants go by are known, for as long as one does', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const byClaim = (name: string, value: string): GrantRequest => ({
    subject: { claim: { name, value } },
    ...everything,
  });
  assert.deepEqual(under.grants.claimNames(projectId), new Set());
  under.put(byClaim('team', 'a'), byClaim('team', 'b'), byClaim('dept', 'a'));
  assert.deepEqual(under.grants.claimNames(projectId), new Set(['team', 'dept']));
  assert.deepEqual(under.grants.claimNames('other'), new Set());
  under.put(byClaim('team', 'b'));
  assert.deepEqual(under.grants.claimNames(projectId), new Set(['team']));
});

test('an explanation tells of every grant that speaks of the tool why it acts for the user or does not', async (t) => {
  const under = await grantsUnderTest(db);
  t.after(under.grants.close);
  const expires_at = new Date(under.clock.now() + 500).toISOString();
  const subject: GrantRequest['subject'][] = [
    { user: 'alice' },
    { user: 'bob' },
    { group: 'dev' },
    { group: 'ops' },
    { claim: { name: 'team', value: 'red' } },
    { claim: { name: 'team', value: 'blue' } },
    { claim: { name: 'level', value: 3 } },
    { everyone: true },
  ];
  under.put(
    ...subject.map((one): GrantRequest => ({ subject: one, ...everything })),
    { subject: { user: 'alice' }, ...everything, expires_at },
    { subject: { user: 'alice' }, ...everything, gateway: 'other' },
    { subject: { user: 'alice' }, tools: ['Slack.*'], effect: 'allow' },
  );
  under.clock.advance(500);
  const who = sampleSubject('alice', { groups: ['dev'], claims: { team: ['red'] } });
  const told = under.grants.explain(who, granted, createIssue);
  assert.deepEqual(
    told.map(({ matches, why }) => [matches, why]),
    [
      [true, 'it is for user "alice"'],
      [false, 'it is for user "bob", and this is "alice"'],
      [true, 'it is for group "dev", which the user is in'],
      [false, 'it is for group "ops", which the user is not in'],
      [true, 'it is for those whose claim "team" is "red" or holds it, as this user\'s does'],
      [false, 'it is for those whose claim "team" is "blue" or holds it, and this user\'s is another'],
      [false, 'it is for those whose claim "level" is 3 or holds it, and this user has no such claim'],
      [true, 'it is for everyone'],
      [false, `it expired at ${expires_at}`],
    ],
  );
});
