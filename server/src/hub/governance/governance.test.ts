import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Caller } from '#domain';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../test/database.ts';
import { noCuration } from './contract.ts';
import {
  clearGovernance,
  type GovernanceBeside,
  offer,
  offerMail,
  openGovernanceBeside,
  principalWith,
  project,
} from './fixtures/governance-beside.ts';

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
  await look();
});
afterEach(async () => {
  await other.close();
  await one.close();
});

async function look(): Promise<void> {
  for (const { changes } of [one, other]) assert.equal(await changes.look(), true);
}

/** What a third process finds that starts now. */
async function afterRestart<T>(read: (restarted: GovernanceBeside) => T | Promise<T>): Promise<T> {
  const restarted = await openGovernanceBeside(db);
  try {
    return await read(restarted);
  } finally {
    await restarted.close();
  }
}

const callerWith = (principal: ReturnType<typeof principalWith>) =>
  ({ principal, userId: 'ann', groups: [], claims: {}, scopes: null }) as unknown as Caller;

describe('what people say of a tool', () => {
  const sent = () => one.tool('Mail.Send');

  async function curate(change: object, successorId?: string | null) {
    return one.governance.administration.curate(project, sent(), change, successorId);
  }

  it('is the same at once, on another replica, and after a restart', async () => {
    const { id } = sent();
    assert.deepEqual(one.governance.curationOf(project, id), noCuration);
    const change = { owner: 'team-mail', when_to_use: 'to write to somebody', synonyms: ['e-mail'] };
    const made = await curate({ ...change, examples: [{ to: 'a@b.example' }] });
    assert.ok(made.ok);
    const after = {
      ...noCuration,
      ...{ owner: 'team-mail', whenToUse: 'to write to somebody', synonyms: ['e-mail'] },
      examples: [{ to: 'a@b.example' }],
    };
    assert.deepEqual(made.value, { before: noCuration, after });
    await look();
    for (const { governance, told } of [one, other]) {
      assert.deepEqual(governance.curationOf(project, id), after);
      assert.deepEqual(told, [`${project} ${id}`]);
    }
    assert.deepEqual(await afterRestart(({ governance }) => governance.curationOf(project, id)), after);
    assert.deepEqual(one.governance.curationOf('other', id), noCuration);
  });

  it('outlives the going and coming back of the tool', async () => {
    assert.ok((await curate({ owner: 'team-mail' })).ok);
    const { id } = sent();
    await offer(one.catalog, 'Mail', []);
    assert.equal(one.catalog.findTool(project, 'Mail.Send'), null);
    await offerMail(one.catalog);
    assert.equal(one.governance.curationOf(project, sent().id).owner, 'team-mail');
    assert.equal(sent().id, id);
  });

  it('changes only where it was asked to, whoever changes the rest meanwhile', async () => {
    const changes = [
      one.governance.administration.curate(project, sent(), { owner: 'a' }),
      other.governance.administration.curate(project, sent(), { tags: ['post'] }),
      one.governance.administration.curate(project, sent(), { when_to_use: 'often' }),
    ];
    assert.ok((await Promise.all(changes)).every(({ ok }) => ok));
    await look();
    const { owner, tags, whenToUse } = other.governance.curationOf(project, sent().id);
    assert.deepEqual({ owner, tags, whenToUse }, { owner: 'a', tags: ['post'], whenToUse: 'often' });
    assert.ok((await curate({ owner: null, when_to_use: '  ' })).ok);
    assert.deepEqual(one.governance.curationOf(project, sent().id), { ...noCuration, tags: ['post'] });
  });

  it('leaves nothing behind when it is taken away, or says nothing any more', async () => {
    assert.ok((await curate({ owner: 'a' })).ok);
    const gone = await one.governance.administration.forgetCuration(project, sent().id);
    assert.equal(gone?.owner, 'a');
    assert.equal(await one.governance.administration.forgetCuration(project, sent().id), null);
    assert.ok((await curate({ owner: 'a' })).ok);
    assert.ok((await curate({ owner: null })).ok);
    await look();
    assert.equal(other.governance.administration.curated(project).size, 0);
    assert.deepEqual(await db.query('select * from hub_curations'), []);
  });

  it('holds no example that the tool would not take, and shows none that it takes no more', async () => {
    const refused = await curate({ examples: [{ to: 'x' }, { from: 'y' }] });
    assert.ok(!refused.ok);
    assert.equal(refused.error.field, 'examples[1].to');
    assert.match(refused.error.message, /^examples\[1\]\.to is missing$/);
    assert.deepEqual(await db.query('select * from hub_curations'), []);
    const large = await curate({ examples: [{ to: 'x'.repeat(40_000) }] });
    assert.equal(large.ok ? null : large.error.field, 'examples');
    assert.ok((await curate({ examples: [{ to: 'x' }] })).ok);
    assert.deepEqual(one.governance.examplesOf(sent()), [{ to: 'x' }]);
    const changed = { ...sent(), inputSchema: { type: 'object', required: ['whom'] } };
    assert.deepEqual(one.governance.examplesOf(changed), []);
  });

  it('names a successor of what is deprecated only, and never the tool itself', async () => {
    const [read, move] = [one.tool('Mail.Read'), one.tool('Mail.Move')];
    const early = await curate({}, read.id);
    assert.deepEqual(early.ok ? null : [early.error.code, early.error.field], [
      'request.params_invalid',
      'successor',
    ]);
    assert.ok((await curate({ lifecycle: 'deprecated' }, read.id)).ok);
    assert.equal(one.governance.curationOf(project, sent().id).successorId, read.id);
    assert.ok(!(await curate({}, sent().id)).ok);
    const { administration } = one.governance;
    assert.ok((await administration.curate(project, read, { lifecycle: 'deprecated' }, move.id)).ok);
    assert.ok(!(await administration.curate(project, move, { lifecycle: 'deprecated' }, sent().id)).ok);
    assert.ok((await curate({ lifecycle: 'active' })).ok);
    assert.equal(one.governance.curationOf(project, sent().id).successorId, null);
  });

  it('closes drafts to who does not govern, and what is hidden to everybody, on every replica', async () => {
    const editor = principalWith(['call', 'read', 'configure']);
    const member = principalWith(['call', 'read']);
    const confined = principalWith(['call', 'read', 'configure'], { confined: true });
    const ofGateway = principalWith(['call', 'configure'], { gateways: new Set(['g']) });
    const foreign = principalWith(['call'], { projectId: 'other' });
    const standings = async () => {
      await look();
      return [editor, member, confined, ofGateway, foreign].map((principal) => {
        const said = [one, other].map(({ governance }) => governance.standing(callerWith(principal), sent()));
        assert.equal(said[0], said[1]);
        assert.equal(other.governance.closedTo(principal).has(sent().id), said[0] === 'closed');
        return said[0];
      });
    };
    assert.deepEqual(await standings(), ['open', 'open', 'open', 'open', 'open']);
    assert.ok((await curate({ lifecycle: 'draft' })).ok);
    assert.deepEqual(await standings(), ['open', 'closed', 'closed', 'closed', 'open']);
    assert.ok((await curate({ lifecycle: 'hidden' })).ok);
    assert.deepEqual(await standings(), ['closed', 'closed', 'closed', 'closed', 'open']);
    assert.ok((await curate({ lifecycle: 'deprecated' })).ok);
    assert.deepEqual(await standings(), ['open', 'open', 'open', 'open', 'open']);
  });

  it('tells who may not see what by the same object until that changes', async () => {
    assert.ok((await curate({ lifecycle: 'hidden' })).ok);
    const member = principalWith(['call']);
    const closed = one.governance.closedTo(member);
    assert.ok((await curate({ owner: 'x' })).ok);
    assert.equal(one.governance.closedTo(member), closed);
    assert.ok((await curate({ lifecycle: 'active' })).ok);
    assert.notEqual(one.governance.closedTo(member), closed);
  });
});
