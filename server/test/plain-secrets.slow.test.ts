import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { Db } from '#storage';
import { type Json, startApp } from './start-app.ts';

const undated = '2026-01-01T00:00:00.000Z';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'before', alg: 'RS256', use: 'sig' };
const plain = {
  worker: 'WORKER-SEKRET',
  header: 'HEADER-SEKRET',
  plugin: 'PLUGIN-SEKRET',
  userSource: 'ISSUER-SEKRET',
  assertion: 'ASSERTION-SEKRET-of-32-characters',
  signing: jwk.d as string,
};

/** Rows as the last version before the vault wrote them. */
async function writePlain(db: Db): Promise<void> {
  const source = {
    ...{
      projectId: 'default',
      enabled: true,
      timeoutMs: 30_000,
      retry: 3,
      toolTimeoutsMs: {},
      pin: 'off',
      kept: {},
    },
    ...{ uri: 'https://127.0.0.1:9', secret: null, headers: {}, secrets: {} },
  };
  const sources = [
    { ...source, id: 'one', kind: 'worker', secret: plain.worker },
    { ...source, id: 'two', kind: 'mcp', headers: { authorization: plain.header } },
  ];
  for (const definition of sources)
    await db.query(
      `insert into sources (project_id, id, definition, created_at, updated_at) values ('default', $1, $2, $3, $3)`,
      [definition.id, definition, undated],
    );
  const plugin = {
    plugin: {
      ...{ name: 'dlp', description: '', plugin_type: 'webhook', status: 'active' },
      webhook_config: {
        endpoints: { pre: { url: 'https://dlp.invalid', failure_mode: 'fail_open', phase: 'before' } },
        auth: { token: plain.plugin },
      },
    },
    ...{ binding: 'project', version: 1, createdBy: null, updatedBy: null },
  };
  await db.query(
    `insert into policy_entries (project_id, kind, id, definition, created_at, updated_at)
     values ('default', 'plugin', 'plg_1', $1::json, $2, $2)`,
    [JSON.stringify(plugin), undated],
  );
  await db.query(
    `insert into signing_keys (id, jwk, created_at, retires_at, expires_at)
     values ('before', $1::json, now(), now() + interval '20 days', now() + interval '21 days')`,
    [JSON.stringify(jwk)],
  );
}

test('what an earlier version kept in plain text is sealed at the next start, and means what it meant', async (context) => {
  const app = await startApp('workers: []');
  context.after(() => app.close());
  const before = app.app.rooms;
  // Shapes that are easier asked for than written: what the API made is put back into the open, as it was.
  const issuer = {
    name: 'corp',
    issuer: 'https://idp.invalid',
    client_id: 'c',
    client_secret: plain.userSource,
  };
  const made = (await (await app.api('POST', '/v1/user_sources', issuer)).json()) as Json;
  const assertion = { issuer: 'https://app.invalid', secret: plain.assertion };
  const gateway = (await (
    await app.api('POST', '/v1/gateways', { name: 'g', slug: 'g', user_assertion: assertion })
  ).json()) as Json;
  const {
    id: _,
    projectId: __,
    origin,
    createdAt,
    updatedAt,
    ...definition
  } = before.identity.userSources.get('default', made.id) as unknown as Record<string, unknown>;
  await before.db.query(`update user_sources set sealed = '', definition = $1::json`, [
    JSON.stringify(definition),
  ]);
  await before.db.query(`update gateways set sealed = '', definition = $1::jsonb where id = $2`, [
    JSON.stringify(before.catalog.gateway('default', gateway.id)),
    gateway.id,
  ]);
  await writePlain(before.db);
  const cookies = Buffer.alloc(32, 7).toString('base64');
  await before.db.query(
    `insert into server_keys (name, key, created_at) values ('sealed by the fronts', $1, now())
     on conflict (name) do update set key = excluded.key`,
    [cookies],
  );

  await app.restart();
  const { db, vault, sources, policy, catalog, identity } = app.app.rooms;
  assert.equal(sources.get('default', 'one')?.secret, plain.worker);
  assert.deepEqual(sources.get('default', 'two')?.headers, { authorization: plain.header });
  const [plugin] = policy.plugins.list('default');
  assert.equal((plugin as Json).definition.plugin.webhook_config.auth.token, plain.plugin);
  const clientAuth = identity.userSources.get('default', made.id)?.clientAuth;
  assert.deepEqual(clientAuth, { by: 'secret', secret: plain.userSource });
  const keys = catalog.gateway('default', gateway.id)?.userAssertion?.keys;
  assert.deepEqual(keys, { from: 'secret', secret: plain.assertion });
  assert.deepEqual(JSON.parse(JSON.stringify((await identity.signingKeys.ready())[0]?.jwk)), jwk);
  const key = await vault.serverKey('sealed by the fronts');
  assert.equal(key.toString('base64'), cookies);

  const tables = ['sources', 'policy_entries', 'user_sources', 'gateways', 'signing_keys', 'server_keys'];
  for (const table of tables) {
    const rows = JSON.stringify(await db.query(`select * from ${table}`));
    for (const secret of [...Object.values(plain), cookies])
      assert.ok(!rows.includes(secret), `${table}: ${secret}`);
  }
});
