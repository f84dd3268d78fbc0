import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#foundation';
import { saidByLink, signIn } from '../../../test/access-token.ts';
import { type Replicas, startReplicas } from '../../../test/replicas.ts';
import { allow, begin, createBrowser } from './fixtures/oauth-server.ts';

/** Two replicas, each a process, before one PostgreSQL server and, as far as they know, behind one address. */

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
const issuer = 'http://127.0.0.1:9098';
const redirectUri = 'http://127.0.0.1:7777/callback';

describe('what is used once is used once of all replicas', {
  skip: server === undefined && 'needs a PostgreSQL server',
}, () => {
  let both: Replicas;
  let clientId: string;

  before(async () => {
    both = await startReplicas(
      server as string,
      issuer,
      'gateways: [{ slug: people, auth_types: [arcade] }]',
    );
    const registered = await fetch(`${urlOf(0)}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
    });
    clientId = ((await registered.json()) as { client_id: string }).client_id;
  });
  after(async () => {
    await both?.close();
  });

  type Given = { status: number; error?: string; access_token?: string; refresh_token?: string };

  const urlOf = (replica: number) => both.replicas[replica % 2]?.url ?? '';

  async function token(replica: number, fields: Record<string, string>): Promise<Given> {
    const body = new URLSearchParams({ client_id: clientId, ...fields });
    const response = await fetch(`${urlOf(replica)}/oauth2/token`, { method: 'POST', body });
    return { ...((await response.json()) as object), status: response.status };
  }

  const refresh = (replica: number, refresh_token = '') =>
    token(replica, { grant_type: 'refresh_token', refresh_token });

  async function newCode(email: string): Promise<Record<string, string>> {
    const { cookie } = await signIn(both.identity, saidByLink(email), 'member');
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
