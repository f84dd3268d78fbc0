import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { RuleRequest, SubjectSelector } from '@sallyport/contracts';
import type { Caller, Gateway, Subject } from '#domain';
import { createSealer, manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../test/database.ts';
import type { Entry } from '../entries.ts';
import { createApprovals } from './approvals.ts';
import type { Approvals, HeldCall } from './contract.ts';

const boss: Subject = { userId: 'boss', groups: [], claims: {} };
const lead: Subject = { userId: 'lead', groups: ['leads'], claims: {} };

function ruleOf(id: string, approvers: SubjectSelector[], more: Partial<RuleRequest> = {}) {
  const definition: RuleRequest = {
    name: `rule ${id}`,
    direction: 'input',
    tools: ['*'],
    condition: 'true',
    action: 'approve',
    approvers,
    ...more,
  };
  return { id, projectId: 'default', origin: 'api', definition } as Entry<RuleRequest>;
}

const byBoss = ruleOf('r1', [{ user: 'boss' }]);

interface Differing {
  readonly user?: string;
  readonly key?: string;
  readonly gateway?: string;
  readonly tool?: string;
  readonly args?: object;
  readonly rules?: readonly Entry<RuleRequest>[];
  readonly continues?: boolean;
  readonly personId?: string;
}

function callOf({
  user = 'ann',
  personId,
  key = 'key_1',
  gateway = 'gw_1',
  tool = 't1',
  args = {},
  rules,
  continues = false,
}: Differing = {}): HeldCall {
  const known = personId === undefined ? {} : { personId };
  const principal = { id: key, projectId: 'default' };
  const caller = { userId: user, groups: [], claims: {}, principal, ...known };
  return {
    caller: caller as unknown as Caller,
    gateway: { id: gateway, slug: `slug-${gateway}` } as Gateway,
    target: { id: tool, projectId: 'default', sourceId: 's', ruleName: `Kit.${tool}` },
    args: { amount: 5, ...args },
    rules: rules ?? [byBoss],
    continues,
  };
}

let db: Db;
let approvals: Approvals;
let clock: ReturnType<typeof manualClock>;
const sealer = createSealer(Buffer.alloc(32, 7));
before(async () => {
  db = await openTestDatabase();
});
after(() => db?.close());
beforeEach(async () => {
  await db.query('delete from approvals');
  clock = manualClock();
  approvals = createApprovals({ db, clock, sealer });
});

/** What became of a call: `approved`, or the code it was refused with; and the id of its approval. */
async function make(call: HeldCall): Promise<{ readonly outcome: string; readonly id: string }> {
  const redeemed = await approvals.redeem(call);
  return redeemed.ok
    ? { outcome: 'approved', id: redeemed.value.id }
    : { outcome: redeemed.error.code, id: redeemed.error.approvalId ?? '' };
}

async function decide(id: string, verdict: 'approved' | 'denied', approver = boss): Promise<string> {
  const decided = await approvals.decide('default', id, approver, verdict, null);
  return decided.ok ? decided.value.status : decided.error.code;
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await approvals.get('default', id, null))?.status;
}

const required = 'policy.approval_required';

describe('a held call', () => {
  it('waits under one id, however often it is made meanwhile', async () => {
    const first = await make(callOf());
    assert.equal(first.outcome, required);
    assert.deepEqual(await make(callOf()), first);
    assert.equal((await approvals.list('default', { limit: 10, offset: 0 })).total, 1);
  });

  it('made ten times at once is one that waits', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => make(callOf())));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  });

  it('tells its caller what it waits for, and how it goes on', async () => {
    const spoken = ruleOf('r2', [{ user: 'boss' }], { message: 'Payments need a second pair of eyes.' });
    const redeemed = await approvals.redeem(callOf({ rules: [spoken] }));
    assert.ok(!redeemed.ok);
    const { message, details, approvalId } = redeemed.error;
    assert.match(message, /^Payments need a second pair of eyes\.\n/);
    assert.match(message, /did not run yet/);
    assert.ok(message.includes(approvalId ?? '?'));
    assert.deepEqual(details, {
      approval: {
        id: approvalId,
        status: 'pending',
        expires_at: '2026-01-01T01:00:00.000Z',
        rules: ['rule r2'],
        resume: 'make the same call again once it is approved',
      },
    });
  });

  it('runs once when it is approved, and then waits anew', async () => {
    const { id } = await make(callOf());
    assert.equal(await decide(id, 'approved'), 'approved');
    assert.deepEqual(await make(callOf()), { outcome: 'approved', id });
    assert.equal(await statusOf(id), 'used');
    const again = await make(callOf());
    assert.equal(again.outcome, required);
    assert.notEqual(again.id, id);
  });

  it('approved and made ten times at once runs once', async () => {
    const { id } = await make(callOf());
    await decide(id, 'approved');
    const made = await Promise.all(Array.from({ length: 10 }, () => make(callOf())));
    assert.equal(made.filter(({ outcome }) => outcome === 'approved').length, 1);
    assert.equal(new Set(made.filter(({ outcome }) => outcome === required).map((one) => one.id)).size, 1);
  });

  it('names whoever agreed', async () => {
    const { id } = await make(callOf());
    await decide(id, 'approved');
    assert.deepEqual(await approvals.redeem(callOf()), { ok: true, value: { id, decidedBy: 'boss' } });
  });

  it('may go on, and not begin again, where its source asked something first', async () => {
    const { id } = await make(callOf());
    await decide(id, 'approved');
    await make(callOf());
    await approvals.giveBack(id);
    assert.equal((await make(callOf())).outcome, required);
    assert.deepEqual(await make(callOf({ continues: true })), { outcome: 'approved', id });
    assert.equal((await make(callOf({ continues: true }))).outcome, required);
  });

  it('is refused when it is denied, until that is over', async () => {
    const { id } = await make(callOf());
    assert.equal(await decide(id, 'denied'), 'denied');
    assert.deepEqual(await make(callOf()), { outcome: 'policy.approval_denied', id });
    clock.advance(3_600_000);
    const later = await make(callOf());
    assert.equal(later.outcome, required);
    assert.notEqual(later.id, id);
  });
});

describe('an approval is for one call only:', () => {
  const others: Readonly<Record<string, Differing>> = {
    'other arguments': { args: { amount: 6 } },
    'one more argument': { args: { more: null } },
    'another user': { user: 'bob' },
    'another key': { key: 'key_2' },
    'another gateway': { gateway: 'gw_2' },
    'another tool': { tool: 't2' },
    'another rule': { rules: [byBoss, ruleOf('r9', [{ user: 'boss' }])] },
  };
  for (const [what, differing] of Object.entries(others)) {
    it(`${what} need another`, async () => {
      const { id } = await make(callOf());
      await decide(id, 'approved');
      const other = await make(callOf(differing));
      assert.equal(other.outcome, required);
      assert.notEqual(other.id, id);
      assert.equal(await statusOf(id), 'approved');
    });
  }

  it('the same arguments in another order are the same call', async () => {
    const { id } = await make(callOf({ args: { a: { x: 1, y: [1, 2] }, b: 2 } }));
    const same = await make(callOf({ args: { b: 2, a: { y: [1, 2], x: 1 } } }));
    assert.equal(same.id, id);
    const swapped = await make(callOf({ args: { b: 2, a: { y: [2, 1], x: 1 } } }));
    assert.notEqual(swapped.id, id);
  });
});

describe('time', () => {
  it('nobody decides in time: it is expired, and the next call waits anew', async () => {
    const { id } = await make(callOf());
    clock.advance(3_600_000);
    assert.equal(await statusOf(id), 'expired');
    assert.equal(await decide(id, 'approved'), 'resource.conflict');
    const next = await make(callOf());
    assert.equal(next.outcome, required);
    assert.notEqual(next.id, id);
    assert.equal(await statusOf(id), 'expired');
  });

  it('an approved call has the whole time again, and no more', async () => {
    const { id } = await make(callOf());
    clock.advance(3_599_000);
    await decide(id, 'approved');
    clock.advance(3_599_000);
    assert.equal(await statusOf(id), 'approved');
    clock.advance(1000);
    assert.equal(await statusOf(id), 'expired');
    assert.equal((await make(callOf())).outcome, required);
  });

  it('of several rules the shortest time holds', async () => {
    const rules = [60, 20, 40].map((seconds) =>
      ruleOf(`r${seconds}`, [{ user: 'boss' }], { approval_ttl_seconds: seconds }),
    );
    const { id } = await make(callOf({ rules }));
    clock.advance(20_000);
    assert.equal(await statusOf(id), 'expired');
  });

  it('what expired a month ago is gone', async () => {
    const { id } = await make(callOf());
    clock.advance(31 * 86_400_000);
    await make(callOf({ args: { n: 1 } }));
    assert.equal(await statusOf(id), 'expired');
    clock.advance(2 * 3_600_000);
    await make(callOf({ args: { n: 2 } }));
    assert.equal(await statusOf(id), undefined);
  });
});

describe('who decides', () => {
  it('not whoever makes the call, even where everyone may', async () => {
    const { id } = await make(callOf({ rules: [ruleOf('r1', [{ everyone: true }])] }));
    const ann: Subject = { userId: 'ann', groups: ['leads'], claims: {} };
    assert.equal(await decide(id, 'approved', ann), 'identity.user_refused');
    assert.equal(await decide(id, 'denied', ann), 'identity.user_refused');
    assert.equal(await statusOf(id), 'pending');
    assert.equal(await decide(id, 'approved', boss), 'approved');
  });

  it('not whoever makes the call under another user id of theirs', async () => {
    const rules = [ruleOf('r1', [{ everyone: true }])];
    const { id } = await make(callOf({ personId: 'usr_1', rules }));
    const mail = { userId: 'ann@example.com', groups: [], claims: {} };
    const ann: Subject = { ...mail, personId: 'usr_1' };
    assert.equal(await decide(id, 'approved', ann), 'identity.user_refused');
    assert.equal(await decide(id, 'approved', { ...mail, personId: 'usr_2' }), 'approved');
  });

  it('not whoever the rule does not name', async () => {
    const { id } = await make(callOf());
    assert.equal(await decide(id, 'approved', lead), 'identity.user_refused');
  });

  it('one of a group, or one with a claim', async () => {
    const { id } = await make(callOf({ rules: [ruleOf('r1', [{ group: 'leads' }])] }));
    assert.equal(await decide(id, 'approved', boss), 'identity.user_refused');
    assert.equal(await decide(id, 'approved', lead), 'approved');
    const claimed = ruleOf('r2', [{ claim: { name: 'role', value: 'cfo' } }]);
    const other = await make(callOf({ rules: [claimed] }));
    const cfo: Subject = { userId: 'carl', groups: [], claims: { role: ['cfo'] } };
    assert.equal(await decide(other.id, 'approved', cfo), 'approved');
  });

  it('of several rules, one who may for each', async () => {
    const both: Subject = { userId: 'boss', groups: ['leads'], claims: {} };
    const { id } = await make(callOf({ rules: [byBoss, ruleOf('r2', [{ group: 'leads' }])] }));
    assert.equal(await decide(id, 'approved', boss), 'identity.user_refused');
    assert.equal(await decide(id, 'approved', lead), 'identity.user_refused');
    assert.equal(await decide(id, 'approved', both), 'approved');
  });

  it('and only once, also when several do at the same time', async () => {
    const { id } = await make(callOf());
    const outcomes = await Promise.all([decide(id, 'approved'), decide(id, 'denied'), decide(id, 'denied')]);
    assert.equal(outcomes.filter((outcome) => outcome === 'resource.conflict').length, 2);
    assert.equal(await decide(id, 'approved'), 'resource.conflict');
  });

  it('nobody of what is not there, or is another project’s', async () => {
    const { id } = await make(callOf());
    assert.equal(await decide('apr_no', 'approved'), 'resource.unknown');
    const elsewhere = await approvals.decide('other', id, boss, 'approved', null);
    assert.equal(elsewhere.ok ? '' : elsewhere.error.code, 'resource.unknown');
  });
});

describe('what is shown and kept', () => {
  it('an approver sees who wants to call what, with which arguments', async () => {
    const { id } = await make(callOf({ args: { note: 'rent' } }));
    const shown = await approvals.get('default', id, boss);
    assert.equal(shown?.tool, 'Kit.t1');
    assert.equal(shown?.gateway, 'slug-gw_1');
    assert.equal(shown?.userId, 'ann');
    assert.deepEqual(shown?.args, { amount: 5, note: 'rent' });
    assert.equal(await approvals.get('default', id, lead), null);
    assert.equal(await approvals.get('other', id, null), null);
  });

  it('arguments lie sealed in the database, and open with the same key only', async () => {
    const { id } = await make(callOf({ args: { note: 'very private words' } }));
    const [row] = await db.query('select * from approvals');
    assert.doesNotMatch(JSON.stringify(row), /very private/);
    const stranger = createApprovals({ db, clock, sealer: createSealer(Buffer.alloc(32, 8)) });
    assert.equal((await stranger.get('default', id, null))?.args, null);
  });

  it('lists the newest first, by status and by who may decide', async () => {
    const ids: string[] = [];
    for (const n of [1, 2, 3]) {
      ids.unshift((await make(callOf({ args: { n } }))).id);
      clock.advance(1);
    }
    await make(callOf({ rules: [ruleOf('r2', [{ group: 'leads' }])] }));
    await decide(ids[0] as string, 'approved');
    const of = async (asked: object) => {
      const { items, total } = await approvals.list('default', { limit: 2, offset: 0, ...asked });
      return { ids: items.map(({ id }) => id), total };
    };
    assert.deepEqual(await of({ approver: boss }), { ids: ids.slice(0, 2), total: 3 });
    assert.deepEqual(await of({ approver: boss, offset: 2 }), { ids: ids.slice(2), total: 3 });
    assert.deepEqual(await of({ status: 'approved' }), { ids: ids.slice(0, 1), total: 1 });
    assert.equal((await of({ status: 'pending' })).total, 3);
    clock.advance(3_700_000);
    assert.deepEqual(await of({ status: 'pending' }), { ids: [], total: 0 });
    assert.equal((await of({ status: 'expired' })).total, 4);
    assert.equal((await approvals.list('other', { limit: 2, offset: 0 })).total, 0);
  });
});

describe('what a user can make us keep is bounded', () => {
  it('a hundred calls wait; another one is refused until one is decided or over', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 100; n++) ids.push((await make(callOf({ args: { n } }))).id);
    const refused = await approvals.redeem(callOf({ args: { n: 100 } }));
    assert.ok(!refused.ok);
    assert.equal(refused.error.code, required);
    assert.equal(refused.error.approvalId, undefined);
    assert.match(refused.error.message, /too many calls of this user wait already/);
    assert.notEqual((await make(callOf({ user: 'bob' }))).id, '');
    await decide(ids[0] as string, 'denied');
    assert.notEqual((await make(callOf({ args: { n: 100 } }))).id, '');
    clock.advance(3_600_000);
    assert.notEqual((await make(callOf({ args: { n: 101 } }))).id, '');
  });

  it('arguments that nobody could look through do not wait', async () => {
    const { outcome, id } = await make(callOf({ args: { text: 'x'.repeat(300_000) } }));
    assert.deepEqual({ outcome, id }, { outcome: required, id: '' });
    assert.equal((await approvals.list('default', { limit: 1, offset: 0 })).total, 0);
  });
});
