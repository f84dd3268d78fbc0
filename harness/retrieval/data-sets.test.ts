import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { documentOf, loadSet, readLines, setNames } from './data-sets.ts';
import { learnedBy } from './learning.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sets-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const tool = { id: 'a', name: 'doIt', description: 'Does it', parameters: {} };
const query = { id: 'dev-1', query: 'do it', relevant: ['a'], split: 'dev' };

test('the committed sets are whole, and none of their queries is for tuning and held out at once', () => {
  const sizes = setNames.map((name) => {
    const { tools, dev, test: held } = loadSet(name);
    const heldIds = new Set(held.map(({ id }) => id));
    assert.equal(dev.filter(({ id }) => heldIds.has(id)).length, 0, name);
    return [name, tools.length, dev.length + held.length];
  });
  assert.deepEqual(sizes, [
    ['seal', 4076, 2054],
    ['bfcl', 956, 1053],
    ['metatool', 199, 6530],
  ]);
  assert.deepEqual([loadSet('seal').dev.length, loadSet('metatool').test.length], [700, 2559]);
});

test('lines are read packed or not', (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'plain.jsonl'), `${JSON.stringify(tool)}\n`);
  writeFileSync(join(path, 'packed.jsonl.gz'), gzipSync(`${JSON.stringify(tool)}\n`));
  assert.deepEqual(readLines(join(path, 'plain.jsonl')), [tool]);
  assert.deepEqual(readLines(join(path, 'packed.jsonl')), [tool]);
});

test('a set whose query wants a tool that is not there is refused by name', (t) => {
  const path = folder(t);
  mkdirSync(join(path, 'seal'));
  writeFileSync(join(path, 'seal/tools.jsonl'), JSON.stringify(tool));
  writeFileSync(join(path, 'seal/queries.jsonl'), JSON.stringify({ ...query, relevant: ['a', 'gone'] }));
  assert.throws(() => loadSet('seal', path), /seal: the query dev-1 wants a tool/);
});

test('a document has what is searched of a tool, and a namespace only where it has a server', () => {
  const parameters = { id: { description: 'Which' }, raw: {} };
  const document = documentOf({ ...tool, server: 'mail', tags: ['send'], parameters });
  assert.equal(document.namespace, 'mcp://mail');
  assert.deepEqual(document.parameters, [
    { name: 'id', description: 'Which' },
    { name: 'raw', description: '' },
  ]);
  assert.deepEqual(document.enrichment, ['send']);
  assert.equal(documentOf(tool).namespace, '');
});

test('only queries for one tool teach, none that is asked of the measurement, and no more than so many a tool', () => {
  const dev = [
    query,
    { ...query, id: 'dev-2', query: 'asked' },
    { ...query, id: 'dev-3', query: 'both', relevant: ['a', 'b'] },
    ...Array.from({ length: 5 }, (_, index) => ({
      ...query,
      id: `b-${index}`,
      query: `b ${index}`,
      relevant: ['b'],
    })),
  ];
  const held = [{ ...query, id: 'test-1', query: 'asked', split: 'test' }];
  const learned = learnedBy({ dev, test: held }, 3);
  assert.deepEqual(learned.get('a'), [{ query: 'do it', weight: 1 }]);
  assert.equal(learned.get('b')?.length, 3);
  assert.equal(learnedBy({ dev, test: held }, 0).size, 0);
});
