import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
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

test('what a changed config file says of fields that are read at start only is told until a restart', async () => {
  const app = await startApp('gateways: [{ slug: g }]');
  const told = async () => {
    const { checks } = (await (await fetch(`${app.url}/readyz`)).json()) as Json;
    const status = (await (await app.api('GET', '/v1/status')).json()) as Json;
    return { ...checks.config, applied: status.installation.config.mistakes };
  };
  const key = Buffer.alloc(32, 1).toString('base64');
  const [before, changed] = ['gateways: [{ slug: g }]\n', 'gateways: [{ slug: g }, { slug: h }]\n'];
  const parts = {
    'egress.allow': 'egress: { allow: [10.20.0.0/16] }',
    'security.root_keys': `security: { root_keys: [{ id: mine, value: ${key} }] }`,
    'audit.durability': 'audit: { durability: strict }',
  };
  const whole = changed + Object.values(parts).join('\n');
  writeFileSync(app.configPath, whole);
  const mistakes = Object.keys(parts).map(
    (field) => `${field}: acts as it was at the start until the server is restarted`,
  );
  while ((await told()).ok);
  assert.deepEqual(await told(), { ok: false, mistakes, applied: mistakes });
  // The rest of the file acts.
  assert.equal((await app.rpc('h', { id: 1, method: 'ping' })).status, 200);
  writeFileSync(app.configPath, before);
  while (!(await told()).ok);
  writeFileSync(app.configPath, whole.replace(/^security.*$/m, ''));
  while ((await told()).ok);
  await app.restart();
  assert.deepEqual(await told(), { ok: true, mistakes: [], applied: [] });
  await app.close();
});
