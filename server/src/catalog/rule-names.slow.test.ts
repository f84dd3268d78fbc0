import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newGatewayFromRequest } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, keepAsOlder, offering, sampleListing } from './sample-offer.ts';

const project = 'default';

describe('the name of a toolkit', () => {
  let db: Db;
  let catalog: Catalog;
  const clock = manualClock();
  const star = offering([sampleListing('Github', 'Star')]);

  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());
  beforeEach(async () => {
    await clearCatalog(db);
    catalog = await openCatalog(db, clock);
  });

  async function gateway(slug: string, allowed: readonly string[] | null, more: object = {}) {
    const request = { name: slug, slug, tool_filter: { allowed_tools: allowed as string[] | null }, ...more };
    assert.ok((await catalog.createGateway(newGatewayFromRequest(request, { projectId: project }))).ok);
  }
  const sources = (slug: string) => catalog.view(slug)?.tools.map(({ tool }) => tool.sourceId);

  test('stays with the first source: a later one gets nothing of rules, calls and changes of its tools', async () => {
    await catalog.replaceOffer(project, 'zz-first', star);
    await gateway('exact', ['Github.Star']);
    await gateway('glob', ['Github.*']);
    await gateway('all', null, { tools: [{ tool: 'Github.Star', description: 'Ours' }] });
    clock.advance(1000);
    await catalog.replaceOffer(project, 'aa-later', star);
    assert.deepEqual(sources('exact'), ['zz-first']);
    assert.deepEqual(sources('glob'), ['zz-first']);
    assert.deepEqual(sources('all'), ['aa-later', 'zz-first']);
    for (const name of ['Github_Star', 'Github.Star', 'github.star']) {
      const shown = catalog.view('all')?.find(name);
      assert.deepEqual([shown?.tool.sourceId, shown?.description], ['zz-first', 'Ours'], name);
      assert.equal(catalog.findTool(project, name)?.sourceId, 'zz-first');
    }
    const other = catalog.view('all')?.tools.find(({ tool }) => tool.sourceId === 'aa-later');
    assert.match(other?.wireName ?? '', /^Github_Star_[0-9a-f]{8}$/);
    assert.equal(other?.description, 'Star of Github');
  });

  test('of another source can be allowed, curated and found under the long form', async () => {
    await catalog.replaceOffer(project, 'first', star);
    await catalog.replaceOffer(project, 'later', star);
    await gateway('g', ['Later/github.*'], { tools: [{ tool: 'later/Github.Star', name: 'star_there' }] });
    assert.deepEqual(sources('g'), ['later']);
    assert.equal(catalog.view('g')?.find('star_there')?.tool.ruleName, 'later/Github.Star');
    assert.equal(catalog.view('g')?.find('later/Github.Star')?.tool.sourceId, 'later');
    assert.equal(catalog.view('g')?.find('Github.Star'), null);
    assert.equal(catalog.findTool(project, 'later/Github.Star')?.sourceId, 'later');
  });

  test('is not free because its owner stops listing it, nor after a restart', async () => {
    await catalog.replaceOffer(project, 'first', star);
    await gateway('glob', ['Github.*']);
    await gateway('all', null);
    await catalog.replaceOffer(project, 'first', offering([]));
    await catalog.replaceOffer(project, 'later', star);
    const restarted = await openCatalog(db, clock);
    await restarted.replaceOffer(project, 'latest', star);
    for (const known of [catalog, restarted]) {
      assert.equal(known.findTool(project, 'Github.Star'), null);
      assert.deepEqual(known.view('glob')?.tools, []);
      assert.equal(known.view('all')?.find('Github_Star'), null);
    }
    clock.advance(1000);
    await restarted.replaceOffer(project, 'first', star);
    assert.equal(restarted.view('glob')?.find('Github_Star')?.tool.sourceId, 'first');
  });

  test('is free when its owner is forgotten, for whoever lists it next', async () => {
    await catalog.replaceOffer(project, 'first', star);
    await catalog.replaceOffer(project, 'later', star);
    await gateway('glob', ['Github.*']);
    await catalog.forget(project, 'first');
    assert.deepEqual(sources('glob'), []);
    await catalog.replaceOffer(project, 'latest', star);
    assert.deepEqual(sources('glob'), ['latest']);
    await catalog.replaceOffer(project, 'later', star);
    assert.deepEqual(sources('glob'), ['latest']);
    await catalog.keepSources(project, ['later']);
    await catalog.replaceOffer(project, 'later', star);
    assert.deepEqual(sources('glob'), ['later']);
  });

  test('is the same whatever its letters, and owned in one project only', async () => {
    await catalog.replaceOffer(project, 'first', star);
    await catalog.replaceOffer(project, 'later', offering([sampleListing('GITHUB', 'Fork')]));
    await catalog.replaceOffer('other', 'theirs', star);
    assert.equal(catalog.findTool(project, 'Github.Fork'), null);
    assert.equal(catalog.findTool('other', 'Github.Star')?.sourceId, 'theirs');
  });

  test('cannot be had from inside or around, nor written like the long form of another source', async () => {
    await catalog.replaceOffer(project, 'one', offering([sampleListing('Docs', 'a/b.c')]));
    await catalog.replaceOffer(project, 'two', offering([sampleListing('Docs.a', 'x')]));
    await catalog.replaceOffer(project, 'three', offering([sampleListing('one/Docs', 'x')]));
    await catalog.replaceOffer(project, 'four', offering([sampleListing('Deep.er', 'x')]));
    await catalog.replaceOffer(project, 'five', offering([sampleListing('Deep', 'er.x')]));
    const ruleNames = () => catalog.tools(project).map(({ ruleName }) => ruleName);
    assert.deepEqual(ruleNames(), [
      'five/Deep.er.x',
      'Deep.er.x',
      'Docs.a/b.c',
      'three/one/Docs.x',
      'two/Docs.a.x',
    ]);
    await catalog.replaceOffer(project, 'docs.A', offering([sampleListing('Docs', 'x')]));
    assert.equal(new Set(ruleNames().map((name) => name.toLowerCase())).size, 6);
    assert.ok(ruleNames().includes('one/Docs.a/b.c'));
  });

  test('that an MCP server has by its id covers its prompts and URIs, unless it is another source’s', async () => {
    const more = { prompts: ['ask'], resources: ['file:///a'], templates: ['file:///{x}'] };
    await catalog.replaceOffer(project, 'worker', offering([sampleListing('Wiki', 'Find')]));
    await catalog.replaceOffer(project, 'wiki', offering([sampleListing('wiki', 'find')], more));
    await catalog.replaceOffer(project, 'docs', offering([], more));
    await catalog.replaceOffer(project, 'fake', offering([sampleListing('docs', 'ask')]));
    await gateway('all', null);
    const view = catalog.view('all');
    const shown = [...(view?.prompts ?? []), ...(view?.resources ?? []), ...(view?.templates ?? [])];
    assert.deepEqual(
      [...shown.map(({ target }) => target), ...(view?.tools.map(({ tool }) => tool) ?? [])].map(
        ({ ruleName }) => ruleName,
      ),
      [
        'docs.ask',
        'wiki/wiki.ask',
        'docs.file:///a',
        'wiki/wiki.file:///a',
        'docs.file:///{x}',
        'wiki/wiki.file:///{x}',
        'fake/docs.ask',
        'wiki/wiki.find',
        'Wiki.Find',
      ],
    );
    assert.match(view?.prompts[1]?.wireName ?? '', /^wiki_ask_[0-9a-f]{8}$/);
  });

  test('is kept for the source that was known longest, where the database is of before there were owners', async () => {
    const [earlier, later] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];
    await keepAsOlder(db, { projectId: project, sourceId: 'zz-first' }, star.tools, earlier);
    const inside = [sampleListing('Github.More', 'x')];
    await keepAsOlder(db, { projectId: project, sourceId: 'inside' }, inside, earlier);
    await keepAsOlder(db, { projectId: project, sourceId: 'aa-later' }, star.tools, later);
    for (const table of ['offers', 'offer_entries', 'toolkit_owners']) await db.query(`drop table ${table}`);
    const script = await readFile(new URL('../../migrations/0005_offers.sql', import.meta.url), 'utf8');
    const statements = script
      .replace(/^--.*$/gm, '')
      .replace(/--.*$/gm, '')
      .split(';');
    for (const statement of statements) if (statement.trim() !== '') await db.query(statement);
    await db.query(
      `alter table offers add column instructions json not null default '""', add column revision text,
         add column tools bytea, add column tools_revision text`,
    );
    const migrated = await openCatalog(db, clock);
    assert.equal(migrated.findTool(project, 'Github.Star')?.sourceId, 'zz-first');
    assert.equal(migrated.findTool(project, 'aa-later/Github.Star')?.sourceId, 'aa-later');
    assert.equal(migrated.findTool(project, 'inside/Github.More.x')?.sourceId, 'inside');
  });
});
