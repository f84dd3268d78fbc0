import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Fault } from '#foundation';
import { createLog, silentLog } from '#telemetry';
import type { SearchDocument } from './contract.ts';
import { createSearchEngine } from './search-engine.ts';

const engine = createSearchEngine({ log: silentLog });
const directory = mkdtempSync(join(tmpdir(), 'search-engine-'));
after(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

const tool = (name: string, description: string, more: Partial<SearchDocument> = {}): SearchDocument => ({
  ...{
    id: `id-${name}`,
    hash: `${name}: ${description}`,
    name,
    namespace: 'mcp://github',
    title: null,
    description,
  },
  ...{ parameters: [], enrichment: [], learned: [], ...more },
});
const createIssue = tool('create_issue', 'Open a new issue in a repository');
const sendEmail = tool('sendEmail', 'Send a message to somebody by e-mail');
const put = (...documents: SearchDocument[]) => ({ put: documents, remove: [] });
const ask = (text: string) => ({ text, permitted: null, limit: 10 });

it('finds a tool by what it does, and nothing that is not permitted', async () => {
  const index = engine.index('found');
  await index.update(put(createIssue, sendEmail));
  const [best] = await index.search(ask('report a bug in a repository'));
  assert.equal(best?.id, 'id-create_issue');
  const permitted = index.permit(['id-sendEmail', 'unknown', 'id-sendEmail']);
  assert.equal(permitted.count, 1);
  const hits = await index.search({ ...ask('create_issue in a repository'), permitted });
  assert.ok(!hits.some(({ id }) => id === 'id-create_issue'));
  assert.deepEqual(await index.search({ ...ask('issue'), permitted: index.permit([]) }), []);
});

it('answers with no more than was asked for', async () => {
  const index = engine.index('limits');
  await index.update(put(...Array.from({ length: 300 }, (_, at) => tool(`tool_${at}`, `Opens issue ${at}`))));
  for (const [limit, count] of [
    [0, 0],
    [-1, 0],
    [3, 3],
    [1000, 100],
  ] as const) {
    assert.equal(
      (await index.search({ ...ask('open an issue tool'), limit })).length <= count,
      true,
      `${limit}`,
    );
  }
  assert.equal((await index.search({ ...ask('open an issue'), limit: 3 })).length, 3);
});

it('keeps projects apart', async () => {
  await engine.index('one').update(put(createIssue));
  await engine.index('other').update(put(sendEmail));
  const hits = await engine.index('other').search(ask('open an issue'));
  assert.ok(!hits.some(({ id }) => id === 'id-create_issue'));
});

it('sees a changed document at once, and no removed one', async () => {
  const index = engine.index('changed');
  await index.update(put(createIssue, sendEmail));
  await index.update({
    put: [{ ...createIssue, name: 'x', description: 'Forecast of the weather', hash: 'new' }],
    remove: ['id-sendEmail', 'unknown'],
  });
  assert.equal((await index.search(ask('weather tomorrow')))[0]?.id, 'id-create_issue');
  assert.deepEqual(await index.search(ask('repository')), []);
  assert.deepEqual([[...index.ids()], index.has('id-create_issue', 'new')], [['id-create_issue'], true]);
  assert.equal(index.size, 1);
});

it('refuses permissions from before another took a place', async () => {
  const index = engine.index('generations');
  await index.update(put(createIssue, sendEmail));
  const before = index.permit(['id-create_issue']);
  await index.update({ put: [], remove: ['id-create_issue'] });
  assert.deepEqual(await index.search({ ...ask('issue'), permitted: before }), []);
  await index.update(put(tool('secret', 'Open the secret issue')));
  await assert.rejects(index.search({ ...ask('issue'), permitted: before }), Fault);
  const again = index.permit(['id-create_issue', 'id-secret']);
  assert.deepEqual(
    (await index.search({ ...ask('issue'), permitted: again })).map(({ id }) => id),
    ['id-secret'],
  );
});

it('answers searches while many documents come', async () => {
  const index = engine.index('many');
  await index.update(put(createIssue));
  const order: string[] = [];
  const many = Array.from({ length: 3000 }, (_, at) =>
    tool(`tool_${at}`, `Does thing ${at} of a repository`),
  );
  const updated = index.update(put(...many)).then(() => order.push('updated'));
  await setImmediate();
  await index.search(ask('open an issue')).then(() => order.push('searched'));
  await updated;
  assert.deepEqual(order, ['searched', 'updated']);
  assert.equal((await index.search(ask('tool_2999')))[0]?.id, 'id-tool_2999');
});

it('does changes of the same document in the order in which they were asked for', async () => {
  const index = engine.index('order');
  const many = Array.from({ length: 1500 }, (_, at) => tool(`tool_${at}`, 'The first of all'));
  await Promise.all([
    index.update(put(...many)),
    index.update(put(tool('tool_1499', 'Weather of the coming days'))),
    index.update({ put: [], remove: ['id-tool_3'] }),
  ]);
  assert.equal((await index.search(ask('weather days')))[0]?.id, 'id-tool_1499');
  assert.equal([...index.ids()].includes('id-tool_3'), false);
});

it('goes on from a snapshot with what it knew', async () => {
  const path = join(directory, 'project');
  const saved = engine.index('saved');
  await saved.update(put(createIssue, tool('gone', 'To be removed'), sendEmail));
  await saved.update({ put: [], remove: ['id-gone'] });
  await saved.save(path, 'stamp 1');
  const loaded = engine.index('loaded');
  assert.equal(await loaded.load(path), 'stamp 1');
  assert.deepEqual([...loaded.ids()], [...saved.ids()]);
  assert.ok(loaded.has(sendEmail.id, sendEmail.hash) && !loaded.has(sendEmail.id, createIssue.hash));
  assert.deepEqual(await loaded.search(ask('open an issue')), await saved.search(ask('open an issue')));
  await loaded.update(put(tool('next', 'Weather')));
  assert.equal((await loaded.search(ask('weather')))[0]?.id, 'id-next');
  assert.equal(await loaded.load(path), 'stamp 1');
  assert.equal(loaded.size, 3, 'it was read once');
  await assert.rejects(saved.load(path), Fault);
});

it('does without a snapshot that is damaged, and says so once; one that is missing is nothing to say', async () => {
  const path = join(directory, 'damaged');
  writeFileSync(path, 'sallyport-search and then nonsense of some length');
  const lines: string[] = [];
  const own = createSearchEngine({ log: createLog({ level: 'info', write: (line) => lines.push(line) }) });
  const index = own.index('p');
  assert.equal(await index.load(join(directory, 'missing')), null);
  assert.deepEqual([await index.load(path), await index.load(path)], [null, null]);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /damaged/);
  await index.update(put(createIssue));
  assert.equal((await index.search(ask('issue')))[0]?.id, 'id-create_issue');
  await own.close();
});

it('forgets an index that was closed', async () => {
  const index = engine.index('closed');
  await index.update(put(createIssue));
  index.close();
  assert.equal(engine.index('closed').size, 0);
  assert.deepEqual(await engine.index('closed').search(ask('issue')), []);
});

it('refuses what is asked after the end, and what was under way', async () => {
  const ended = createSearchEngine({ log: silentLog });
  const index = ended.index('p');
  const under = assert.rejects(index.search(ask('issue')), Fault);
  await ended.close();
  await under;
  await assert.rejects(index.search(ask('issue')), /Search has stopped/);
  await assert.rejects(index.update(put(createIssue)), Fault);
});

it('says that search has stopped when its thread cannot start', async () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', write: (line) => lines.push(line) });
  const broken = createSearchEngine({ log, embedding: join(directory, 'nowhere') });
  await assert.rejects(broken.index('p').search(ask('issue')), /Search has stopped.*ENOENT/);
  assert.match(lines[0] ?? '', /search has stopped/);
  await broken.close();
});
