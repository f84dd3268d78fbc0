import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Catalog } from '#catalog';
import type { ToolListing } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import { type Curation, noCuration } from './governance/contract.ts';
import { createIndexing } from './indexing.ts';
import type { SearchIndex } from './search/contract.ts';
import { createSearchEngine } from './search/search-engine.ts';
import { createToolFinder } from './tool-finder.ts';
import { createToolRefs } from './tool-ref.ts';

const project = 'default';
let db: Db;
let catalog: Catalog;
let dir: string;

before(async () => {
  db = await openTestDatabase();
  catalog = await openCatalog(db, manualClock());
  dir = temporaryDirectory();
});
after(async () => {
  await db?.close();
  rmSync(dir, { recursive: true, force: true });
});

function listing(name: string, description = `Does ${name}`): ToolListing {
  return {
    toolkit: { name: 'Kit', version: '1.0.0', description: null },
    name,
    description,
    inputSchema: { type: 'object', properties: {} },
    outputSchema: null,
    parameters: [],
    output: { description: null, availableModes: [], valueSchema: null },
    requirements: { authorization: null, secrets: null, metadata: null },
    metadata: null,
    mcp: {},
  };
}

const offer = (tools: readonly ToolListing[]) =>
  catalog.replaceOffer(project, 'kit', {
    tools,
    prompts: [],
    resources: [],
    templates: [],
    capabilities: {},
  });

/** `failing`: so many that are opened first fail. */
function open(
  engines: { opened: number; failing?: number },
  digest: Catalog['digest'] = (tool) => catalog.digest(tool),
) {
  const curations = new Map<string, Curation>();
  let tell: (projectId: string, toolIds: readonly string[] | null) => void = () => {};
  const sources = { get: () => null };
  // It stands still: whoever asks waits for all that changed.
  const clock = manualClock();
  const indexing = createIndexing({
    catalog: {
      digest,
      toolLists: (projectId) => catalog.toolLists(projectId),
      onOffersChange: (listener) => catalog.onOffersChange(listener),
    },
    governance: {
      curationOf: (_, toolId) => curations.get(toolId) ?? noCuration,
      learnedOf: () => [],
      onChange(listener) {
        tell = listener;
      },
    },
    models: null,
    refs: createToolRefs(sources),
    finder: createToolFinder(),
    async openEngine() {
      if (++engines.opened <= (engines.failing ?? 0)) throw new Error('no space left');
      return createSearchEngine({ log: silentLog });
    },
    snapshotOf: (projectId) => join(dir, projectId),
    clock,
    log: silentLog,
  });
  return {
    indexing,
    clock,
    say(toolId: string, curation: Partial<Curation>) {
      curations.set(toolId, { ...noCuration, ...curation });
      tell(project, [toolId]);
    },
  };
}

async function namesFor(index: SearchIndex, text: string): Promise<string[]> {
  const hits = await index.search({ text, permitted: null, limit: 3 });
  const names = new Map(catalog.tools(project).map(({ id, name }) => [id, name]));
  return hits.map(({ id }) => names.get(id) ?? 'gone');
}

describe('the index of a project', () => {
  it('is not begun before anybody asks, and then holds all of the catalog', async () => {
    const engines = { opened: 0 };
    await offer([listing('SendMail', 'Sends a mail to somebody'), listing('ListFiles')]);
    const { indexing } = open(engines);
    await offer([listing('SendMail', 'Sends a mail to somebody'), listing('ListFiles'), listing('Other')]);
    assert.equal(engines.opened, 0);
    const indexed = await indexing.of(project);
    assert.deepEqual([engines.opened, indexed.size], [1, 3]);
    assert.equal((await namesFor(indexed, 'send a mail'))[0], 'SendMail');
    await indexing.close();
  });

  it('follows the catalog, and what people say of its tools', async () => {
    await offer([listing('SendMail', 'Sends a mail to somebody'), listing('ListFiles')]);
    const { indexing, say } = open({ opened: 0 });
    await indexing.of(project);
    await offer([listing('ListFiles'), listing('BookFlight', 'Books a flight to a city')]);
    const second = await indexing.of(project);
    assert.equal((await namesFor(second, 'book a flight'))[0], 'BookFlight');
    assert.ok(!(await namesFor(second, 'send a mail')).includes('gone'));
    const id = catalog.findTool(project, 'Kit.ListFiles')?.id ?? '';
    say(id, { synonyms: ['zebrafish'] });
    assert.equal((await namesFor(await indexing.of(project), 'zebrafish'))[0], 'ListFiles');
    await indexing.close();
  });

  it('is kept from one start to the next, and mended by what changed in between', async () => {
    const many = Array.from({ length: 2000 }, (_, at) => listing(`Tool${at}`, `Does the thing ${at}`));
    await offer([...many, listing('SendMail', 'Sends a mail to somebody')]);
    const before = open({ opened: 0 });
    assert.equal((await before.indexing.of(project)).size, 2001);
    await before.indexing.close();
    assert.ok(existsSync(join(dir, project)));
    await offer([...many.slice(1), listing('BookFlight', 'Books a flight to a city')]);
    const next = open({ opened: 0 });
    const indexed = await next.indexing.of(project);
    assert.equal(indexed.size, 2000);
    assert.equal((await namesFor(indexed, 'book a flight'))[0], 'BookFlight');
    assert.ok(!(await namesFor(indexed, 'send a mail')).includes('gone'));
    await offer([listing('BookFlight', 'Books a flight to a city')]);
    await next.indexing.close();
    assert.ok(!existsSync(join(dir, project)), 'so few are put in again sooner than they are read');
  });

  it('is written when nothing has changed for a while', async () => {
    await offer(Array.from({ length: 2000 }, (_, at) => listing(`Tool${at}`, `Does the thing ${at}`)));
    const { indexing, clock } = open({ opened: 0 });
    await indexing.of(project);
    clock.advance(5000);
    await indexing.settled();
    assert.ok(!existsSync(join(dir, project)), 'who tells a change now must not wait for that');
    clock.advance(5000);
    while (!existsSync(join(dir, project))) await nextTurn();
    await indexing.close();
    rmSync(join(dir, project));
  });

  it('is tried again by whoever asks next where search could not be started', async () => {
    await offer([listing('SendMail', 'Sends a mail to somebody'), listing('ListFiles')]);
    const engines = { opened: 0, failing: 2 };
    const { indexing } = open(engines);
    for (const _ of [1, 2]) await assert.rejects(indexing.of(project), /no space left/);
    await offer([listing('BookFlight', 'Books a flight to a city'), listing('ListFiles')]);
    const indexed = await indexing.of(project);
    assert.deepEqual([engines.opened, indexed.size], [3, 2]);
    assert.equal((await namesFor(indexed, 'book a flight'))[0], 'BookFlight');
    await indexing.close();
    const failing = open({ opened: 0, failing: 1 }).indexing;
    failing.warm(project);
    await failing.close();
  });

  it('begins by itself where there are many tools, from the start or when they come', async () => {
    const many = Array.from({ length: 2000 }, (_, at) => listing(`Tool${at}`, `Does the thing ${at}`));
    await offer(many.slice(1));
    const engines = { opened: 0 };
    const one = open(engines);
    await offer(many);
    assert.equal(engines.opened, 0, 'nobody has begun');
    await offer(many.slice(1));
    one.indexing.begin([project]);
    assert.equal(engines.opened, 0, 'those are few');
    await offer(many);
    assert.equal(engines.opened, 1);
    await one.indexing.close();
    let looked = 0;
    const other = open(engines, (tool) => {
      looked++;
      return catalog.digest(tool);
    });
    other.indexing.begin([project]);
    assert.equal(engines.opened, 2);
    await other.indexing.settled();
    assert.equal(looked, 2000, 'by then all of them are in');
    await other.indexing.close();
  });

  it('looks only at what changed', async () => {
    const many = Array.from({ length: 3000 }, (_, at) => listing(`Tool${at}`, `Does the thing ${at}`));
    await offer(many);
    let looked = 0;
    const { indexing } = open({ opened: 0 }, (tool) => {
      looked++;
      return catalog.digest(tool);
    });
    await indexing.of(project);
    assert.equal(looked, 3000);
    await offer(many.with(1234, listing('Tool1234', 'Feeds the zebrafish')));
    assert.equal((await namesFor(await indexing.of(project), 'zebrafish'))[0], 'Tool1234');
    assert.equal(looked, 3001);
    await indexing.close();
  });

  it('answers from what is there while many are put in, and knows what is missing', async () => {
    const many = Array.from({ length: 12_000 }, (_, at) => listing(`Tool${at}`, `Does the thing ${at}`));
    await offer(many);
    const ids = catalog.tools(project).map(({ id }) => id);
    const some = Promise.withResolvers<void>();
    let looked = 0;
    const { indexing } = open({ opened: 0 }, (tool) => {
      if (++looked === 5000) some.resolve();
      return catalog.digest(tool);
    });
    indexing.warm(project);
    await some.promise;
    const index = await indexing.of(project);
    const partly = index.permit(ids);
    assert.ok(partly.count > 0 && partly.missing > 0, 'who asks is not kept waiting for all of them');
    assert.equal(partly.count + partly.missing, ids.length);
    assert.ok((await namesFor(index, 'the thing')).length > 0);
    while (index.permit(ids).missing > 0) await nextTurn();
    assert.equal(index.size, 12_000);
    await indexing.close();
  });
});
