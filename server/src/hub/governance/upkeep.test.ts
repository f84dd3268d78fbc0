import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { JsonSchema } from '#domain';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../test/database.ts';
import {
  clearGovernance,
  type GovernanceBeside,
  offer,
  offerMail,
  openGovernanceBeside,
  project,
} from './fixtures/governance-beside.ts';

const dayMs = 24 * 3_600_000;

let db: Db;
let one: GovernanceBeside;

before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  await clearGovernance(db);
  one = await openGovernanceBeside(db);
  await offerMail(one.catalog);
});
afterEach(() => one.close());

const needs = () => one.governance.administration.needs(project);
const missing = (bearer: string, need: string) => one.governance.missing(bearer, project, need);
const review = async () =>
  (await one.governance.administration.review(project, { limit: 1000, offset: 0 })).items;

async function called(name: string, times: number, more: object = {}): Promise<void> {
  const { id, ruleName } = one.tool(name);
  const call = { kind: 'tool_call', decision: 'allowed', projectId: project, durationMs: 20 } as const;
  for (let n = 0; n < times; n++) await one.audit.record({ ...call, tool: ruleName, toolId: id, ...more });
}

describe('needs that no tool meets', () => {
  it('are one where they differ in case, spaces and the mark at the end only, and count each caller once a day', async () => {
    for (const said of ['Book a flight', ' book  a FLIGHT. ', 'book a flight!']) await missing('ann', said);
    await missing('bob', 'Book a flight');
    one.clock.advance(dayMs);
    await missing('ann', 'book a flight');
    await missing('ann', 'water the plants');
    assert.deepEqual(
      (await needs()).map(({ need, callers, reports }) => ({ need, callers, reports })),
      [
        { need: 'Book a flight', callers: 2, reports: 3 },
        { need: 'water the plants', callers: 1, reports: 1 },
      ],
    );
    assert.deepEqual(await one.governance.administration.needs('other'), []);
    assert.doesNotMatch(JSON.stringify(await db.query('select * from hub_needs')), /ann|bob/);
  });

  it('hold no personal data and no secret of a kind that is known', async () => {
    await missing('ann', 'tell bob@corp.example my key sk-abcdefghij0123456789ABCDEF please');
    assert.deepEqual(
      (await needs()).map(({ need }) => need),
      ['tell … my key … please'],
    );
  });

  it('are bounded: one caller fills the list with 20 at most, and pushes out nothing that others need', async () => {
    await missing('ann', 'what ann needs');
    for (let n = 0; n < 30; n++) {
      one.clock.advance(1000);
      await missing('eve', `need number ${'x'.repeat(n + 1)}`);
    }
    const kept = await needs();
    assert.equal(kept.length, 21);
    assert.ok(kept.some(({ need }) => need === 'what ann needs'));
  });

  it('can be forgotten, once, and only by their project', async () => {
    await missing('ann', 'book a flight');
    const [{ id = '' } = {}] = await needs();
    const { administration } = one.governance;
    assert.equal(await administration.forgetNeed('other', id), false);
    assert.equal(await administration.forgetNeed(project, id), true);
    assert.equal(await administration.forgetNeed(project, id), false);
    assert.deepEqual(await needs(), []);
  });

  it('that say nothing are not kept', async () => {
    for (const said of [' … ', '!', '\u0000']) await missing('ann', said);
    assert.deepEqual(await needs(), []);
  });
});

describe('the review queue', () => {
  const offerPost = (
    ...tools: readonly [name: string, description: string, inputSchema?: JsonSchema][]
  ): Promise<void> =>
    offer(
      one.catalog,
      'Post',
      tools.map(([name, description, inputSchema = { type: 'object' }]) => ({
        name,
        description,
        inputSchema,
      })),
    );
  const advice = async (name: string) =>
    (await review()).filter(({ tool }) => tool?.name === name).flatMap((item) => item.advice);
  const long = 'Delivers a parcel to whoever lives at the address that is given';

  it('names what tools do not tell of themselves, and nothing of tools that tell enough', async () => {
    await offerPost(
      ['Deliver', long, { properties: { to: { description: 'where' } } }],
      ['Weigh', ''],
      ['FrankLetter', 'frank letter'],
      ['Stamp', 'Puts a stamp on it'],
      ['run', long],
      ['Sort', long, { properties: { by: {}, desc: { description: ' ' }, at: { description: 'where' } } }],
    );
    const weigh = 'it has no description: say what it does, and when to use it';
    assert.deepEqual(await advice('Weigh'), [weigh]);
    assert.match((await advice('FrankLetter'))[0] ?? '', /^its description only repeats its name/);
    assert.match((await advice('Stamp'))[0] ?? '', /^its description has only 18 characters/);
    assert.match((await advice('run'))[0] ?? '', /^its name says nothing .* synonyms$/);
    assert.match((await advice('Sort'))[0] ?? '', /^nothing is said of its parameters "by", "desc": /);
    assert.deepEqual(await advice('Deliver'), []);
    const adviser = one.governance.administration.adviser(one.catalog.tools(project));
    assert.deepEqual(adviser.advice(one.tool('Post.Weigh')), [weigh]);
    const due = one.catalog.tools(project).filter(adviser.hasAdvice);
    assert.deepEqual(
      due.map(({ name }) => name),
      ['Weigh', 'FrankLetter', 'Stamp', 'run', 'Sort'],
    );
  });

  it('is satisfied by what people say of a tool, and leaves out what is hidden', async () => {
    await offerPost(['Weigh', ''], ['run', long], ['Stamp', '']);
    const { administration } = one.governance;
    assert.ok((await administration.curate(project, one.tool('Post.Weigh'), { when_to_use: long })).ok);
    assert.ok((await administration.curate(project, one.tool('Post.run'), { synonyms: ['courier'] })).ok);
    assert.ok((await administration.curate(project, one.tool('Post.Stamp'), { lifecycle: 'hidden' })).ok);
    assert.deepEqual(await review(), []);
  });

  it('asks for a successor of what is deprecated, and for another where it went', async () => {
    await offerPost(['Deliver', long], ['Carry', long]);
    const { administration } = one.governance;
    const deliver = one.tool('Post.Deliver');
    assert.ok((await administration.curate(project, deliver, { lifecycle: 'deprecated' })).ok);
    assert.match((await advice('Deliver'))[0] ?? '', /say what to use instead/);
    assert.ok((await administration.curate(project, deliver, {}, one.tool('Post.Carry').id)).ok);
    assert.deepEqual(await advice('Deliver'), []);
    await offerPost(['Deliver', long]);
    assert.match((await advice('Deliver'))[0] ?? '', /is not there any more/);
  });

  it('tells of examples that a tool takes no more', async () => {
    await offerPost(['Deliver', long, { properties: { to: { description: 'where' } }, required: ['to'] }]);
    const deliver = one.tool('Post.Deliver');
    const { administration } = one.governance;
    assert.ok((await administration.curate(project, deliver, { examples: [{ to: 'x' }] })).ok);
    assert.deepEqual(await advice('Deliver'), []);
    await offerPost(['Deliver', long, { properties: { at: { description: 'where' } }, required: ['at'] }]);
    assert.match((await advice('Deliver'))[0] ?? '', /no longer takes 1 of its examples/);
  });

  it('holds queries that missed, and needs, beside what is documented too little; what is used most comes first', async () => {
    await offerPost(['Weigh', ''], ['Stamp', '']);
    await called('Post.Stamp', 9);
    const { governance, clock } = one;
    for (const bearer of ['ann', 'bob', 'kim']) {
      governance.searched(bearer, project, [{ query: 'write to a friend', hits: [] }]);
      governance.executed(bearer, project, one.tool('Mail.Send').id, true);
    }
    clock.advance(11 * 60_000);
    await governance.administration.forgetLearned(project, { query: 'nobody said this' });
    await missing('ann', 'book a flight');
    const queue = await review();
    assert.deepEqual(
      queue.map(({ kind, tool, query }) => `${kind} ${tool?.name ?? '-'} ${query ?? '-'}`),
      [
        'documentation Stamp -',
        'missed_query Send write to a friend',
        'documentation Weigh -',
        'missing_tool - book a flight',
      ],
    );
    assert.match(queue[1]?.advice[0] ?? '', /^3 callers searched for this, and then used the tool/);
  });

  it('shows what was dismissed again only where something else is wrong with it', async () => {
    await offerPost(['Weigh', '']);
    const [item] = await review();
    assert.ok(item);
    const { administration } = one.governance;
    assert.equal(await administration.dismiss('other', item.id), null);
    assert.deepEqual(await administration.dismiss(project, item.id), item);
    assert.deepEqual(await review(), []);
    assert.equal(await administration.dismiss(project, item.id), null);
    await offerPost(['Weigh', '', { properties: { grams: {} } }]);
    assert.equal((await review()).length, 1);
  });
});

describe('usage', () => {
  it('is what the audit has of the last days, by tool', async () => {
    await called('Mail.Read', 2, { durationMs: 1000 });
    one.clock.advance(10 * dayMs);
    await called('Mail.Send', 3);
    await called('Mail.Send', 1, { durationMs: 500, decision: 'failed' });
    await called('Mail.Send', 1, { decision: 'refused', durationMs: null });
    await called('Mail.Send', 1, { durationMs: 160 });
    await called('Mail.Send', 1, { kind: 'admin' });
    await called('Mail.Send', 1, { projectId: 'other' });
    const { usage } = one.governance.administration;
    const [send, read] = [one.tool('Mail.Send').id, one.tool('Mail.Read').id];
    const ofWeek = await usage(project, 7);
    assert.deepEqual([...ofWeek.keys()], [send]);
    assert.deepEqual(ofWeek.get(send), {
      ...{ calls: 6, failures: 1, refusals: 1, typicalMs: 33.6 },
      lastUsed: one.clock.iso(),
    });
    assert.equal((await usage(project, 30)).get(read)?.typicalMs, 1000);
  });

  it('is counted anew after a minute', async () => {
    const { usage } = one.governance.administration;
    assert.equal((await usage(project, 7)).size, 0);
    await called('Mail.Send', 1);
    assert.equal((await usage(project, 7)).size, 0);
    one.clock.advance(60_000);
    assert.equal((await usage(project, 7)).size, 1);
  });
});
