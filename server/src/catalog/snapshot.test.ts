import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { manualClock } from '#foundation';
import type { Db, Queries } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { changesAlone, openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { createCatalog } from './catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, offering, sampleListing, withInterface } from './sample-offer.ts';

const project = 'default';

describe('a catalog that is kept in a file', () => {
  let db: Db;
  let dataDir: string;
  let file: string;
  /** How many blocks of definitions were read from the database. */
  let readFromDatabase: number;
  let opened: Catalog[];
  const clock = manualClock();

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db?.close());
  beforeEach(async () => {
    await clearCatalog(db);
    dataDir = temporaryDirectory();
    file = join(dataDir, 'catalog.snapshot');
    readFromDatabase = 0;
    opened = [];
  });
  afterEach(async () => {
    for (const catalog of opened) await catalog.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const counted = (queries: Queries): Queries => ({
    ...queries,
    async query(sql, params) {
      const rows = await queries.query(sql, params);
      if (/^select .* from tool_blocks/.test(sql)) readFromDatabase += rows.length;
      return rows as never;
    },
  });
  async function open(writes = true): Promise<Catalog> {
    const catalog = await createCatalog({
      db: { ...db, tx: (work) => db.tx((queries) => work(counted(queries))) },
      changes: await changesAlone(db),
      vault: await openVault({ db, clock }),
      clock,
      log: silentLog,
      snapshot: { dataDir, writes, fromTools: 1 },
    });
    opened.push(catalog);
    return catalog;
  }
  const names = Array.from({ length: 40 }, (_, nth) => `tool${nth}`);
  const listings = (source: string) =>
    names.map((name) => withInterface(sampleListing(source, name), `ui://${source}/${name}`));
  const all = (catalog: Catalog) =>
    catalog.tools(project, { allVersions: true }).map((tool) => ({
      id: tool.id,
      names: [tool.name, tool.ruleName, tool.qualifiedName, tool.sourceId],
      said: [tool.description, tool.inputSchema, tool.outputSchema, tool.parameters, tool.output, tool.mcp],
      other: [tool.requirements, tool.metadata, tool.traits, tool.toolkit, tool.available],
      digest: catalog.digest(tool),
    }));

  /** What two sources offer, in the file and in the database. */
  async function filled(): Promise<ReturnType<typeof all>> {
    const catalog = await open();
    await catalog.replaceOffer(project, 'a', offering(listings('a')));
    await catalog.replaceOffer(
      project,
      'b',
      offering(listings('b'), { prompts: ['p'], resources: ['r://x'] }),
    );
    const offered = all(catalog);
    await catalog.close();
    return offered;
  }

  test('is there at the next start as it was, and nothing of it is read from the database', async () => {
    const before = await filled();
    const again = await open();
    assert.equal(readFromDatabase, 0);
    assert.deepEqual(all(again), before);
    assert.equal(all(again).length, 80);
  });

  test('nobody but the server may read it', { skip: process.platform === 'win32' }, async () => {
    await filled();
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test('of a source that changed since, what changed is read from the database', async () => {
    await filled();
    const elsewhere = await open(false);
    const [first, ...rest] = listings('a');
    const changed = { ...(first as (typeof rest)[number]), description: 'changed' };
    await elsewhere.replaceOffer(project, 'a', offering([...rest.slice(1), changed]));
    readFromDatabase = 0;
    const again = await open();
    assert.equal(readFromDatabase, 1);
    assert.deepEqual(all(again), all(elsewhere));
    assert.equal(again.findTool(project, 'a.tool0')?.description, 'changed');
  });

  test('a source that was forgotten since is not there', async () => {
    await filled();
    await (await open(false)).forget(project, 'a');
    const again = await open();
    assert.deepEqual(new Set(again.tools(project).map(({ sourceId }) => sourceId)), new Set(['b']));
  });

  test('is written by the one process that writes, and only where it differs', async () => {
    const catalog = await open();
    const reader = await open(false);
    await catalog.replaceOffer(project, 'a', offering(listings('a')));
    await reader.close();
    assert.equal(existsSync(file), false);
    await catalog.close();
    const written = readFileSync(file);
    const writtenAt = statSync(file).mtimeMs;
    const again = await open();
    assert.equal(readFromDatabase, 0);
    await again.close();
    assert.deepEqual(readFileSync(file), written);
    assert.equal(statSync(file).mtimeMs, writtenAt);
  });

  test('a damaged file, one of another version and one of another database are as if there was none', async () => {
    const before = await filled();
    const good = readFileSync(file);
    const flipped = (at: number) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      return bytes;
    };
    const step = Math.floor(good.length / 25);
    const damaged = [
      Buffer.alloc(0),
      Buffer.from('something else'),
      good.subarray(0, good.length - 1),
      ...Array.from({ length: 26 }, (_, nth) => flipped(Math.min(nth * step, good.length - 1))),
    ];
    for (const bytes of damaged) {
      writeFileSync(file, bytes);
      const again = await open(false);
      assert.deepEqual(all(again), before);
    }
    const elsewhere = await open(false);
    const others = listings('a').map((listing) => ({ ...listing, description: 'of another database' }));
    await elsewhere.replaceOffer(project, 'a', offering(others));
    await db.query('delete from tool_blocks where source_id = $1', ['b']);
    await elsewhere.replaceOffer(project, 'b', offering(others));
    writeFileSync(file, good);
    readFromDatabase = 0;
    assert.deepEqual(all(await open(false)), all(elsewhere));
    assert.equal(readFromDatabase, 6);
  });
});
