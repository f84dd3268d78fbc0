import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReadiness, type ReadinessParts } from './readiness.ts';

test('anybody is told what is wrong, and nobody of addresses and paths', async () => {
  const lag = {
    bytes: 0,
    writable: false,
    error: "ENOSPC: no space left on device, open '/srv/secret/journal'",
  };
  const parts = {
    db: {
      kind: 'postgres',
      ping: () => Promise.reject(new Error('connect ECONNREFUSED 10.9.8.7:5432')),
    },
    redis: null,
    audit: { lag: () => lag },
    sources: { list: () => [] },
    identity: { people: { organizations: () => [], projects: () => [] } },
    vault: { status: () => ({ rootKeyId: 'kms', besideData: null, retired: 0, seals: true }) },
    durability: 'strict',
    telemetry: { exporters: () => [] },
    configMistakes: () => [],
    stopping: () => false,
    processes: () => ({ wanted: 1, serving: 1 }),
    startedAtMs: 0,
  } as unknown as ReadinessParts;
  const unwritable = await checkReadiness(parts);
  lag.writable = true;
  lag.error = 'connect ECONNREFUSED 10.9.8.7:5432';
  const undrained = await checkReadiness(parts);
  assert.deepEqual(
    [unwritable, undrained].map(({ missing, checks }) => [
      missing,
      checks.database?.error,
      checks.audit?.error,
    ]),
    [
      ['database', 'does not answer', 'cannot be written'],
      ['database', 'does not answer', 'cannot be moved into the database'],
    ],
  );
  assert.doesNotMatch(JSON.stringify([unwritable, undrained]), /10\.9\.8\.7|secret/);
});
