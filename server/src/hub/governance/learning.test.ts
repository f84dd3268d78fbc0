import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Clock, manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase } from '../../../test/database.ts';
import {
  clearGovernance,
  type GovernanceBeside,
  offerMail,
  openGovernanceBeside,
  project,
} from './fixtures/governance-beside.ts';
import { createQueries } from './queries.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

let db: Db;
let one: GovernanceBeside;
let other: GovernanceBeside;

before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  await clearGovernance(db);
  one = await openGovernanceBeside(db);
  other = await openGovernanceBeside(db);
  await offerMail(one.catalog);
});
afterEach(async () => {
  await other.close();
  await one.close();
});

/** Searches and uses the tool, on this replica, and waits until that is over and written. */
async function leads(bearer: string, query: string, name = 'Mail.Send', { governance, clock } = one) {
  const { id } = one.tool(name);
  governance.searched(bearer, project, [{ query, hits: [{ id, alike: [] }] }]);
  governance.executed(bearer, project, id, true);
  clock.advance(11 * minuteMs);
  await governance.administration.forgetLearned(project, { query: 'nobody said this' });
}

const learnedOf = ({ governance }: GovernanceBeside, name = 'Mail.Send') =>
  governance.learnedOf(project, one.tool(name).id);
const queriesOf = (beside: GovernanceBeside) => learnedOf(beside).map(({ query }) => query);
const rows = () => db.query<{ query: string; callers: object }>('select * from hub_queries');

async function look(): Promise<void> {
  for (const { changes } of [one, other]) assert.equal(await changes.look(), true);
}

describe('what is learned from use', () => {
  it('is told of, and is the same on another replica and after a restart', async () => {
    await leads('ann', 'Post a letter');
    await look();
    const expected = [{ query: 'post a letter', weight: Math.log2(2) / Math.log2(17) }];
    for (const beside of [one, other]) {
      assert.deepEqual(learnedOf(beside), expected);
      assert.deepEqual(beside.told, [`${project} ${one.tool('Mail.Send').id}`]);
    }
    const restarted = await openGovernanceBeside(db);
    assert.deepEqual(learnedOf(restarted), expected);
    await restarted.close();
    assert.deepEqual(one.governance.learnedOf('other', one.tool('Mail.Send').id), []);
  });

  it('is nothing where the tool failed', async () => {
    const { id } = one.tool('Mail.Send');
    one.governance.searched('ann', project, [{ query: 'post a letter', hits: [{ id, alike: [] }] }]);
    one.governance.executed('ann', project, id, false);
    await one.governance.close();
    assert.deepEqual(await rows(), []);
  });

  it('weighs as many callers as say it, wherever, and no more for those who repeat it', async () => {
    for (let day = 0; day < 3; day++) {
      for (let n = 0; n < 3; n++) await leads('eve', 'post a letter');
      one.clock.advance(dayMs);
    }
    const once = Math.log2(2) / Math.log2(17);
    assert.deepEqual(learnedOf(one), [{ query: 'post a letter', weight: once }]);
    for (let n = 0; n < 20; n++) {
      await leads(`caller ${n}`, 'post a letter', 'Mail.Send', n % 2 === 0 ? one : other);
      await look();
    }
    assert.deepEqual(learnedOf(other), [{ query: 'post a letter', weight: 1 }]);
    assert.deepEqual(learnedOf(one), learnedOf(other));
  });

  it('says nowhere who said it', async () => {
    await leads('["default","key_1","ann@example.com"]', 'post a letter');
    await leads('["default","key_1","ann@example.com"]', 'read it', 'Mail.Read');
    const kept = await rows();
    assert.equal(kept.length, 2);
    assert.doesNotMatch(JSON.stringify(kept), /ann|key_1/);
    const [first, second] = kept.map(({ callers }) => Object.keys(callers)[0]);
    assert.notEqual(first, second, 'two tools cannot be told to have one caller');
  });

  it('is forgotten by one wording, by tool, and all at once, on every replica', async () => {
    const { administration } = one.governance;
    await leads('ann', 'post a letter');
    await leads('bob', 'write to a friend');
    await leads('ann', 'post a letter', 'Mail.Move');
    await leads('ann', 'read letters', 'Mail.Read');
    await look();
    const { id } = one.tool('Mail.Send');
    assert.equal(await administration.forgetLearned(project, { toolId: id, query: 'Write to a friend!' }), 1);
    await look();
    assert.deepEqual(queriesOf(one), ['post a letter']);
    assert.deepEqual(queriesOf(other), ['post a letter']);
    assert.equal(await administration.forgetLearned(project, { query: 'post a letter' }), 2);
    await look();
    assert.deepEqual(queriesOf(other), []);
    assert.deepEqual(learnedOf(other, 'Mail.Move'), []);
    await leads('ann', 'move letters', 'Mail.Move');
    assert.equal(await administration.forgetLearned(project, { toolId: one.tool('Mail.Move').id }), 1);
    assert.equal(await administration.forgetLearned(project, {}), 1);
    await look();
    assert.deepEqual(other.governance.administration.learned(project), []);
    assert.deepEqual(await rows(), []);
  });

  it('of another project stays when all of one is forgotten', async () => {
    one.governance.searched('ann', 'foreign', [
      { query: 'post a letter', hits: [{ id: 'tool_1', alike: [] }] },
    ]);
    one.governance.executed('ann', 'foreign', 'tool_1', true);
    await leads('bob', 'post a letter');
    assert.equal(await one.governance.administration.forgetLearned(project, {}), 1);
    assert.equal(one.governance.administration.learned('foreign').length, 1);
  });

  it('goes when nobody has said it for half a year', async () => {
    await leads('ann', 'post a letter');
    await leads('ann', 'write to a friend');
    const longAgo = new Date(one.clock.now() - 181 * dayMs).toISOString();
    await db.query("update hub_queries set last_used = $1 where query = 'post a letter'", [longAgo]);
    one.clock.advance(dayMs);
    await one.governance.administration.forgetLearned(project, { query: 'nobody said this' });
    await look();
    assert.deepEqual(queriesOf(one), ['write to a friend']);
    assert.deepEqual(queriesOf(other), ['write to a friend']);
  });

  it('is neither gathered nor used while learning is off, and can still be forgotten', async () => {
    await leads('ann', 'post a letter');
    const { governance, told } = one;
    const { id } = one.tool('Mail.Send');
    governance.searched('kim', project, [{ query: 'before it was off', hits: [{ id, alike: [] }] }]);
    governance.executed('kim', project, id, true);
    const toldBefore = told.length;
    governance.learn(false);
    assert.deepEqual(told.slice(toldBefore), [`${project} *`]);
    assert.deepEqual(learnedOf(one), []);
    await leads('bob', 'write to a friend');
    governance.searched('bob', project, [{ query: 'write to a friend', hits: [{ id, alike: [] }] }]);
    assert.equal(governance.queryFor('bob', id), null);
    assert.equal((await rows()).length, 1);
    governance.learn(true);
    governance.learn(true);
    assert.equal(told.length, toldBefore + 2);
    assert.deepEqual(queriesOf(one), ['post a letter']);
    governance.learn(false);
    assert.equal(governance.administration.learned(project).length, 1);
    assert.equal(await governance.administration.forgetLearned(project, {}), 1);
  });
});

describe('queries of a project', () => {
  let clock: Clock & { advance(ms: number): void };
  let changes: Changes;
  beforeEach(async () => {
    clock = manualClock();
    changes = await openChanges(db, { clock, log: silentLog }, true);
  });
  afterEach(() => changes.close());

  async function openQueries(maxPerProject: number) {
    return createQueries({
      ...{ db, changes, clock, log: silentLog, key: Buffer.alloc(32, 1), maxPerProject },
      onChange: () => undefined,
    });
  }

  it('are bounded: those go that the fewest said, in memory and in the database', async () => {
    const queries = await openQueries(40);
    const said = (toolId: string, query: string, bearer: string) =>
      queries.note({ projectId: 'p', toolId, query, bearer, outcome: 'led' });
    for (const bearer of ['ann', 'bob']) said('tool_proven', 'what many say', bearer);
    for (let n = 0; n < 100; n++) {
      clock.advance(1000);
      said(`tool_${n}`, `query ${n}`, 'eve');
    }
    await queries.close();
    const kept = await rows();
    assert.ok(kept.length <= 40 && kept.length >= 38, `${kept.length}`);
    assert.ok(kept.some(({ query }) => query === 'what many say'));
    assert.ok(kept.some(({ query }) => query === 'query 99'));
    assert.equal(queries.list('p', 'led').length, kept.length);
    const again = await openQueries(40);
    assert.deepEqual(again.list('p', 'led'), queries.list('p', 'led'));
    await again.close();
  });

  it('of two replicas that write at once are all there, each counted once', async () => {
    const [first, second] = [await openQueries(1000), await openQueries(1000)];
    for (const [at, queries] of [first, second].entries())
      for (let n = 0; n < 10; n++)
        queries.note({
          projectId: 'p',
          toolId: `tool_${n % 3}`,
          query: `query ${n % 5}`,
          bearer: `caller ${at}`,
          outcome: 'led',
        });
    await Promise.all([first.close(), second.close()]);
    await changes.look();
    assert.deepEqual(first.list('p', 'led'), second.list('p', 'led'));
    for (const { callers, uses } of first.list('p', 'led')) assert.ok(callers <= 2 && uses <= 2);
    assert.equal(first.list('p', 'led').length, 10);
  });
});
