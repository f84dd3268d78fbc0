import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Catalog } from '#catalog';
import type { ToolListing } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { silentLog } from '#telemetry';
import { openTestDatabase, temporaryDirectory } from '../../test/database.ts';
import { openCatalog } from '../../test/open-catalog.ts';
import { type Curation, noCuration } from './governance/contract.ts';
import { createIndexing, type Indexed } from './indexing.ts';
import { createSearchEngine } from './search/search-engine.ts';
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

function open(engines: { opened: number }) {
  const curations = new Map<string, Curation>();
  let tell: (projectId: string, toolIds: readonly string[] | null) => void = () => {};
  const sources = { get: () => null };
  const indexing = createIndexing({
    catalog,
    governance: {
      curationOf: (_, toolId) => curations.get(toolId) ?? noCuration,
      learnedOf: () => [],
      onChange(listener) {
        tell = listener;
      },
    },
    models: null,
    refs: createToolRefs(sources),
    async openEngine() {
      engines.opened++;
      return createSearchEngine({ log: silentLog });
    },
    snapshotOf: (projectId) => join(dir, projectId),
    // It stands still: whoever asks waits for all that changed.
    clock: manualClock(),
    log: silentLog,
  });
  return {
    indexing,
    say(toolId: string, curation: Partial<Curation>) {
      curations.set(toolId, { ...noCuration, ...curation });
      tell(project, [toolId]);
    },
  };
}

async function namesFor({ index }: Indexed, text: string): Promise<string[]> {
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
    assert.deepEqual([engines.opened, indexed.index.size], [1, 3]);
    assert.equal((await namesFor(indexed, 'send a mail'))[0], 'SendMail');
    await indexing.close();
  });

  it('follows the catalog, and what people say of its tools', async () => {
    await offer([listing('SendMail', 'Sends a mail to somebody'), listing('ListFiles')]);
    const { indexing, say } = open({ opened: 0 });
    const first = await indexing.of(project);
    await offer([listing('ListFiles'), listing('BookFlight', 'Books a flight to a city')]);
    const second = await indexing.of(project);
    assert.notEqual(second, first, 'bits of before are not good for it');
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
    assert.equal((await before.indexing.of(project)).index.size, 2001);
    await before.indexing.close();
    assert.ok(existsSync(join(dir, project)));
    await offer([...many.slice(1), listing('BookFlight', 'Books a flight to a city')]);
    const next = open({ opened: 0 });
    const indexed = await next.indexing.of(project);
    assert.equal(indexed.index.size, 2000);
    assert.equal((await namesFor(indexed, 'book a flight'))[0], 'BookFlight');
    assert.ok(!(await namesFor(indexed, 'send a mail')).includes('gone'));
    await next.indexing.close();
  });
});
