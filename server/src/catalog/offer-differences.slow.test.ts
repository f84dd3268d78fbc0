import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newGatewayFromRequest } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import type { Catalog, OffersChange } from './contract.ts';
import { clearCatalog, offering, sampleListing } from './sample-offer.ts';

const project = 'default';

describe('what is told of changes of tools', () => {
  let db: Db;
  let catalog: Catalog;
  let told: (OffersChange | null)[];

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await clearCatalog(db);
    catalog = await openCatalog(db, manualClock());
    await offer('a', 'one', 'two');
    told = [];
    catalog.onOffersChange((_, change) => told.push(change));
    await offer('other', 'first');
    told.length = 0;
  });

  const offer = (source: string, ...names: string[]) =>
    catalog.replaceOffer(project, source, offering(names.map((name) => sampleListing(source, name))));
  const told1 = () => {
    assert.equal(told.length, 1);
    const [change] = told;
    assert.ok(change !== null && change !== undefined);
    return { put: change.put.map(({ ruleName }) => ruleName), removed: change.removed };
  };

  test('a tool that comes, and one that goes', async () => {
    const gone = catalog.findTool(project, 'a.two')?.id;
    await offer('a', 'one', 'three');
    assert.deepEqual(told1(), { put: ['a.three'], removed: [gone] });
  });

  test('a tool that is another than before, and none of those beside it', async () => {
    const digest = catalog.digest(catalog.findTool(project, 'a.two') as never);
    const two = { ...sampleListing('a', 'two'), description: 'something else' };
    await catalog.replaceOffer(project, 'a', offering([sampleListing('a', 'one'), two]));
    assert.deepEqual(told1(), { put: ['a.two'], removed: [] });
    assert.notEqual(catalog.digest(catalog.findTool(project, 'a.two') as never), digest);
  });

  test('tools of a source that does not answer are told of: they are not available any more', async () => {
    await catalog.markUnavailable(project, 'a');
    assert.deepEqual(told1(), { put: ['a.one', 'a.two'], removed: [] });
  });

  test('a change after the tools were read is told as a difference, the first one too', async () => {
    const fresh = await openCatalog(db, manualClock());
    const heard: (OffersChange | null)[] = [];
    fresh.onOffersChange((_, change) => heard.push(change));
    assert.equal(fresh.toolLists(project).flat().length, 3);
    await fresh.replaceOffer(project, 'other', offering([sampleListing('other', 'second')]));
    assert.deepEqual(
      heard.map((change) => change?.put.map(({ ruleName }) => ruleName)),
      [['other.second']],
    );
  });

  test('the list of a source is the same as long as nothing of it changed, on gateways too', async () => {
    const made = await catalog.createGateway(
      newGatewayFromRequest({ name: 'all', slug: 'all' }, { projectId: project }),
    );
    assert.ok(made.ok);
    const lists = () => [catalog.toolLists(project), catalog.view('all')?.toolLists ?? []] as const;
    const [before, shownBefore] = lists();
    await offer('other', 'second');
    const [after, shownAfter] = lists();
    for (const [one, two] of [
      [before, after],
      [shownBefore, shownAfter],
    ] as const) {
      assert.deepEqual(
        two.map((list) => list.map(({ tool }) => tool.ruleName)),
        [['a.one', 'a.two'], ['other.second']],
      );
      assert.deepEqual([one[0] === two[0], one[1] === two[1]], [true, false]);
    }
    assert.deepEqual(catalog.view('all')?.tools, shownAfter.flat());
    await offer('a', 'one', 'new');
    assert.equal(
      catalog.toolLists(project)[0]?.[0],
      after[0]?.[0],
      'a tool that is what it was is shown as it was',
    );
  });

  test('a list that says the same tells nobody anything', async () => {
    const { digest } = catalog;
    const before = catalog.tools(project).map(digest);
    await offer('a', 'one', 'two');
    assert.deepEqual(told, []);
    assert.deepEqual(catalog.tools(project).map(digest), before);
  });

  test('who listens no more is told no more', async () => {
    const mine: unknown[] = [];
    const stop = catalog.onOffersChange((_, change) => mine.push(change));
    stop();
    await catalog.forget(project, 'a');
    assert.deepEqual(mine, []);
    assert.equal(told.length, 1);
  });
});
