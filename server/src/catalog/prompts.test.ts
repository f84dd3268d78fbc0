import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newGatewayFromRequest } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import type { Catalog } from './contract.ts';
import { clearCatalog, offering, sampleListing } from './sample-offer.ts';

const project = 'default';

describe('what MCP servers offer beside tools', () => {
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

  async function gateway(slug: string, allowed: string[] | null = null, more: object = {}) {
    const request = { name: slug, slug, tool_filter: { allowed_tools: allowed }, ...more };
    assert.ok((await catalog.createGateway(newGatewayFromRequest(request, { projectId: project }))).ok);
  }
  function shown(slug: string, known = catalog) {
    const view = known.view(slug);
    return {
      tools: view?.tools.map(({ wireName }) => wireName),
      prompts: view?.prompts.map(({ wireName }) => wireName),
      resources: view?.resources.map(({ uri }) => uri),
      templates: view?.templates.map(({ uriTemplate }) => uriTemplate),
    };
  }

  test('survives a restart as it was written, in its order, under the same ids', async () => {
    const listed = { zulu: 1, name: 'ask', _meta: { b: 1, a: 2 }, alfa: 'a\ud800b' };
    const resource = { uri: 'docs://a', mimeType: 'text/plain', name: 'a' };
    const template = { name: 't', uriTemplate: 'docs://{x}' };
    await catalog.replaceOffer(project, 'docs', {
      tools: [],
      prompts: [{ name: 'ask', listed }],
      resources: [{ uri: 'docs://a', listed: resource }],
      templates: [{ uriTemplate: 'docs://{x}', listed: template }],
      capabilities: { resources: { subscribe: true }, prompts: {} },
    });
    await gateway('g');
    const text = ({ view }: Catalog) => {
      const g = view('g');
      return JSON.stringify([g?.prompts, g?.resources, g?.templates, g?.capabilitiesOf('docs')]);
    };
    const before = text(catalog);
    assert.ok(
      before.includes('"listed":{"zulu":1,"name":"docs_ask","_meta":{"b":1,"a":2},"alfa":"a\\ud800b"}'),
    );
    assert.equal(text(await openCatalog(db, clock)), before);
    for (const [found, pattern] of [
      [catalog.view('g')?.prompts[0]?.target.id, /^prompt_[0-9a-f]{24}$/],
      [catalog.view('g')?.resources[0]?.target.id, /^res_[0-9a-f]{24}$/],
      [catalog.view('g')?.templates[0]?.target.id, /^tmpl_[0-9a-f]{24}$/],
    ] as const)
      assert.match(found ?? '', pattern);
  });

  test('stays listed, marked unavailable, while the server is down, and goes when it is forgotten', async () => {
    const more = { prompts: ['ask'], resources: ['docs://a'], templates: ['docs://{x}'] };
    await catalog.replaceOffer(project, 'docs', offering([], more));
    await gateway('g');
    const before = shown('g');
    const told: string[][] = [];
    catalog.view('g');
    catalog.onChange((_slug, lists) => told.push([...lists].sort()));
    await catalog.markUnavailable(project, 'docs');
    await catalog.markUnavailable(project, 'docs');
    assert.deepEqual(told, [['prompts', 'resources']]);
    for (const known of [catalog, await openCatalog(db, clock)]) {
      assert.deepEqual(shown('g', known), before);
      assert.deepEqual(known.view('g')?.prompts[0]?.listed, {
        name: 'docs_ask',
        _meta: { 'sallyport/available': false },
      });
    }
    await catalog.replaceOffer(project, 'docs', offering([], more));
    assert.deepEqual(catalog.view('g')?.prompts[0]?.listed, { name: 'docs_ask' });
    await catalog.keepSources(project, []);
    for (const known of [catalog, await openCatalog(db, clock)]) {
      assert.deepEqual(shown('g', known), { tools: [], prompts: [], resources: [], templates: [] });
    }
  });

  test('that is listed twice is the first, and what is not listed any more is gone', async () => {
    const twice = [
      { name: 'ask', listed: { name: 'ask', title: 'first' } },
      { name: 'ask', listed: { name: 'ask', title: 'second' } },
    ];
    await catalog.replaceOffer(project, 'docs', { ...offering([]), prompts: twice });
    await gateway('g');
    assert.deepEqual(
      catalog.view('g')?.prompts.map(({ listed }) => listed.title),
      ['first'],
    );
    await catalog.replaceOffer(project, 'docs', offering([], { prompts: ['other'] }));
    assert.deepEqual(shown('g').prompts, ['docs_other']);
  });

  test('is shown by globs over source.prompt and source.uri; an exact name shows only what is named so', async () => {
    const more = { prompts: ['search', 'ask'], resources: ['file:///a/b?c'], templates: ['file:///{x}'] };
    await catalog.replaceOffer(project, 'docs', offering([sampleListing('docs', 'search')], more));
    await catalog.replaceOffer(project, 'wiki', offering([sampleListing('wiki', 'search')], more));
    await gateway('whole', ['docs.*']);
    assert.deepEqual(shown('whole'), {
      tools: ['docs_search'],
      prompts: ['docs_search', 'docs_ask'],
      resources: ['file:///a/b?c'],
      templates: ['file:///{x}'],
    });
    assert.deepEqual(catalog.view('whole')?.sourceIds, ['docs']);
    await gateway('exact', ['docs.search']);
    assert.deepEqual(shown('exact'), {
      tools: ['docs_search'],
      prompts: ['docs_search'],
      resources: [],
      templates: [],
    });
    await gateway('uris', ['docs.file:///a/*']);
    assert.deepEqual(shown('uris').resources, ['file:///a/b?c']);
    assert.deepEqual(shown('uris').templates, []);
  });

  test('has names that are short, legal and unique; who came first keeps the plain one', async () => {
    const long = 'p'.repeat(80);
    await catalog.replaceOffer(project, 'do.cs', offering([], { prompts: ['a b', 'a-b', long, `${long}2`] }));
    clock.advance(1000);
    await catalog.replaceOffer(project, 'do-cs', offering([], { prompts: ['x'] }));
    await catalog.replaceOffer(project, 'do_cs', offering([], { prompts: ['a b'] }));
    await gateway('g');
    const names = shown('g').prompts ?? [];
    assert.equal(new Set(names).size, 6);
    for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
    assert.equal(catalog.view('g')?.findPrompt('do_cs_a_b')?.target.sourceId, 'do.cs');
    const found = catalog.view('g')?.findPrompt(names[3] as string);
    assert.deepEqual([found?.own, found?.listed.name], [long, names[3]]);
    assert.equal(catalog.view('g')?.findPrompt('a b'), null);
  });

  test('goes by the server’s own names where the gateway is over that server alone', async () => {
    await catalog.replaceOffer(project, 'docs', offering([sampleListing('docs', 'x')], { prompts: ['a.b'] }));
    await gateway('own', null, { naming: 'source' });
    assert.deepEqual(shown('own').prompts, ['a.b']);
    assert.deepEqual(shown('own').tools, ['x']);
    await catalog.replaceOffer(project, 'wiki', offering([], { resources: ['wiki://a'] }));
    assert.deepEqual(shown('own').prompts, ['docs_a_b']);
    assert.deepEqual(shown('own').tools, ['docs_x']);
  });

  test('comes from the servers of a gateway in the order in which they became known, workers not among them', async () => {
    for (const id of ['m', 'z', 'a', 'k']) {
      clock.advance(1000);
      const offer = id === 'k' ? offering([sampleListing('Kit', 'x')]) : offering([], { prompts: ['p'] });
      await catalog.replaceOffer(project, id, offer);
    }
    await catalog.replaceOffer(project, 'bare', offering([], { capabilities: { resources: {} } }));
    await catalog.replaceOffer(project, 'mute', offering([], { capabilities: { logging: {} } }));
    await gateway('g');
    for (const known of [catalog, await openCatalog(db, clock)]) {
      assert.deepEqual(known.view('g')?.sourceIds, ['m', 'z', 'a', 'bare']);
      assert.deepEqual(shown('g', known).prompts, ['a_p', 'm_p', 'z_p']);
    }
  });
});
