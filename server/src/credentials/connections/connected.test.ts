import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Target } from '../authority.ts';
import { createConnected } from './connected.ts';

it('a look that failed concerns whoever looked, and nobody after them', async () => {
  let rows: readonly { projectId: string; sourceId: string }[] | null = [];
  const connectedSources = async () => {
    if (rows === null) throw new Error('the database is away');
    return [...rows];
  };
  const connected = await createConnected({ connectedSources });
  const source: Target = { projectId: 'default', kind: 'source', id: 'tickets' };
  rows = null;
  await assert.rejects(connected.read(source));
  rows = [{ projectId: 'default', sourceId: 'tickets' }];
  await connected.read({ ...source, kind: 'provider' });
  assert.equal(connected.has('default', 'tickets'), false);
  await connected.read(source);
  assert.equal(connected.has('default', 'tickets'), true);
});
