import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newGatewayFromRequest, type SourceOffer } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, offering, sampleListing } from './sample-offer.ts';

const project = 'default';
const place = { projectId: project };

describe('catalog', () => {
  let db: Db;
  let catalog: Catalog;
  const clock = manualClock();

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await clearCatalog(db);
    catalog = await openCatalog(db, clock);
  });

  async function gateway(slug: string, more: object = {}) {
    const created = await catalog.createGateway(newGatewayFromRequest({ name: slug, slug, ...more }, place));
    assert.ok(created.ok);
    return created.value;
  }
  const names = (slug: string) => catalog.view(slug)?.tools.map(({ wireName }) => wireName);

  test('tools and their ids survive a restart, a refresh and an absence', async () => {
    await catalog.replaceOffer(
      project,
      'one',
      offering([sampleListing('Github', 'Star'), sampleListing('Github', 'Fork')]),
    );
    const id = catalog.findTool(project, 'Github.Star')?.id;
    assert.match(id ?? '', /^tool_[0-9a-f]{24}$/);
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Github', 'Fork')]));
    assert.equal(catalog.findTool(project, 'Github.Star'), null);
    await catalog.replaceOffer(
      project,
      'one',
      offering([sampleListing('Github', 'Star'), sampleListing('Github', 'Fork')]),
    );
    const restarted = await openCatalog(db, clock);
    assert.equal(restarted.findTool(project, 'Github.Star')?.id, id);
    assert.deepEqual(
      restarted.tools(project).map(({ qualifiedName }) => qualifiedName),
      ['Github.Star', 'Github.Fork'],
    );
  });

  test('a source that is down keeps its tools listed as unavailable, and heals', async () => {
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Github', 'Star')]));
    await gateway('g');
    await catalog.markUnavailable(project, 'one');
    assert.equal(catalog.findTool(project, 'Github.Star')?.available, false);
    assert.deepEqual(names('g'), ['Github_Star']);
    assert.equal((await openCatalog(db, clock)).findTool(project, 'Github.Star')?.available, false);
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Github', 'Star')]));
    assert.equal(catalog.findTool(project, 'Github.Star')?.available, true);
  });

  test('names are found in every form and whatever the case; a version picks that version', async () => {
    await catalog.replaceOffer(
      project,
      'one',
      offering([
        sampleListing('Git_hub', 'Star', { version: '1.9.0' }),
        sampleListing('Git_hub', 'Star', { version: '1.10.0' }),
      ]),
    );
    for (const name of ['Git_hub.Star', 'git_hub_star', 'GIT_HUB.STAR', 'Git_hub.Star@1.10.0']) {
      assert.equal(catalog.findTool(project, name)?.toolkit.version, '1.10.0', name);
    }
    assert.equal(catalog.findTool(project, 'Git_hub.Star@1.9.0')?.toolkit.version, '1.9.0');
    assert.equal(catalog.findTool(project, 'Git_hub.Star', '1.9.0')?.toolkit.version, '1.9.0');
    assert.equal(catalog.findTool(project, 'Git_hub.Star', '3.0.0'), null);
    assert.equal(catalog.tools(project).length, 1);
    assert.equal(catalog.tools(project, { allVersions: true }).length, 2);
  });

  test('a new version of a tool keeps the name that the old one had', async () => {
    await catalog.replaceOffer(
      project,
      'zebra',
      offering([sampleListing('Github', 'Star', { version: '1.0.0' })]),
    );
    clock.advance(10);
    await catalog.replaceOffer(project, 'aardvark', offering([sampleListing('Github', 'Star')]));
    clock.advance(10);
    await catalog.replaceOffer(
      project,
      'zebra',
      offering([sampleListing('Github', 'Star', { version: '2.0.0' })]),
    );
    assert.equal(catalog.findTool(project, 'Github.Star')?.sourceId, 'zebra');
    assert.equal((await openCatalog(db, clock)).findTool(project, 'Github_Star')?.sourceId, 'zebra');
  });

  test('a gateway shows what its exact names and globs allow, at the next request', async () => {
    await catalog.replaceOffer(
      project,
      'one',
      offering([
        sampleListing('Github', 'Star'),
        sampleListing('Github', 'Fork'),
        sampleListing('Slack', 'Send'),
      ]),
    );
    const made = await gateway('g', { tool_filter: { allowed_tools: ['github.star', 'Slack.*'] } });
    assert.deepEqual(names('g'), ['Github_Star', 'Slack_Send']);
    await catalog.updateGateway(project, made.id, { allowedTools: ['Github.Fork'] });
    assert.deepEqual(names('g'), ['Github_Fork']);
    await catalog.updateGateway(project, made.id, { allowedTools: null });
    assert.equal(names('g')?.length, 3);
    await catalog.updateGateway(project, made.id, { allowedTools: [] });
    assert.deepEqual(names('g'), []);
    await catalog.deleteGateway(project, made.id);
    assert.equal(catalog.view('g'), null);
  });

  test('displayed names are short, legal and unique, and the older tool keeps the plain one', async () => {
    const long = 'L'.repeat(80);
    await catalog.replaceOffer(
      project,
      'one',
      offering([sampleListing('Git hub', 'Star'), sampleListing('X', long)]),
    );
    clock.advance(1000);
    await catalog.replaceOffer(
      project,
      'two',
      offering([sampleListing('Git-hub', 'Star/../x'), sampleListing('Git_hub', 'Star')]),
    );
    await gateway('g');
    const shown = names('g') ?? [];
    assert.equal(new Set(shown).size, 4);
    for (const name of shown) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
    assert.equal(catalog.view('g')?.find('Git_hub_Star')?.tool.sourceId, 'one');
  });

  test('curation renames, describes and changes arguments on one gateway only', async () => {
    const inputSchema = {
      type: 'object',
      properties: { repo: { type: 'string' }, n: { type: 'integer' } },
      required: ['repo'],
    };
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Github', 'Star', { inputSchema })]));
    await gateway('plain');
    await gateway('curated', {
      tools: [
        {
          tool: 'Github.Star',
          name: 'star_ours',
          description: 'Star our repository',
          arguments: { fixed: { repo: 'us/it' }, defaults: { n: 2 }, hidden: [] },
        },
      ],
    });
    const shown = catalog.view('curated')?.find('star_ours');
    assert.equal(shown?.description, 'Star our repository');
    assert.deepEqual(shown?.inputSchema.properties, { n: { type: 'integer', default: 2 } });
    assert.deepEqual(shown?.arguments({}), { ok: true, value: { repo: 'us/it', n: 2 } });
    assert.equal(shown?.arguments({ repo: 'them/it' }).ok, false);
    assert.equal(catalog.view('plain')?.find('Github_Star')?.arguments({ repo: 'them/it' }).ok, true);
    assert.equal(shown?.tool.id, catalog.view('plain')?.find('Github_Star')?.tool.id);
  });

  test('a gateway over one source may show its own names', async () => {
    await catalog.replaceOffer(project, 'files', offering([sampleListing('files', 'read.file')]));
    await gateway('own', { naming: 'source' });
    assert.deepEqual(names('own'), ['read.file']);
    await catalog.replaceOffer(project, 'more', offering([sampleListing('more', 'x')]));
    assert.deepEqual(names('own'), ['files_read_file', 'more_x']);
  });

  test('a slug is taken once, also by two requests at the same time', async () => {
    const ask = () => catalog.createGateway(newGatewayFromRequest({ name: 'x', slug: 'same' }, place));
    const results = await Promise.all([ask(), ask()]);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, false],
    );
    assert.equal(catalog.slugAvailable('same'), false);
  });

  test('what the file declares is read-only and goes with the file', async () => {
    const declared = {
      ...newGatewayFromRequest({ name: 'f', slug: 'filed' }, place),
      id: 'gw_file_filed',
      origin: 'file' as const,
      createdAt: '',
      updatedAt: '',
    };
    catalog.applyFile([declared]);
    const changed = await catalog.updateGateway(project, declared.id, { name: 'other' });
    assert.equal(!changed.ok && changed.error.code, 'resource.read_only');
    const deleted = await catalog.deleteGateway(project, declared.id);
    assert.equal(!deleted.ok && deleted.error.code, 'resource.read_only');
    catalog.applyFile([]);
    assert.equal(catalog.view('filed'), null);
  });

  test('another project sees neither gateways nor tools', async () => {
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Github', 'Star')]));
    const made = await gateway('g');
    assert.equal(catalog.gateway('other', made.id), null);
    assert.deepEqual(catalog.tools('other'), []);
    const changed = await catalog.updateGateway('other', made.id, { name: 'x' });
    assert.equal(!changed.ok && changed.error.code, 'resource.unknown');
  });

  test('listeners hear of every change of what a gateway shows', async () => {
    await gateway('g');
    const heard: string[] = [];
    const stop = catalog.onChange((slug) => heard.push(slug));
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Github', 'Star')]));
    assert.deepEqual(heard, ['g']);
    stop();
    await catalog.forget(project, 'one');
    assert.deepEqual(heard, ['g']);
    assert.deepEqual(names('g'), []);
  });

  test('sources that are no longer declared leave no tools behind', async () => {
    await catalog.replaceOffer(project, 'one', offering([sampleListing('A', 'X')]));
    await catalog.replaceOffer(project, 'two', offering([sampleListing('B', 'X')]));
    await catalog.keepSources(project, ['two']);
    assert.deepEqual(
      (await openCatalog(db, clock)).tools(project).map(({ qualifiedName }) => qualifiedName),
      ['B.X'],
    );
  });

  test('what a source wrote of a tool keeps its order, whatever text it holds', async () => {
    const inputSchema = { type: 'object', properties: { zulu: {}, alfa: {} }, title: 'a\u0000b\ud800' };
    await catalog.replaceOffer(project, 'one', offering([{ ...sampleListing('Kit', 'A'), inputSchema }]));
    for (const known of [catalog, await openCatalog(db, clock)]) {
      assert.equal(
        JSON.stringify(known.findTool(project, 'Kit.A')?.inputSchema),
        JSON.stringify(inputSchema),
      );
    }
  });

  test('a change is told only where a gateway shows something else than before', async () => {
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Kit', 'A')]));
    await gateway('here', { tool_filter: { allowed_tools: ['Kit.*'] } });
    await gateway('there', { tool_filter: { allowed_tools: ['Other.*'] } });
    const told: string[] = [];
    catalog.onChange((slug) => told.push(slug));
    const change = async (act: () => Promise<void>) => {
      names('here');
      names('there');
      told.length = 0;
      await act();
      return [...told];
    };
    const list = (...tools: string[]) => {
      const listings = tools.map((name) => sampleListing('Kit', name));
      return catalog.replaceOffer(project, 'one', offering(listings));
    };
    assert.deepEqual(await change(() => list('A')), []);
    assert.deepEqual(await change(() => catalog.markUnavailable(project, 'one')), ['here']);
    assert.deepEqual(await change(() => list('A')), ['here']);
    assert.deepEqual(await change(() => list('A', 'B')), ['here']);
    assert.deepEqual(await change(() => list('B', 'A')), ['here']);
    assert.deepEqual(await change(() => catalog.forget(project, 'two')), []);
    assert.deepEqual(await change(() => catalog.forget(project, 'one')), ['here']);
  });

  test('a change is told of the lists that it is in, and capabilities are in none', async () => {
    const tools = [sampleListing('docs', 'find')];
    const listed = { prompts: ['ask'], resources: ['file:///a'], templates: ['file:///{name}'] };
    await catalog.replaceOffer(project, 'docs', offering(tools, listed));
    await gateway('g');
    const told: string[][] = [];
    catalog.onChange((_slug, lists) => told.push([...lists]));
    const change = async (offer: SourceOffer) => {
      catalog.view('g');
      told.length = 0;
      await catalog.replaceOffer(project, 'docs', offer);
      return [...told];
    };
    assert.deepEqual(await change(offering(tools, { ...listed, prompts: ['ask', 'tell'] })), [['prompts']]);
    assert.deepEqual(await change(offering(tools, listed)), [['prompts']]);
    assert.deepEqual(await change(offering(tools, { ...listed, resources: [] })), [['resources']]);
    assert.deepEqual(await change(offering(tools, { ...listed, resources: [], templates: [] })), [
      ['resources'],
    ]);
    assert.deepEqual(await change(offering([], { prompts: ['ask'] })), [['tools']]);
    const capabilities = { logging: {} };
    assert.deepEqual(await change(offering([], { prompts: ['ask'], capabilities })), []);
    assert.deepEqual(catalog.view('g')?.capabilitiesOf('docs'), capabilities);
  });
});
