import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { silentLog } from '#telemetry';
import type { SearchDocument } from './contract.ts';
import { createSearchEngine } from './search-engine.ts';

const engine = createSearchEngine({ log: silentLog });
after(() => engine.close());

const tool = (name: string, description: string, more: Partial<SearchDocument> = {}): SearchDocument => ({
  id: `id-${name}`,
  hash: `${name}${description}`,
  name,
  namespace: 'mcp://github',
  title: null,
  description,
  parameters: [],
  enrichment: [],
  learned: [],
  ...more,
});

it('finds a tool by what it does, and says nothing of others', async () => {
  const index = engine.index('first');
  await index.update({
    put: [
      tool('create_issue', 'Open a new issue in a repository'),
      tool('sendEmail', 'Send a message to somebody by e-mail'),
    ],
    remove: [],
  });
  const hits = await index.search({ text: 'report a bug in a repository', permitted: null, limit: 5 });
  assert.equal(hits[0]?.id, 'id-create_issue');
  const permitted = index.permit(['id-sendEmail', 'unknown']);
  assert.equal(permitted.count, 1);
  const allowed = await index.search({ text: 'create_issue', permitted, limit: 5 });
  assert.ok(!allowed.some(({ id }) => id === 'id-create_issue'));
});
