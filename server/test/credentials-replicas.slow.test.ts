import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { actingConfig, linkIn, redirectUriOf } from './acting.ts';
import { type ActingWorker, startActingWorker } from './acting-worker.ts';
import { createBrowser } from './browser.ts';
import { freePort } from './free-port.ts';
import { consentAt, type StandIn, startMicrosoft } from './oauth-providers/index.ts';
import { type Replicas, startReplicas } from './replicas.ts';
import type { Json } from './start-app.ts';
import type { TestProcess } from './start-process.ts';

/** What two replicas of one database do together. Refresh tokens of this provider are good once. */

const server = process.env.SALLYPORT_TEST_DATABASE_URL;
const skip = server === undefined ? 'needs a PostgreSQL server (npm run test:postgres)' : false;
const headers = { authorization: 'Bearer sp_the_key_of_this_test', 'content-type': 'application/json' };

describe('two replicas', { skip }, () => {
  let provider: StandIn;
  let worker: ActingWorker;
  let both: Replicas;
  let first: TestProcess;
  let second: TestProcess;
  let issuer: string;

  before(async () => {
    provider = await startMicrosoft();
    const at = { provider: provider.name, origin: provider.origin };
    worker = await startActingWorker([{ ...at, name: 'Read', scopes: ['read'] }]);
    issuer = `http://127.0.0.1:${await freePort()}`;
    provider.redirectUris.add(redirectUriOf(issuer, provider));
    both = await startReplicas(server as string, issuer, actingConfig(worker.uri, [provider]));
    [first, second] = both.replicas as [TestProcess, TestProcess];
    for (const replica of both.replicas) while ((await call(replica, 'nobody')).error !== undefined);
  });
  after(async () => {
    await both?.close();
    await worker?.stop();
    await provider?.close();
  });

  async function call({ url }: TestProcess, user: string): Promise<Json> {
    const params = { name: 'Acting_Read', arguments: {} };
    const answer = await fetch(`${url}/mcp/main`, {
      method: 'POST',
      headers: { ...headers, 'arcade-user-id': user },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    return await answer.json();
  }
  const actsAs = async (replica: TestProcess, user: string) => {
    const { result } = await call(replica, user);
    return result?.structuredContent?.user ?? assert.fail(JSON.stringify(result));
  };

  /** Asked at one replica, opened at the other, answered at the first. */
  async function consent(user: string): Promise<void> {
    const { result } = await call(first, user);
    const browser = createBrowser();
    const link = linkIn(result).replace(issuer, second.url);
    const answer = await consentAt(link, { as: user, allow: true, browser, stopAt: issuer });
    const page = await browser.open(answer.url.replace(issuer, first.url), { stopAt: issuer });
    const shown = page.status === 0 ? await browser.open(page.url.replace(issuer, second.url)) : page;
    assert.match(shown.text, /is connected/);
  }

  it('ask with the same address, and take a consent that went from one to the other', async () => {
    const [one, other] = await Promise.all([call(first, 'ada'), call(second, 'ada')]);
    assert.equal(linkIn(one.result), linkIn(other.result));
    await consent('ada');
    assert.deepEqual(await Promise.all([actsAs(first, 'ada'), actsAs(second, 'ada')]), ['ada', 'ada']);
  });

  it('tell an application that waits at one that its user came back at the other', async () => {
    const auth_requirement = { id: provider.name, oauth2: { scopes: ['read'] } };
    const asked = await fetch(`${second.url}/v1/auth/authorize`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ auth_requirement, user_id: 'bob' }),
    });
    const { id } = (await asked.json()) as Json;
    const waiting = fetch(`${second.url}/v1/auth/status?id=${id}&wait=50`, { headers });
    await consent('bob');
    assert.equal(((await (await waiting).json()) as Json).status, 'completed');
  });

  it('renew a token once for a thousand calls at both', async () => {
    provider.lifeS = 1;
    await consent('eve');
    provider.lifeS = 3600;
    provider.expireAll();
    const before = provider.asked.token;
    const calls = Array.from({ length: 1000 }, (_, index) => actsAs(index % 2 === 0 ? first : second, 'eve'));
    assert.ok((await Promise.all(calls)).every((user) => user === 'eve'));
    assert.equal(provider.asked.token - before, 1);
    assert.equal(provider.liveGrants('eve').length, 1);
  });

  it('both know at once what one of them disconnected', async () => {
    const listed = await fetch(`${first.url}/v1/connections?user_id=ada`, { headers });
    const [{ id }] = ((await listed.json()) as Json).items;
    const removed = await fetch(`${first.url}/v1/connections/${id}`, { method: 'DELETE', headers });
    assert.ok(removed.ok);
    while ((await call(second, 'ada')).result.isError !== true);
    assert.match(linkIn((await call(second, 'ada')).result), /\/connect\//);
  });
});
