import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { packed, type ToolListing } from '#domain';
import { manualClock } from '#foundation';
import type { Db, Queries } from '#storage';
import { heardLog, silentLog } from '#telemetry';
import { openVault } from '#vault';
import { changesAlone, openTestDatabase } from '../../test/database.ts';
import { createCatalog } from './catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, keepAsOlder, offering, sampleListing } from './sample-offer.ts';

const project = 'default';
const source = 'one';

describe('the tools that a database keeps in blocks', () => {
  let db: Db;
  let catalog: Catalog;
  let statements: string[];
  let isAway: boolean;
  let told: (readonly [level: string, message: string, source: unknown])[];
  const clock = manualClock();

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db?.close());
  beforeEach(async () => {
    await clearCatalog(db);
    statements = [];
    isAway = false;
    told = [];
    catalog = await open();
  });

  const noted = (queries: Queries): Queries => ({
    ...queries,
    query(sql, params) {
      statements.push(sql.trim());
      if (isAway) throw new Error('The database is away');
      return queries.query(sql, params);
    },
  });
  const open = async (): Promise<Catalog> =>
    createCatalog({
      db: { ...db, tx: (work) => db.tx((queries) => work(noted(queries))) },
      changes: await changesAlone(db),
      vault: await openVault({ db, clock }),
      clock,
      log: heardLog(silentLog, 'warn', ({ level, message, fields }) => {
        told.push([level, message, fields.source]);
      }),
    });
  const listings = Array.from({ length: 100 }, (_, nth) => sampleListing('Kit', `tool${nth}`));
  const changed = (nth: number, description: string): ToolListing[] =>
    listings.map((listing, at) => (at === nth ? { ...listing, description } : listing));
  const blocks = async () =>
    (await db.query<{ id: string }>('select id from tool_blocks')).map(({ id }) => id).sort();
  const replace = (tools: readonly ToolListing[]) =>
    catalog.replaceOffer(project, source, offering(packed(tools)));
  const writes = () => statements.filter((sql) => /^(?:insert|update|delete)/.test(sql));
  const all = (of: Catalog) =>
    of.tools(project).map((tool) => [tool.id, tool.name, tool.description, tool.inputSchema]);

  async function changeOneByOne(each: (change: () => Promise<void>) => Promise<void>): Promise<void> {
    let now = listings;
    for (let nth = 0; nth < 100; nth++) {
      now = now.map((listing, at) => (at === nth ? { ...listing, description: `${nth}` } : listing));
      const [one] = packed([now[nth] as ToolListing]);
      const kept = await catalog.listed(project, source);
      const tools = kept?.tools.map((listing, at) => (at === nth ? (one as ToolListing) : listing));
      const seen = { about: '', marks: Buffer.from('marks') };
      await each(() => catalog.replaceOffer(project, source, { ...offering(tools ?? now), seen }));
    }
    const said = catalog.tools(project).map(({ description }) => description);
    assert.deepEqual(
      said,
      now.map(({ description }) => description),
    );
  }

  test('are there at the next start as they were', async () => {
    await replace(listings);
    assert.deepEqual(all(await open()), all(catalog));
    assert.equal(all(catalog).length, 100);
  });

  test('are not written where a source lists what it listed, in this process and in the next', async () => {
    await replace(listings);
    statements = [];
    await replace(listings);
    assert.deepEqual(writes(), []);
    catalog = await open();
    await replace(listings);
    assert.deepEqual(writes(), []);
  });

  test('stay where they are while others change, and what nothing lies in any more goes', async () => {
    await replace(listings);
    const before = await blocks();
    await replace(changed(20, 'changed'));
    const now = await blocks();
    assert.equal(now.filter((id) => !before.includes(id)).length, 1);
    assert.equal(catalog.findTool(project, 'Kit.tool20')?.description, 'changed');
    await replace(listings.slice(0, 16));
    assert.equal((await blocks()).length, 1);
    assert.deepEqual(all(await open()), all(catalog));
  });

  test('lie beside each other again once changes that came one by one have strewn them', async () => {
    await changeOneByOne((change) => change());
    assert.ok((await blocks()).length < 100 / 4 + 64 + 1, `${(await blocks()).length} blocks`);
    assert.deepEqual(all(await open()), all(catalog));
  });

  test('are all there at the next start, where each change was written only when it came again', async () => {
    await changeOneByOne(async (change) => {
      isAway = true;
      await assert.rejects(change(), /away/);
      isAway = false;
      await change();
    });
    assert.deepEqual(all(await open()), all(catalog));
  });

  test('that an older version kept are there, and are kept in blocks from the next list on', async () => {
    await keepAsOlder(db, { projectId: project, sourceId: source }, listings, '2020-01-01T00:00:00Z');
    await db.query(
      `insert into offers (project_id, source_id, available, capabilities, first_seen, revision)
       values ($1, $2, true, '{}', '2020-01-01T00:00:00Z', 'of an older version')`,
      [project, source],
    );
    catalog = await open();
    const before = all(catalog);
    assert.equal(before.length, 100);
    await replace(listings);
    assert.deepEqual(all(catalog), before);
    assert.equal((await blocks()).length, 7);
    assert.deepEqual(await db.query('select id from tools'), []);
    // An older replica that writes once more is believed.
    await keepAsOlder(
      db,
      { projectId: project, sourceId: source },
      changed(3, 'older'),
      '2020-01-01T00:00:00Z',
    );
    await db.query("update offers set revision = 'of an older version'");
    assert.equal((await open()).findTool(project, 'Kit.tool3')?.description, 'older');
  });

  for (const [how, damage] of [
    ['lost', 'delete from tool_blocks where id = $1'],
    ['damaged', "update tool_blocks set bytes = '\\x00' where id = $1"],
  ] as const) {
    test(`of which a block is ${how} are there but for those in it, and all of them once their source is read anew`, async () => {
      const seen = { about: '', marks: Buffer.from('marks') };
      const offer = { ...offering(packed(listings)), seen };
      await catalog.replaceOffer(project, source, offer);
      const before = all(catalog);
      await db.query(damage, [(await blocks())[0]]);
      catalog = await open();
      const left = new Set(all(catalog).map(([id]) => id));
      assert.ok(left.size >= 84 && left.size < 100, `${left.size} tools are left`);
      assert.deepEqual(
        all(catalog),
        before.filter(([id]) => left.has(id)),
      );
      assert.deepEqual(told, [
        ['error', 'the database has lost tools of a source: they are back when it lists them', source],
      ]);
      // Nothing is known of the list, so that the source tells all of it.
      assert.equal(await catalog.listed(project, source), null);
      await replace(listings);
      assert.deepEqual(all(catalog), before);
      told = [];
      assert.deepEqual(all(await open()), before);
      assert.deepEqual(told, []);
    });
  }

  test('are told with how their source wrote them, as long as that is of the same list', async () => {
    assert.equal(await catalog.listed(project, source), null);
    const seen = { about: 'form', marks: Buffer.from('abc') };
    const offer = { ...offering(packed(listings)), seen };
    await catalog.replaceOffer(project, source, offer);
    for (const each of [catalog, await open()]) {
      const known = await each.listed(project, source);
      assert.equal(known?.seen.about, 'form');
      assert.equal(Buffer.from(known.seen.marks).toString(), 'abc');
      assert.deepEqual(
        known.tools.map(({ name }) => name),
        listings.map(({ name }) => name),
      );
    }
    await db.query("update offers set revision = 'another', tools_revision = 'another'");
    assert.equal(await catalog.listed(project, source), null);
  });
});
