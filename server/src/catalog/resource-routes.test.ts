import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { newGatewayFromRequest, type RuleTarget } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import type { Catalog, GatewayView } from './contract.ts';
import { clearCatalog, offering, sampleListing, withInterface } from './sample-offer.ts';

const project = 'default';

describe('the URIs of a gateway', () => {
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

  async function gateway(slug: string, allowed: string[] | null = null): Promise<void> {
    const request = { name: slug, slug, tool_filter: { allowed_tools: allowed } };
    assert.ok((await catalog.createGateway(newGatewayFromRequest(request, { projectId: project }))).ok);
  }
  const view = (slug: string): GatewayView => catalog.view(slug) as GatewayView;
  const found = (slug: string, uri: string) => {
    const resource = view(slug).findResource(uri);
    return resource === null ? null : [resource.target.sourceId, resource.own];
  };
  async function list(sourceId: string, ...uris: string[]): Promise<void> {
    clock.advance(1000);
    const [templates, resources] = [true, false].map((is) => uris.filter((uri) => uri.includes('{') === is));
    await catalog.replaceOffer(project, sourceId, {
      ...offering([], { resources: resources ?? [], templates: templates ?? [] }),
      capabilities: { resources: {} },
    });
  }

  test('stay as they are where no two servers have the same', async () => {
    await list('docs', 'docs://a', 'docs://{x}');
    await list('wiki', 'wiki://a');
    await gateway('g');
    assert.deepEqual(
      [...view('g').resources.map(({ uri }) => uri), ...view('g').templates.map((one) => one.uriTemplate)],
      ['docs://a', 'wiki://a', 'docs://{x}'],
    );
    assert.deepEqual(found('g', 'docs://a'), ['docs', 'docs://a']);
    assert.equal(view('g').shownUri('wiki', 'wiki://a'), 'wiki://a');
    assert.equal(view('g').renamesUris('wiki'), false);
    assert.equal(view('g').findResource('docs://a')?.target.ruleName, 'docs.docs://a');
    assert.equal(view('g').findResource('docs://a')?.target.id, view('g').resources[0]?.target.id);
  });

  test('of a server that comes later with one that is there are all written with its prefix', async () => {
    await list('zz', 'file:///a', 'file:///b');
    await list('aa', 'file:///b', 'file:///c', 'aa://{x}');
    await gateway('g');
    await gateway('alone', ['aa.*']);
    for (const known of [catalog, await openCatalog(db, clock)]) {
      const shown = known.view('g') as GatewayView;
      assert.deepEqual(
        shown.resources.map(({ uri, listed }) => [uri, listed.uri]),
        [
          ['aa+file:///b', 'aa+file:///b'],
          ['aa+file:///c', 'aa+file:///c'],
          ['file:///a', 'file:///a'],
          ['file:///b', 'file:///b'],
        ],
      );
      assert.equal(shown.templates[0]?.listed.uriTemplate, 'aa+aa://{x}');
    }
    assert.deepEqual(found('g', 'file:///b'), ['zz', 'file:///b']);
    assert.deepEqual(found('g', 'aa+file:///b'), ['aa', 'file:///b']);
    assert.deepEqual(found('g', 'aa+aa://7'), ['aa', 'aa://7']);
    assert.deepEqual(found('g', 'aa+file:///unlisted'), ['aa', 'file:///unlisted']);
    assert.equal(found('g', 'aa://7'), null);
    assert.deepEqual(view('g').findTemplate('aa+aa://{x}')?.own, 'aa://{x}');
    assert.equal(view('g').findTemplate('aa://{x}'), null);
    assert.equal(view('g').shownUri('aa', 'aa://9'), 'aa+aa://9');
    assert.equal(view('g').renamesUris('aa'), true);
    assert.deepEqual(found('alone', 'file:///b'), ['aa', 'file:///b']);
  });

  test('are not taken over by one that a template of an earlier server makes, nor through its template', async () => {
    await list('files', 'file:///{+path}');
    await list('later', 'file:///etc/hosts');
    await list('latest', 'file:///etc/{name}');
    await gateway('g');
    assert.deepEqual(found('g', 'file:///etc/hosts'), ['files', 'file:///etc/hosts']);
    assert.deepEqual(found('g', 'later+file:///etc/hosts'), ['later', 'file:///etc/hosts']);
    assert.deepEqual(found('g', 'file:///etc/passwd'), ['files', 'file:///etc/passwd']);
  });

  test('that begin with the prefix of another server are written with that of their own', async () => {
    await list('git', 'file:///a');
    await list('sly', 'git+file:///a', 'sly://a');
    await list('docs', 'file:///a');
    await gateway('g');
    assert.deepEqual(found('g', 'git+file:///a'), null);
    assert.deepEqual(found('g', 'sly+git+file:///a'), ['sly', 'git+file:///a']);
    assert.deepEqual(found('g', 'docs+file:///a'), ['docs', 'file:///a']);
  });

  test('have prefixes that are valid in a URI, one for each server', async () => {
    const ids = ['0first', 'a_b', 'a-b', 'A-B', 'a.b', '9_', 'Ünknown'.replace('Ü', 'U')];
    for (const id of ids) await list(id, 'file:///a');
    await gateway('g');
    const uris = view('g').resources.map(({ uri }) => uri);
    assert.equal(new Set(uris).size, ids.length);
    for (const uri of uris) {
      assert.match(uri, /^([a-z][a-z0-9.-]*\+)?file:\/\/\/a$/);
      assert.equal(view('g').findResource(uri)?.own, 'file:///a');
    }
    assert.ok(uris.includes('a-b+file:///a') && uris.includes('a.b+file:///a'));
  });

  test('that nobody lists belong to the server whose template makes them, as far as the gateway allows', async () => {
    await list('docs', 'docs://{name}', 'docs://a/{name}');
    await list('wiki', 'wiki://page/{id}{?rev}');
    await gateway('g');
    await gateway('some', ['wiki.*', 'docs.docs://{name}', 'docs.docs://open*']);
    assert.deepEqual(found('g', 'wiki://page/7?rev=2'), ['wiki', 'wiki://page/7?rev=2']);
    assert.deepEqual(found('some', 'docs://open'), ['docs', 'docs://open']);
    assert.equal(found('some', 'docs://secret'), null);
    assert.equal(found('some', 'docs://a/open'), null);
    const [once, again] = [1, 2].map(() => view('g').findResource('wiki://page/7')?.target);
    assert.match(once?.id ?? '', /^res_[0-9a-f]{24}$/);
    assert.deepEqual(once, again);
    assert.equal(once?.ruleName, 'wiki.wiki://page/7');
  });

  test('that climb out of where they begin are only for those who may have all of the source', async () => {
    await list('docs', 'docs://open/{+path}');
    await gateway('whole', ['docs.*']);
    await gateway('part', ['docs.docs://open/*']);
    assert.deepEqual(found('part', 'docs://open/..a/b..'), ['docs', 'docs://open/..a/b..']);
    for (const path of ['../secret', 'a/%2e./../secret', '..%2Fsecret', '..\\secret', 'a%5c..', '..?x']) {
      const uri = `docs://open/${path}`;
      assert.deepEqual(found('whole', uri), ['docs', uri]);
      assert.equal(found('part', uri), null, uri);
    }
    assert.equal(view('whole').findResource('docs://open/../secret')?.target.ruleName, 'docs.*');
  });

  test('that nobody lists belong to the only server with resources, or the only one with that scheme', async () => {
    await list('docs');
    await catalog.replaceOffer(project, 'tools', offering([sampleListing('tools', 'x')]));
    await gateway('g');
    await gateway('tool', ['docs.x', 'tools.*']);
    assert.deepEqual(found('g', 'anything:1'), ['docs', 'anything:1']);
    assert.equal(found('tool', 'anything:1'), null);
    await list('wiki', 'wiki://a');
    assert.equal(found('g', 'anything:1'), null);
    assert.deepEqual(found('g', 'WIKI://b'), ['wiki', 'WIKI://b']);
    await list('other', 'wiki://c');
    assert.equal(found('g', 'wiki://b'), null);
    assert.equal(found('g', 'no uri at all'), null);
  });

  test('of the only server with resources are its own only where the gateway shows all of it', async () => {
    await list('docs', 'docs://a');
    await gateway('part', ['docs.docs://a', 'docs.other:*']);
    assert.deepEqual(found('part', 'docs://a'), ['docs', 'docs://a']);
    assert.equal(found('part', 'other:1'), null);
    assert.equal(found('part', 'docs://b'), null);
    await gateway('whole', ['d?cs.*']);
    assert.deepEqual(found('whole', 'other:1'), ['docs', 'other:1']);
  });

  test('of a tool’s interface may be read by whoever may use the tool, shown or not', async () => {
    const tools = [
      withInterface(sampleListing('docs', 'a'), 'ui://docs/app'),
      withInterface(sampleListing('docs', 'b'), 'ui://docs/app'),
    ];
    await catalog.replaceOffer(project, 'docs', offering(tools, { resources: ['ui://docs/app'] }));
    await gateway('tools', ['docs.a', 'docs.b']);
    await gateway('all');
    const named = (slug: string, may: (target: RuleTarget) => boolean) =>
      view(slug).findResource('ui://docs/app', may)?.target.ruleName;
    assert.deepEqual(view('tools').resources, []);
    assert.equal(view('tools').findResource('ui://docs/app')?.target, view('tools').tools[0]?.tool);
    assert.equal(
      named('tools', ({ ruleName }) => ruleName === 'docs.b'),
      'docs.b',
    );
    assert.equal(
      named('all', () => true),
      'docs.ui://docs/app',
    );
    assert.equal(
      named('all', ({ ruleName }) => ruleName === 'docs.b'),
      'docs.b',
    );
    assert.equal(
      named('all', () => false),
      'docs.ui://docs/app',
    );
    assert.equal(view('tools').findResource('ui://docs/other'), null);
  });

  test('of interfaces are told apart too, and tools refer to them as the gateway writes them', async () => {
    for (const id of ['docs', 'wiki']) {
      clock.advance(1000);
      const tool = withInterface(sampleListing(id, 'show'), 'ui://app');
      const mcp = { title: 'T', ...tool.mcp, _meta: { z: 1, ...(tool.mcp._meta as object), y: 2 } };
      await catalog.replaceOffer(project, id, offering([{ ...tool, mcp }]));
    }
    await gateway('g', ['*.show']);
    assert.deepEqual(found('g', 'ui://app'), ['docs', 'ui://app']);
    assert.deepEqual(found('g', 'wiki+ui://app'), ['wiki', 'ui://app']);
    const [docs, wiki] = view('g').tools;
    assert.equal(docs?.mcp, docs?.tool.mcp);
    assert.equal(
      JSON.stringify(wiki?.mcp),
      '{"title":"T","_meta":{"z":1,"ui":{"resourceUri":"wiki+ui://app"},"ui/resourceUri":"wiki+ui://app","y":2}}',
    );
    assert.equal(JSON.stringify(wiki?.tool.mcp).includes('wiki+'), false);
  });

  test('of ten servers with a thousand resources each are found, whatever they collide in', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => `file:///${at}`);
    const ids = Array.from({ length: 10 }, (_, at) => `s${9 - at}`);
    for (const id of ids) await list(id, ...many, `file:///${id}/{x}`);
    await gateway('g');
    assert.equal(new Set(view('g').resources.map(({ uri }) => uri)).size, 10_000);
    assert.deepEqual(found('g', 'file:///7'), ['s9', 'file:///7']);
    for (const id of ids.slice(1)) assert.deepEqual(found('g', `${id}+file:///7`), [id, 'file:///7']);
    assert.deepEqual(view('g').sourceIds, (await openCatalog(db, clock)).view('g')?.sourceIds);
  });
});
