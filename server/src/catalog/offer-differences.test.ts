import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
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
