import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Tool } from '#domain';
import { manualClock } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../test/database.ts';
import {
  embeddingOf,
  type ModelServer,
  modelDimensions,
  modelKey,
  startModelServer,
} from '../../../test/model-server.ts';
import type { ModelSettings } from './contract.ts';
import { clearKept, listing, type Modelled, project, startModelled } from './fixtures/modelled.ts';
import { createKeptStore } from './kept-store.ts';

let db: Db;
let server: ModelServer;
const replicas: Modelled[] = [];

before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  server = await startModelServer();
  await clearKept(db);
});
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.close();
  await server.close();
});

/** As on a server that several processes share: the embedded database would tell that nobody else has it. */
const shared = (): Db => ({ ...db, kind: 'postgres' });

async function start(options: Parameters<typeof startModelled>[1] = {}): Promise<Modelled> {
  const replica = await startModelled(shared(), options);
  replicas.push(replica);
  return replica;
}

const embeddings = (more: Partial<NonNullable<ModelSettings['embeddings']>> = {}): ModelSettings => ({
  embeddings: {
    url: `${server.url}/voyage/embeddings`,
    model: 'voyage-small',
    key: modelKey,
    timeout_ms: 10_000,
    format: 'voyage',
    weight: 0.5,
    batch: 4,
    ...more,
  },
});

const many = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    listing(`Tool${at}`, `Does number ${'abcdefghij'[at % 10]} of ${at}`),
  );
const sent = () => server.asked.flatMap(({ body }) => body.input ?? []) as string[];
const likeness = (one: Float32Array, other: readonly number[]) => {
  const length = Math.hypot(...other);
  return one.reduce((sum, value, at) => sum + (value * (other[at] as number)) / length, 0);
};

describe('vectors of tools', () => {
  it('are made of what tools say of themselves, and of nothing else', async () => {
    const replica = await start();
    await replica.offer(listing('SendMail', 'Sends a letter to somebody', ['to', 'subject']));
    replica.models.use(embeddings());
    await replica.until(() => replica.embedded());
    assert.deepEqual(sent(), ['Office SendMail\nSends a letter to somebody\nto, subject']);
    const [tool] = replica.tools() as [Tool];
    const vector = (await replica.models.documents.vectorsOf([tool])).get(tool.id) as Float32Array;
    assert.ok(likeness(vector, embeddingOf(sent()[0] as string, modelDimensions)) > 0.999);
    assert.deepEqual(server.problems, []);
  });

  it('serve searches once nearly all tools have one, and all tools are told of then', async () => {
    const replica = await start();
    await replica.offer(...many(40));
    let answered = 0;
    server.misbehave = (_, _body, response) => {
      if (answered++ < 9) return false;
      response.writeHead(500).end();
      return true;
    };
    replica.models.use(embeddings());
    await replica.until(async () => (await replica.count('embed_documents', 'made')) === 36);
    assert.equal(replica.models.documents.space(project), null);
    assert.deepEqual(replica.told, []);
    server.misbehave = null;
    await replica.until(() => replica.embedded());
    assert.deepEqual(replica.models.documents.space(project), {
      id: 'voyage/voyage-small',
      dimensions: modelDimensions,
      weight: 0.5,
    });
    assert.deepEqual(replica.told, [null]);
  });

  it('of a tool that comes later are told of by themselves', async () => {
    const replica = await start();
    const tools = many(40);
    await replica.offer(...tools);
    replica.models.use(embeddings());
    await replica.until(() => replica.embedded());
    replica.told.length = 0;
    server.asked.length = 0;
    await replica.offer(...tools.slice(1), listing('Tool0', 'Does something else'), listing('New', 'Is new'));
    await replica.until(async () => replica.told.flat().length === 2);
    assert.deepEqual(sent().toSorted(), ['Office New\nIs new', 'Office Tool0\nDoes something else']);
    const ids = replica
      .tools()
      .filter(({ name }) => name === 'New' || name === 'Tool0')
      .map(({ id }) => id);
    assert.deepEqual(replica.told.flat().toSorted(), ids.toSorted());
  });

  it('are kept: another start asks for none, and finds them', async () => {
    const first = await start();
    await first.offer(...many(10));
    first.models.use(embeddings());
    await first.until(() => first.embedded());
    await first.close();
    replicas.length = 0;
    server.asked.length = 0;
    const second = await start();
    second.models.use(embeddings());
    await second.until(() => second.embedded());
    assert.deepEqual(server.asked, []);
    assert.equal((await second.models.documents.vectorsOf(second.tools())).size, 10);
  });

  it('are made once for tools that say the same', async () => {
    const replica = await start();
    await replica.offer(listing('Same', 'Does it'));
    await replica.catalog.replaceOffer(project, 'b', {
      tools: [listing('Same', 'Does it')],
      prompts: [],
      resources: [],
      templates: [],
      capabilities: {},
    });
    replica.models.use(embeddings());
    await replica.until(() => replica.embedded());
    assert.equal(sent().length, 1);
    assert.equal((await replica.models.documents.vectorsOf(replica.tools())).size, replica.tools().length);
    assert.equal(replica.tools().length, 2);
    await replica.catalog.forget(project, 'b');
  });

  it('of another model are made anew, and those of the one before are not taken for them', async () => {
    const replica = await start();
    await replica.offer(...many(8));
    replica.models.use(embeddings());
    await replica.until(() => replica.embedded());
    replica.told.length = 0;
    server.asked.length = 0;
    replica.models.use(embeddings({ model: 'voyage-large', dimensions: 32 }));
    assert.equal(replica.models.documents.space(project), null);
    assert.equal((await replica.models.documents.vectorsOf(replica.tools())).size, 0);
    assert.deepEqual(replica.told, [null]);
    await replica.until(() => replica.models.documents.space(project) !== null);
    assert.equal(sent().length, 8);
    const vectors = await replica.models.documents.vectorsOf(replica.tools());
    assert.deepEqual(
      [...vectors.values()].map(({ length }) => length),
      new Array(8).fill(32),
    );
    replica.models.use(embeddings());
    await replica.until(() => replica.models.documents.space(project)?.dimensions === modelDimensions);
    assert.equal(sent().length, 8);
  });

  it('go where none is configured any more, and nothing is held', async () => {
    const replica = await start();
    await replica.offer(...many(3));
    replica.models.use(embeddings());
    await replica.until(() => replica.embedded());
    replica.models.use({});
    assert.equal(replica.models.documents.space(project), null);
    assert.equal((await replica.models.documents.vectorsOf(replica.tools())).size, 0);
    await replica.offer(...many(5));
    assert.equal(server.asked.length, 1);
    assert.equal(await replica.count('embed_documents', 'made'), undefined);
  });

  it('one text that no model takes keeps no other from being taken', async () => {
    const replica = await start();
    await replica.offer(...many(7), listing('Poison', 'Nobody can read it'));
    server.misbehave = (_, body, response) => {
      if (!body.input.some((text: string) => text.includes('Poison'))) return false;
      response.writeHead(400).end('{}');
      return true;
    };
    replica.models.use(embeddings({ batch: 8 }));
    await replica.until(async () => (await replica.count('embed_documents', 'made')) === 7);
    const asked = server.asked.length;
    replica.clock.advance(60_000);
    await replica.until(() => true);
    assert.equal(server.asked.length, asked);
  });

  it('nonsense is not kept, and is asked for again later', async () => {
    const replica = await start();
    await replica.offer(...many(4));
    server.misbehave = (_, _body, response) => {
      response.writeHead(200).end('{"data":[{"index":0,"embedding":[1,2]}]}');
      return true;
    };
    replica.models.use(embeddings());
    await replica.until(() => server.asked.length === 3);
    assert.equal((await db.query('select 1 from hub_kept')).length, 0);
    server.misbehave = null;
    await replica.until(() => replica.embedded());
  });
});

describe('several replicas', () => {
  it('make everything once, and all have it', async () => {
    const clock = manualClock();
    const first = await start({ clock });
    await first.offer(...many(30));
    const second = await start({ clock });
    const third = await start({ clock, isMaker: false });
    for (const { models } of [first, second, third]) models.use(embeddings());
    await first.until(async () => {
      const all = await Promise.all([first, second, third].map((replica) => replica.embedded()));
      return all.every((isSo) => isSo);
    });
    assert.equal(sent().length, 30);
    assert.equal(new Set(sent()).size, 30);
    for (const { models, tools } of [second, third])
      assert.equal((await models.documents.vectorsOf(tools())).size, 30);
  });

  it('one that is gone in the middle of it keeps the others from it for a while, not for ever', async () => {
    const clock = manualClock();
    const gone = createKeptStore('vector', 'replica_that_is_gone', {
      db: shared(),
      changes: { tell: async () => {} } as never,
      clock,
    });
    assert.equal(await gone.hold(90_000), true);
    const replica = await start({ clock });
    await replica.offer(...many(3));
    replica.models.use(embeddings());
    await replica.until(() => clock.now() > Date.UTC(2026, 0, 1) + 80_000);
    assert.deepEqual(server.asked, []);
    await replica.until(() => replica.embedded());
  });

  it('what nobody had for a week is dropped; what somebody has is not', async () => {
    const replica = await start();
    await replica.offer(...many(2));
    replica.models.use(embeddings());
    await replica.until(() => replica.embedded());
    await replica.offer(...many(1));
    const rows = () => db.query('select 1 from hub_kept');
    const lastUsed = (daysAgo: number) =>
      db.query('update hub_kept set used_at = $1', [
        new Date(replica.clock.now() - daysAgo * 24 * 60 * 60_000).toISOString(),
      ]);
    await lastUsed(6);
    replica.clock.advance(6 * 60 * 60_000);
    await replica.until(
      async () => (await db.query("select 1 from hub_kept where used_at > '2026-01-01'")).length === 1,
    );
    assert.equal((await rows()).length, 2);
    await lastUsed(8);
    replica.clock.advance(6 * 60 * 60_000);
    await replica.until(async () => (await rows()).length === 1);
    const vectors = await replica.models.documents.vectorsOf(replica.tools());
    assert.equal(vectors.size, 1);
  });
});
