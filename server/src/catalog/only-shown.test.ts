import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { newGatewayFromRequest } from '#domain';
import { manualClock } from '#foundation';
import { type Changes, type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { openVault } from '#vault';
import { openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { createCatalog } from './catalog.ts';
import type { Catalog, GatewayView } from './contract.ts';
import { clearCatalog, offering, sampleListing, withInterface } from './sample-offer.ts';

const project = 'default';
/** A server, one whose toolkit is called otherwise, one with a toolkit of the first, and one with names like the first's. */
const sources = ['alpha', 'beta', 'gamma', 'delta'] as const;
const toolkits = { alpha: 'alpha', beta: 'Kit', gamma: 'alpha', delta: 'alpha_x' } as const;
const filters: readonly (readonly string[] | null)[] = [
  null,
  ['Kit.*'],
  ['kit.TOOL1?'],
  ['alpha.tool3', 'gamma/alpha.tool4'],
  ['gamma/*'],
  ['al*'],
  ['*tool7'],
  ['alpha.*', 'alpha.prompt'],
  ['nothing.*'],
  [],
];

describe('a catalog in which only what gateways show is in memory', () => {
  let db: Db;
  let dataDir: string;
  let office: Catalog;
  let lane: Catalog;
  let laneChanges: Changes;
  const opened: Catalog[] = [];
  const clock = manualClock();

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db?.close());
  beforeEach(async () => {
    await clearCatalog(db);
    dataDir = temporaryDirectory();
    office = (await open(true)).catalog;
    for (const source of sources) await replace(source, 'first');
    // Closed, it has written all; what it is asked from now on, another one answers.
    await office.close();
    office = (await open(true)).catalog;
    ({ catalog: lane, changes: laneChanges } = await open(false));
  });
  afterEach(async () => {
    for (const catalog of opened.splice(0)) await catalog.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function open(isOffice: boolean) {
    const changes = await openChanges(db, { clock, log: silentLog }, true);
    const catalog = await createCatalog({
      ...{ db, changes, vault: await openVault({ db, clock }), clock, log: silentLog },
      snapshot: { dataDir, writes: isOffice, fromTools: 1 },
      onlyShown: !isOffice,
    });
    opened.push(catalog);
    return { catalog, changes };
  }
  function replace(
    source: (typeof sources)[number],
    said: string,
    count = 20,
    toolkit: string = toolkits[source],
  ) {
    const tools = Array.from({ length: count }, (_, nth) => ({
      ...withInterface(sampleListing(toolkit, `tool${nth}`), `ui://${nth}`),
      description: `${said} ${nth} of ${source}`,
    }));
    const more = source === 'alpha' ? { prompts: ['prompt'], resources: ['ui://3'] } : {};
    return office.replaceOffer(project, source, offering(tools, more));
  }
  async function gateway(slug: string, allowed: readonly string[] | null, more: object = {}): Promise<void> {
    const filter = allowed === null ? {} : { tool_filter: { allowed_tools: [...allowed] } };
    const asked = newGatewayFromRequest({ name: slug, slug, ...filter, ...more }, { projectId: project });
    assert.ok((await office.createGateway(asked)).ok);
    await laneChanges.look();
  }
  const inMemory = () => new Set(lane.tools(project).map(({ sourceId }) => sourceId));
  /** Once all of it is there. */
  async function viewInLane(slug: string): Promise<GatewayView> {
    for (;;) {
      const view = lane.view(slug) as GatewayView;
      if (view.readRest === null) return view;
      view.readRest();
      await setImmediate();
    }
  }
  const seenIn = ({ tools, prompts, resources, ...view }: GatewayView) => ({
    tools: tools.map((shown) => [
      shown.wireName,
      shown.tool.id,
      shown.tool.ruleName,
      shown.description,
      shown.mcp,
    ]),
    found: tools.map(({ tool }) => view.find(tool.ruleName)?.wireName),
    ...{ prompts, resources },
    other: [view.serverInstructions, view.sourceIds],
    of: ['ui://3', 'ui://9'].map((uri) => {
      const found = view.findResource(uri);
      return found === null ? null : [found.target.id, found.own];
    }),
  });
  async function isAlike(slug: string): Promise<void> {
    const there = office.view(slug) as GatewayView;
    assert.equal(there.readRest, null);
    assert.deepEqual(seenIn(await viewInLane(slug)), seenIn(there), slug);
  }

  test('has none at first, and then those of the sources of which a gateway shows something', async () => {
    assert.deepEqual(inMemory(), new Set());
    await gateway('kit', ['Kit.tool1']);
    assert.deepEqual(inMemory(), new Set());
    assert.equal((await viewInLane('kit')).tools.length, 1);
    assert.deepEqual(inMemory(), new Set(['beta']));
    await gateway('none', ['nothing.*']);
    assert.equal(lane.view('none')?.readRest, null);
  });

  test('shows on every gateway what a catalog with everything shows', async () => {
    for (const [nth, allowed] of filters.entries()) {
      for (const naming of ['toolkit', 'source']) {
        const slug = `${naming}-${nth}`;
        await gateway(slug, allowed, { naming });
        await isAlike(slug);
      }
    }
  });

  test('is shown a gateway from nothing as well', async () => {
    for (const [nth, allowed] of filters.entries()) {
      await gateway(`own-${nth}`, allowed, { curation: [{ tool: 'Kit.tool2', name: 'alpha_tool3' }] });
      await isAlike(`own-${nth}`);
      const fresh = await open(false);
      ({ catalog: lane, changes: laneChanges } = fresh);
    }
  });

  test('follows every change, of what is in memory and of what is not', async () => {
    for (const [nth, allowed] of filters.entries()) await gateway(`g-${nth}`, allowed);
    await isAlike('g-1');
    await replace('beta', 'second', 25);
    await replace('alpha', 'second', 5);
    await laneChanges.look();
    assert.equal(lane.view('g-1')?.readRest, null);
    await isAlike('g-1');
    assert.deepEqual(inMemory(), new Set(['beta']));
    await replace('alpha', 'third', 5, 'Kit');
    await laneChanges.look();
    assert.notEqual(lane.view('g-1')?.readRest, null);
    await isAlike('g-1');
    await office.forget(project, 'gamma');
    await office.markUnavailable(project, 'delta');
    await laneChanges.look();
    for (const nth of filters.keys()) await isAlike(`g-${nth}`);
  });

  test('lets go of what came before there was a file, unless it is shown', async () => {
    rmSync(join(dataDir, 'catalog.snapshot'));
    ({ catalog: lane, changes: laneChanges } = await open(false));
    assert.deepEqual(inMemory(), new Set(sources));
    await gateway('kit', ['Kit.*']);
    assert.equal(lane.view('kit')?.readRest, null);
    await replace('delta', 'second');
    await laneChanges.look();
    while (inMemory().size === sources.length) {
      clock.advance(30_000);
      await setImmediate();
    }
    await isAlike('kit');
    assert.deepEqual(inMemory(), new Set(['beta']));
  });

  test('has all of what no file has', async () => {
    const withoutFile = await createCatalog({
      ...{ db, changes: await openChanges(db, { clock, log: silentLog }, true) },
      ...{ vault: await openVault({ db, clock }), clock, log: silentLog, onlyShown: true },
    });
    assert.equal(withoutFile.tools(project).length, 80);
  });
});
