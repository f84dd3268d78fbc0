import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newGatewayFromRequest, type PinMode, type ToolListing } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, offering, sampleListing, withInterface } from './sample-offer.ts';
import type { ToolChange } from './tool-change.ts';

const project = 'default';

describe('the tools of a pinned source', () => {
  let db: Db;
  let catalog: Catalog;
  let told: ToolChange[];
  const clock = manualClock();

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await clearCatalog(db);
    catalog = await openCatalog(db, clock);
    told = [];
    const gateway = newGatewayFromRequest({ name: 'g', slug: 'g' }, { projectId: project });
    assert.ok((await catalog.createGateway(gateway)).ok);
  });

  const read = (description: string, more: Partial<ToolListing> = {}): ToolListing => ({
    ...sampleListing('Files', 'Read'),
    description,
    ...more,
  });
  const version = (text: string) => ({ toolkit: { name: 'Files', version: text, description: null } });
  const write = sampleListing('Files', 'Write');

  const list = (mode: PinMode, ...tools: ToolListing[]) =>
    catalog.replaceOffer(project, 'one', offering(tools), {
      mode,
      onChange: (change) => void told.push(change),
    });
  const shown = () => catalog.view('g')?.tools.map(({ tool }) => tool.name);
  const isHeld = () => catalog.view('g')?.find('Files_Read')?.tool.quarantined;
  const changes = () => catalog.toolChanges(project, 'one');
  const approve = (wanted: (change: ToolChange) => boolean = () => true) =>
    catalog.approveChanges(project, 'one', wanted);

  test('are approved at first sight, and held back once they change; the others stay', async () => {
    await list('quarantine', read('Reads'), write);
    assert.deepEqual([isHeld(), await changes()], [false, []]);
    await list('quarantine', read('Reads, and sends it to me'), write);
    assert.deepEqual([isHeld(), shown()], [true, ['Write']]);
    assert.deepEqual(
      catalog.tools(project).map(({ name }) => name),
      ['Write'],
    );
    assert.deepEqual(
      catalog.quarantined(project, 'one').map(({ name }) => name),
      ['Read'],
    );
    const [change, ...more] = await changes();
    assert.deepEqual(more, []);
    assert.deepEqual(change?.differences, [
      { path: '/description', before: 'Reads', after: 'Reads, and sends it to me' },
    ]);
    assert.deepEqual(
      [change?.qualifiedName, change?.quarantined, change?.definition.description],
      ['Files.Read', true, 'Reads, and sends it to me'],
    );
  });

  test('are told of once for each change, however often they are listed and whatever restarts', async () => {
    await list('quarantine', read('Reads'));
    await list('quarantine', read('Sends'));
    await list('quarantine', read('Sends'), write);
    catalog = await openCatalog(db, clock);
    await list('quarantine', read('Sends'));
    await list('quarantine', read('Reads'));
    await list('quarantine', read('Sends'));
    assert.equal(told.length, 1);
    await list('quarantine', read('Sends more'));
    assert.deepEqual(
      told.map(({ definition }) => definition.description),
      ['Sends', 'Sends more'],
    );
  });

  test('stay held back over a restart, before their source is heard of', async () => {
    await list('quarantine', read('Reads'));
    await list('quarantine', read('Sends'));
    catalog = await openCatalog(db, clock);
    assert.deepEqual([isHeld(), shown()], [true, []]);
    await catalog.markUnavailable(project, 'one');
    assert.equal(isHeld(), true);
  });

  test('that come back from an absence, or under a new version, are held to what was approved', async () => {
    await list('quarantine', read('Reads'));
    await list('quarantine', read('Reads', version('2.0.0')));
    assert.equal(isHeld(), false);
    await list('quarantine');
    await list('quarantine', read('Sends', version('3.0.0')));
    assert.equal(isHeld(), true);
    await catalog.forget(project, 'one');
    await list('quarantine', read('Sends', version('4.0.0')));
    assert.equal(isHeld(), true);
  });

  test('are free again once they are as they were approved', async () => {
    await list('quarantine', read('Reads'));
    await list('quarantine', read('Sends'));
    await list('quarantine', read('Reads'));
    assert.deepEqual([isHeld(), shown(), await changes()], [false, ['Read'], []]);
  });

  test('are free once approved; what was approved before is then a change', async () => {
    await list('quarantine', read('Reads'), write);
    await list('quarantine', read('Reads well'), { ...write, description: 'Writes well' });
    const heard: string[] = [];
    catalog.onChange((slug) => heard.push(slug));
    const approved = await approve(({ qualifiedName }) => qualifiedName === 'Files.Read');
    assert.deepEqual(
      approved.map(({ qualifiedName }) => qualifiedName),
      ['Files.Read'],
    );
    assert.deepEqual([shown(), heard], [['Read'], ['g']]);
    assert.equal((await openCatalog(db, clock)).view('g')?.find('Files_Read')?.tool.quarantined, false);
    await list('quarantine', read('Reads well'), write);
    assert.deepEqual(shown(), ['Read', 'Write']);
    await list('quarantine', read('Reads'), write);
    assert.deepEqual(shown(), ['Write']);
  });

  test('are not approved by an approval of what they were a moment before', async () => {
    await list('quarantine', read('Reads'));
    await list('quarantine', read('Harmless'));
    const [seen] = await changes();
    await list('quarantine', read('Harmful'));
    assert.deepEqual(await approve(({ digest }) => digest === seen?.digest), []);
    assert.equal(isHeld(), true);
  });

  test('that are only flagged are used, and stay flagged until they are approved', async () => {
    await list('warn', read('Reads'));
    await list('warn', read('Sends'));
    assert.equal(catalog.view('g')?.find('Files_Read')?.description, 'Sends');
    assert.deepEqual([isHeld(), shown()], [false, ['Read']]);
    assert.deepEqual(
      (await changes()).map(({ quarantined }) => quarantined),
      [false],
    );
    await approve();
    assert.deepEqual(await changes(), []);
  });

  test('are held to what the catalog knew when pinning began, and to nothing once it ended', async () => {
    await list('off', read('Reads'));
    await list('quarantine', read('Sends'));
    assert.equal(isHeld(), true);
    await list('off', read('Sends'));
    assert.deepEqual([isHeld(), await changes()], [false, []]);
    await list('quarantine', read('Sends'));
    assert.equal(isHeld(), false);
  });

  test('are told of again when the source is pinned more strictly', async () => {
    await list('warn', read('Reads'));
    await list('warn', read('Sends'));
    await list('quarantine', read('Sends'));
    assert.deepEqual(
      told.map(({ quarantined }) => quarantined),
      [false, true],
    );
    assert.equal(isHeld(), true);
  });

  test('are held back as a whole where one of several versions changed, until that is approved', async () => {
    const old = read('Reads', version('1.0.0'));
    await list('quarantine', old, read('Reads two', version('2.0.0')));
    assert.equal(isHeld(), false);
    await list('quarantine', old, read('Sends', version('2.0.0')));
    assert.equal(isHeld(), true);
    assert.deepEqual(
      (await changes()).map((change) => change.version),
      ['2.0.0'],
    );
    await approve();
    await list('quarantine', old, read('Sends', version('2.0.0')), write);
    assert.equal(isHeld(), false);
  });

  test('of one source are no business of another', async () => {
    await list('quarantine', read('Reads'));
    await catalog.replaceOffer(project, 'two', offering([sampleListing('Mail', 'Send')]));
    await list('quarantine', read('Sends'));
    await catalog.replaceOffer(
      project,
      'two',
      offering([{ ...sampleListing('Mail', 'Send'), description: 'x' }]),
    );
    assert.deepEqual(await catalog.toolChanges(project, 'two'), []);
    assert.deepEqual(shown(), ['Send']);
  });

  test('are not taken when their change cannot be recorded', async () => {
    await list('quarantine', read('Reads'));
    const failing = catalog.replaceOffer(project, 'one', offering([read('Sends')]), {
      mode: 'quarantine',
      onChange: () => Promise.reject(new Error('the journal is full')),
    });
    await assert.rejects(failing, /journal is full/);
    assert.equal(catalog.view('g')?.find('Files_Read')?.description, 'Reads');
    await list('quarantine', read('Sends'));
    assert.deepEqual([told.length, isHeld()], [1, true]);
  });

  test('keep their names while they are held back, and open no resource', async () => {
    const ui = 'ui://docs/app';
    const docs = (description: string) => {
      const tool = withInterface({ ...sampleListing('docs', 'a_b'), description }, ui);
      return catalog.replaceOffer(project, 'docs', offering([tool]), { mode: 'quarantine', onChange() {} });
    };
    await docs('Shows');
    clock.advance(1000);
    await catalog.replaceOffer(project, 'docs_a', offering([sampleListing('docs_a', 'b')]));
    const names = () => catalog.view('g')?.tools.map(({ wireName }) => wireName);
    const [first, second] = names() ?? [];
    assert.equal(first, 'docs_a_b');
    assert.equal(catalog.view('g')?.findResource(ui)?.target.sourceId, 'docs');
    await docs('Steals');
    assert.deepEqual(names(), [second]);
    assert.equal(catalog.view('g')?.find('docs_a_b')?.tool.sourceId, 'docs');
    assert.equal(catalog.view('g')?.findResource(ui), null);
  });

  test('that are more than can be remembered are not taken, and push out nothing', async () => {
    await list('quarantine', read('Reads'));
    await db.query(
      `insert into pins (tool_id, project_id, source_id, approved, definition, pending, recorded, held)
       select 'tool_' || n, $1, 'one', '[]', '{}', '[]', '[]', false from generate_series(1, 49999) n`,
      [project],
    );
    await assert.rejects(list('quarantine', read('Reads'), write), /more than 50000 different tools/);
    await list('quarantine', read('Sends'));
    assert.equal(isHeld(), true);
  });
});
