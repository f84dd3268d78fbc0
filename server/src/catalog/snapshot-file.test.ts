import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { packed, type Tool, type ToolListing } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { changesAlone, openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { createCatalog } from './catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, offering, sampleListing } from './sample-offer.ts';

const project = 'default';
const settledMs = 30_000;

/** What is open is told by Linux alone. */
const isTold = process.platform === 'linux';

describe('definitions that lie in the file of a catalog', { skip: !isTold }, () => {
  let db: Db;
  let dataDir: string;
  let file: string;
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
    opened = [];
  });
  afterEach(async () => {
    for (const catalog of opened) await catalog.close();
    assert.deepEqual(descriptors(), []);
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function open({ writes = true } = {}): Promise<Catalog> {
    const catalog = await createCatalog({
      db,
      changes: await changesAlone(db),
      vault: await openVault({ db, clock }),
      clock,
      log: silentLog,
      snapshot: { dataDir, writes, fromTools: 1 },
    });
    opened.push(catalog);
    return catalog;
  }
  async function close(catalog: Catalog): Promise<void> {
    opened.splice(opened.indexOf(catalog), 1);
    await catalog.close();
  }
  /** Files of the directory that are open here. */
  const descriptors = (): string[] =>
    readdirSync('/proc/self/fd')
      .map((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`);
        } catch {
          // The one that reads the directory.
          return '';
        }
      })
      .filter((path) => path.startsWith(dataDir));
  const listings = (source: string, said = 'first'): ToolListing[] =>
    Array.from({ length: 40 }, (_, nth) => ({
      ...sampleListing(source, `tool${nth}`),
      description: `${said} ${nth}`,
    }));
  const replace = (catalog: Catalog, source: string, said?: string) =>
    catalog.replaceOffer(project, source, offering(packed(listings(source, said))));
  const tool = (catalog: Catalog, source: string, nth: number) =>
    catalog.findTool(project, `${source}.tool${nth}`) as Tool;
  const mark = (): number => statSync(file).ino;
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await setImmediate();
  }
  /** Once all has settled, where a file was open before: that is closed when the next one is in use. */
  async function written(): Promise<void> {
    const was = mark();
    clock.advance(settledMs);
    await until(() => mark() !== was);
    await leftIsClosed();
  }
  const leftIsClosed = () => until(() => !descriptors().some((path) => path.includes('deleted')));
  /** With what these sources offer, in a file that is open. */
  async function filled(...sources: readonly string[]): Promise<Catalog> {
    const catalog = await open();
    for (const source of sources) await replace(catalog, source);
    await close(catalog);
    return open();
  }
  const isReadable = (one: Tool): boolean => {
    try {
      return one.description !== '';
    } catch {
      return false;
    }
  };

  test('are nowhere else; who asks for one that is gone is told, and the database has it', async () => {
    const catalog = await filled('a');
    assert.equal(tool(catalog, 'a', 1).description, 'first 1');
    truncateSync(file, 100);
    assert.throws(() => tool(catalog, 'a', 20).description, /cannot be read from catalog\.snapshot/);
    await until(() => isReadable(tool(catalog, 'a', 20)));
    assert.equal(tool(catalog, 'a', 20).description, 'first 20');
    await written();
    assert.equal(tool(catalog, 'a', 39).description, 'first 39');
  });

  test('that came since are let go of once they are written', async () => {
    const catalog = await filled('a');
    await replace(catalog, 'b');
    await written();
    truncateSync(file, 100);
    for (const source of ['a', 'b'])
      assert.throws(() => tool(catalog, source, 0).description, /cannot be read/);
  });

  test('of other bytes than they were are told by nobody', async () => {
    const catalog = await filled('a');
    const { size } = statSync(file);
    truncateSync(file, 0);
    truncateSync(file, size);
    assert.throws(() => tool(catalog, 'a', 0).description, /cannot be read/);
  });

  test('say what they said to who keeps them, whatever was written since, and one file is open', async () => {
    const catalog = await filled('a', 'b');
    const kept = [0, 20, 39].map((nth) => tool(catalog, 'a', nth));
    for (const said of ['second', 'third', 'fourth']) {
      await replace(catalog, 'a', said);
      await written();
      assert.equal(descriptors().length, 1);
    }
    assert.deepEqual(
      kept.map(({ description }) => description),
      ['first 0', 'first 20', 'first 39'],
    );
    assert.equal(tool(catalog, 'a', 20).description, 'fourth 20');
    assert.equal(tool(catalog, 'b', 20).description, 'first 20');
  });

  test('are read by another process from the file that was written last', async () => {
    const catalog = await filled('a', 'b');
    const reader = await open({ writes: false });
    const was = mark();
    await replace(catalog, 'a', 'second');
    clock.advance(settledMs);
    await until(() => mark() !== was);
    clock.advance(settledMs);
    await leftIsClosed();
    assert.equal(descriptors().length, 2);
    assert.equal(tool(reader, 'a', 20).description, 'first 20');
    assert.equal(tool(reader, 'b', 20).description, 'first 20');
    truncateSync(file, 100);
    assert.throws(() => tool(reader, 'b', 0).description, /cannot be read/);
  });

  test('cannot be read once the catalog is closed', async () => {
    const catalog = await filled('a');
    await close(catalog);
    assert.throws(() => tool(catalog, 'a', 0).description, /after the catalog was closed/);
  });
});
