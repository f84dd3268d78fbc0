import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createEgress } from '#egress';
import { systemClock } from '#foundation';
import { createIdentity, type Identity } from '#identity';
import { type Changes, type Db, openChanges, openDatabase } from '#storage';
import { silentLog } from '#telemetry';
import { saidByLink, signIn } from '../../../test/access-token.ts';
import { createDatabase, temporaryDirectory } from '../../../test/database.ts';
import { startProcess, type TestProcess } from '../../../test/start-process.ts';
import { allow, begin, createBrowser } from './fixtures/oauth-server.ts';

/** Two replicas, each a process, before one PostgreSQL server and, as far as they know, behind one address. */

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
const issuer = 'http://127.0.0.1:9098';
const redirectUri = 'http://127.0.0.1:7777/callback';

describe('what is used once is used once of all replicas', {
  skip: server === undefined && 'needs a PostgreSQL server',
}, () => {
  const replicas: TestProcess[] = [];
  const directories: string[] = [];
  const egress = createEgress({ allow: [] });
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let db: Db;
  let changes: Changes;
  let identity: Identity;
  let clientId: string;

  before(async () => {
    database = await createDatabase(server as string);
    for (let n = 0; n < 2; n++) {
      const directory = temporaryDirectory();
      directories.push(directory);
      writeFileSync(join(directory, 'sallyport.yaml'), 'gateways: [{ slug: people, auth_types: [arcade] }]');
      const port = String(await freePort());
      const env = { DATABASE_URL: database.url, SALLYPORT_PUBLIC_URL: issuer, SALLYPORT_PORT: port };
      replicas.push({ ...(await startProcess(env, directory)), url: `http://127.0.0.1:${port}` });
    }
    db = await openDatabase({ url: database.url }, { log: silentLog, clock: systemClock });
    changes = await openChanges(db, { clock: systemClock, log: silentLog });
    const deps = { db, changes, egress, clock: systemClock, log: silentLog, issuer: () => issuer };
    identity = await createIdentity(deps);
    const registered = await fetch(`${replicas[0]?.url}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
    });
    clientId = ((await registered.json()) as { client_id: string }).client_id;
  });
  after(async () => {
    for (const { child } of replicas) child.kill('SIGKILL');
    changes?.close();
    egress.close();
    await db?.close();
    await database?.drop();
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });

  type Given = { status: number; error?: string; access_token?: string; refresh_token?: string };

  const urlOf = (replica: number) => replicas[replica % 2]?.url ?? '';

  async function token(replica: number, fields: Record<string, string>): Promise<Given> {
    const body = new URLSearchParams({ client_id: clientId, ...fields });
    const response = await fetch(`${urlOf(replica)}/oauth2/token`, { method: 'POST', body });
    return { ...((await response.json()) as object), status: response.status };
  }

  const refresh = (replica: number, refresh_token = '') =>
    token(replica, { grant_type: 'refresh_token', refresh_token });

  async function newCode(email: string): Promise<Record<string, string>> {
    const { cookie } = await signIn(identity, saidByLink(email), 'member');
    const browser = createBrowser(urlOf(0), issuer);
    browser.cookies.set('sallyport_sign_in', cookie);
    const begun = begin(urlOf(0), { clientId, redirectUri, resource: `${issuer}/mcp/people` });
    const back = await allow(browser, begun.url);
    const code = back.searchParams.get('code') ?? '';
    return {
      grant_type: 'authorization_code',
      code,
      code_verifier: begun.verifier,
      redirect_uri: redirectUri,
    };
  }

  async function statusAt(replica: number, access_token = ''): Promise<number> {
    const response = await fetch(`${urlOf(replica)}/mcp/people`, {
      method: 'POST',
      headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  it('a code that comes to all of them at the same moment', async () => {
    const code = await newCode('ada@example.com');
    const given = await Promise.all(Array.from({ length: 8 }, (_, n) => token(n, code)));
    const won = given.filter(({ status }) => status === 200);
    assert.ok(won.length <= 1, JSON.stringify(given));
    for (const { status, error } of given) assert.ok(status === 200 || error === 'invalid_grant');
    for (const { refresh_token } of won)
      assert.equal((await refresh(1, refresh_token)).error, 'invalid_grant');
  });

  it('a refresh token, one replica after the other: the second time ends everything, everywhere', async () => {
    const first = await token(0, await newCode('bob@example.com'));
    assert.equal(first.status, 200, JSON.stringify(first));
    const second = await refresh(1, first.refresh_token);
    assert.equal(second.status, 200);
    for (const replica of [0, 1]) assert.equal(await statusAt(replica, second.access_token), 200);
    assert.equal((await refresh(0, first.refresh_token)).error, 'invalid_grant');
    assert.equal((await refresh(1, second.refresh_token)).error, 'invalid_grant');
    const startedAt = systemClock.monotonic();
    for (const replica of [0, 1]) {
      while ((await statusAt(replica, second.access_token)) !== 401)
        assert.ok(systemClock.monotonic() - startedAt < 1_000, 'within a second');
    }
  });

  it('a refresh token that comes to all of them at the same moment', async () => {
    const first = await token(1, await newCode('eve@example.com'));
    const given = await Promise.all(Array.from({ length: 8 }, (_, n) => refresh(n, first.refresh_token)));
    const won = given.filter(({ status }) => status === 200);
    assert.ok(won.length <= 1, JSON.stringify(given.map(({ status }) => status)));
    for (const { refresh_token } of won)
      assert.equal((await refresh(1, refresh_token)).error, 'invalid_grant');
  });
});

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, 'close');
  return port;
}
