import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, startApp } from './start-app.ts';

test('who lost its database says so: to probes, and to Arcade clients', async () => {
  const app = await startApp('gateways: [{ slug: g }]');
  const ask = async (path: string): Promise<[number, Json]> => {
    const answer = await fetch(app.url + path);
    return [answer.status, await answer.json()];
  };
  assert.deepEqual(await ask('/v1/health'), [200, { healthy: true }]);
  const [ready, { checks }] = await ask('/readyz');
  assert.deepEqual([ready, checks.database.ok, checks.audit.ok, checks.process.ok], [200, true, true, true]);

  await app.app.rooms.db.close();
  assert.deepEqual(await ask('/v1/health'), [503, { healthy: false, reason: 'not ready: database' }]);
  const [unready, told] = await ask('/readyz');
  assert.deepEqual(
    [unready, told.ready, told.missing, told.checks.database.ok, told.checks.database.error],
    [503, false, 'database', false, 'does not answer'],
  );
  assert.deepEqual(await ask('/healthz'), [200, { ok: true }]);
  await app.close();
});
