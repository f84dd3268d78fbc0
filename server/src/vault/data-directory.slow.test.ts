import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { temporaryDirectory } from '../../test/database.ts';
import { failedStart, startProcess, type TestProcess } from '../../test/start-process.ts';
import { startTransit } from './fixtures/transit.ts';

const adminKey = 'sp_the_key_of_this_test';
const directories: string[] = [];
const started: TestProcess[] = [];
after(() => {
  for (const { child } of started) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** Ends with the tests, whatever becomes of them. */
async function start(env: Record<string, string>, directory: string): Promise<TestProcess> {
  const server = await startProcess({ SALLYPORT_PROCESSES: '1', ...env }, directory);
  started.push(server);
  return server;
}

function newDirectory(): string {
  const directory = temporaryDirectory();
  directories.push(directory);
  return directory;
}

async function api(server: TestProcess, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** The files below it that hold one of these texts, as they are or in base64. */
function holding(directory: string, secrets: readonly string[]): string[] {
  const words = secrets.flatMap((secret) => [
    Buffer.from(secret),
    Buffer.from(Buffer.from(secret).toString('base64')),
  ]);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => words.some((word) => readFileSync(path).includes(word)));
}

const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const jwk = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256' });
const secrets = {
  worker: 'worker-secret-4b7c1f09d2',
  header: 'header-token-83ad90b1c7',
  ofServer: 'server-secret-117e5ac04f',
  plugin: 'plugin-token-c2900f3e6b',
  userSource: 'user-source-secret-59e2d8',
  clientKey: (JSON.parse(jwk) as { d: string }).d,
  assertion: 'assertion-secret-0a1b2c3d4e5f60718293',
};

async function registerAll(server: TestProcess): Promise<void> {
  const nowhere = 'https://127.0.0.1:9';
  await api(server, 'POST', '/v1/workers', {
    id: 'one',
    type: 'http',
    http: { uri: nowhere, secret: secrets.worker },
  });
  await api(server, 'POST', '/v1/workers', {
    id: 'two',
    type: 'mcp',
    mcp: {
      uri: nowhere,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the reference as Arcade writes it
      headers: { authorization: `Bearer ${secrets.header}`, 'x-key': '${secret:KEY}' },
      secrets: { KEY: secrets.ofServer },
    },
  });
  await api(server, 'POST', '/v1/plugins', {
    name: 'dlp',
    plugin_type: 'webhook',
    webhook_config: {
      endpoints: { pre: { url: nowhere, failure_mode: 'fail_open', phase: 'before' } },
      auth: { token: secrets.plugin },
    },
  });
  const issuer = { issuer: 'https://idp.invalid', client_id: 'c' };
  await api(server, 'POST', '/v1/user_sources', { name: 'a', ...issuer, client_secret: secrets.userSource });
  await api(server, 'POST', '/v1/user_sources', { name: 'b', ...issuer, client_private_key: jwk });
  await api(server, 'POST', '/v1/gateways', {
    name: 'g',
    slug: 'g',
    user_assertion: { issuer: 'https://app.invalid', secret: secrets.assertion },
  });
}

/** Asks for the keys that sign tokens, so that there is one. */
const signingKeyOf = (server: TestProcess) =>
  fetch(`${server.url}/oauth2/jwks`).then((answer) => answer.json());

describe('a data directory', () => {
  it('holds no secret that anybody gave to the server, whatever was done to them', async () => {
    const directory = newDirectory();
    const dataDir = join(directory, 'data');
    const env = { SALLYPORT_DATA_DIR: dataDir };
    const first = await start(env, directory);
    await registerAll(first);
    await signingKeyOf(first);
    const { items } = (await api(first, 'GET', '/v1/workers')) as { items: { id: string }[] };
    assert.deepEqual(items.map(({ id }) => id).sort(), ['one', 'two']);
    assert.equal(await first.stop('SIGTERM'), 0);
    assert.deepEqual(holding(dataDir, Object.values(secrets)), []);

    const second = await start(env, directory);
    const after = (await api(second, 'GET', '/v1/workers')) as { items: { id: string }[] };
    assert.equal(after.items.length, 2);
    await api(second, 'PATCH', '/v1/workers/one', { enabled: false });
    await api(second, 'DELETE', '/v1/workers/two');
    // Killed, so that what was written lately is in the write-ahead log alone.
    assert.equal(await second.stop('SIGKILL'), 'SIGKILL');
    assert.deepEqual(holding(dataDir, Object.values(secrets)), []);
    for (const said of [first, second])
      for (const secret of Object.values(secrets))
        assert.ok(!(said.stdout() + said.stderr()).includes(secret));
  });

  it('without its root.key starts nothing, says what to do, and is as it was once that is back', async () => {
    const directory = newDirectory();
    const dataDir = join(directory, 'data');
    const env = { SALLYPORT_DATA_DIR: dataDir };
    const first = await start(env, directory);
    await registerAll(first);
    const ready = (await (await fetch(`${first.url}/readyz`)).json()) as { checks: { vault: unknown } };
    assert.deepEqual(ready.checks.vault, {
      ok: true,
      root_key: 'in the data directory, beside what it seals',
      moving: false,
    });
    assert.equal(await first.stop('SIGTERM'), 0);
    const path = join(dataDir, 'root.key');
    const key = readFileSync(path);
    rmSync(path);
    const refused = await failedStart(env, directory);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /root key "file" is missing.*Put back .*root\.key from your backup/);
    assert.equal(existsSync(path), false);
    const other = { ...env, SALLYPORT_ROOT_KEY: Buffer.alloc(32, 1).toString('base64') };
    assert.match((await failedStart(other, directory)).stderr, /root key "file" is missing/);
    writeFileSync(path, key, { mode: 0o600 });
    const again = await start(env, directory);
    const { items } = (await api(again, 'GET', '/v1/workers')) as { items: unknown[] };
    assert.equal(items.length, 2);
    assert.equal(await again.stop('SIGTERM'), 0);
  });

  it('moves from its file to a key service, and from there to the environment, without a stop in between', async (context) => {
    const directory = newDirectory();
    const dataDir = join(directory, 'data');
    const vault = await startTransit({ token: 'hvs.of-this-test' });
    context.after(() => vault.close());
    const env = { SALLYPORT_DATA_DIR: dataDir, VAULT_TOKEN: 'hvs.of-this-test' };
    const first = await start(env, directory);
    await registerAll(first);
    assert.equal(await first.stop('SIGTERM'), 0);

    const config = (entries: string) =>
      writeFileSync(join(directory, 'sallyport.yaml'), `security:\n  root_keys:\n${entries}`);
    const transit = `    - { id: hv, vault_transit: { url: "${vault.url}", key: sallyport } }\n`;
    config(transit);
    await moved(await start(env, directory));
    rmSync(join(dataDir, 'root.key'));
    await moved(await start(env, directory));

    vault.answers({ status: 503, body: { errors: ['Vault is sealed'] } });
    const sealed = await failedStart(env, directory);
    assert.equal(sealed.code, 1);
    assert.match(sealed.stderr, /HashiCorp Vault, root key "hv" refused .*HTTP 503: Vault is sealed/);
    assert.ok(!sealed.stderr.includes('hvs.'));
    vault.answers(null);

    const rootKey = Buffer.alloc(32, 9).toString('hex');
    await moved(await start({ ...env, SALLYPORT_ROOT_KEY: rootKey }, directory));
    await vault.close();
    rmSync(join(directory, 'sallyport.yaml'));
    const last = { SALLYPORT_DATA_DIR: dataDir, SALLYPORT_ROOT_KEY: rootKey };
    await moved(await start(last, directory));
    const wrong = { ...last, SALLYPORT_ROOT_KEY: Buffer.alloc(32, 8).toString('hex') };
    const refused = await failedStart(wrong, directory);
    assert.match(refused.stderr, /root key "environment" \(SALLYPORT_ROOT_KEY\) is not the one that sealed/);

    /** Waits until nothing is to be moved, sees that all is there, and stops. */
    async function moved(server: TestProcess): Promise<void> {
      for (;;) {
        const ready = (await (await fetch(`${server.url}/readyz`)).json()) as {
          checks: { vault: { moving: boolean } };
        };
        if (!ready.checks.vault.moving) break;
      }
      const { items } = (await api(server, 'GET', '/v1/workers')) as { items: unknown[] };
      assert.equal(items.length, 2);
      assert.equal(await server.stop('SIGTERM'), 0);
    }
  });
});
