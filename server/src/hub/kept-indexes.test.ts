import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLog } from '#telemetry';
import { temporaryDirectory } from '../../test/database.ts';
import { openKeptIndexes } from './kept-indexes.ts';

const directory = temporaryDirectory();
after(() => rmSync(directory, { recursive: true, force: true }));

const document = {
  ...{
    id: 'a',
    hash: '1',
    name: 'send_mail',
    namespace: 'mcp://mail',
    title: null,
    description: 'Sends a mail',
  },
  ...{ parameters: [], enrichment: [], learned: [] },
};

it('are loaded before anybody asks, whatever their projects are called', async () => {
  const projectId = '../of/all: projects';
  const first = await openKeptIndexes(join(directory, 'hub'), silentLog);
  const saved = (await first.openEngine()).index(projectId);
  await saved.update({ put: [document], remove: [] });
  await saved.save(first.snapshotOf(projectId), 'as it was');
  await first.close();
  const next = await openKeptIndexes(join(directory, 'hub'), silentLog);
  const index = (await next.openEngine()).index(projectId);
  while (index.size === 0) await setImmediate();
  assert.ok(index.has(document.id, document.hash));
  assert.equal(await index.load(next.snapshotOf(projectId)), 'as it was');
  await next.close();
});

it('begin with whoever asks first where nothing was kept', async () => {
  const { openEngine, snapshotOf, close } = await openKeptIndexes(join(directory, 'other'), silentLog);
  const index = (await openEngine()).index('p');
  assert.equal(await index.load(snapshotOf('p')), null);
  await index.update({ put: [document], remove: [] });
  assert.equal((await index.search({ text: 'mail', permitted: null, limit: 1 }))[0]?.id, 'a');
  await close();
});
