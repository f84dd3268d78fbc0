import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createBrowser, type Page } from './browser.ts';
import { hold, type KilledGateway, startKilledGateway } from './killed-gateway.ts';
import { consentAt, type StandIn, startMicrosoft } from './oauth-providers/index.ts';

/**
 * `kill -9` at each step of a consent. The refresh tokens of this provider are good once, so that nothing can be done twice unnoticed.
 */

let provider: StandIn;
let gateway: KilledGateway;
let count = 0;

before(async () => {
  provider = await startMicrosoft();
  gateway = await startKilledGateway(provider);
});
after(() => gateway?.close());
afterEach(() => {
  provider.before = null;
  provider.after = null;
  provider.graceMs = 0;
  provider.lifeS = 3600;
});

const newUser = () => `user-${++count}`;
const assertConnected = (page: Page) => assert.match(page.text, /is connected/);

const callback = () => `${gateway.url}/connect/callback/`;

describe('a consent goes on where it was, when the server is killed', () => {
  it('after it was asked for: the same address leads to it', async () => {
    const user = newUser();
    const asked = await gateway.authorize(user);
    await gateway.restart();
    assert.equal((await gateway.status(asked.id)).status, 'pending');
    const again = await gateway.authorize(user);
    assert.deepEqual([again.id, again.url], [asked.id, asked.url]);
    assertConnected(await consentAt(asked.url, { as: user, allow: true }));
    assert.equal((await gateway.status(asked.id)).status, 'completed');
    await gateway.assertActs(user);
    assert.equal(provider.liveGrants(user).length, 1);
  });

  it('after the user opened it: the answer of the provider is taken from that browser', async () => {
    const user = newUser();
    const { id, url } = await gateway.authorize(user);
    const browser = createBrowser();
    const atProvider = await open(url, browser);
    await gateway.restart();
    assertConnected(await browser.submit(atProvider, { button: 'Allow', fields: { login: user } }));
    assert.equal((await gateway.status(id)).status, 'completed');
    await gateway.assertActs(user);
    assert.equal(provider.liveGrants(user).length, 1);
  });

  it('after the user allowed it, before the browser came back: its answer is taken then', async () => {
    const user = newUser();
    const { id, url } = await gateway.authorize(user);
    const browser = createBrowser();
    const answer = await consentAt(url, { as: user, allow: true, browser, stopAt: callback() });
    await gateway.kill();
    await assert.rejects(browser.open(answer.url));
    await gateway.start();
    assertConnected(await browser.open(answer.url));
    assert.equal((await gateway.status(id)).status, 'completed');
    await gateway.assertActs(user);
    assert.equal(provider.liveGrants(user).length, 1);
  });

  for (const [when, name] of [
    ['before', 'while the code is on its way to the provider'],
    ['after', 'while the tokens are on their way from the provider'],
  ] as const) {
    it(`${name}: it fails within a minute, for all who look`, async () => {
      const user = newUser();
      const { id, url } = await gateway.authorize(user);
      const browser = createBrowser();
      const answer = await consentAt(url, { as: user, allow: true, browser, stopAt: callback() });
      const held = hold(provider, when);
      const lost = browser.open(answer.url).catch(() => null);
      await held.arrived;
      await gateway.kill();
      assert.equal(await lost, null);
      held.release();
      await gateway.whileDown((db) =>
        db.query("update connection_flows set expires_at = expires_at - interval '1 minute'"),
      );
      await gateway.start();
      const ended = await gateway.status(id);
      assert.deepEqual([ended.status, ended.error?.code], ['failed', 'interrupted'], JSON.stringify(ended));
      // What a person does: loads the page again.
      const page = await browser.open(answer.url);
      assert.ok(page.text.toLowerCase().includes(ended.error.message), page.text);
      const { items } = (await gateway.api('GET', `/v1/audit_events?kind=credential&user_id=${user}`)).body;
      assert.equal(
        items.filter(({ reason }: { reason: string | null }) => reason?.includes('[interrupted]')).length,
        1,
      );
      const again = await gateway.authorize(user);
      assert.notEqual(again.id, id);
      assertConnected(await consentAt(again.url, { as: user, allow: true }));
      await gateway.assertActs(user);
    });
  }

  it('after it was completed: nothing is lost', async () => {
    const user = newUser();
    const { id, url } = await gateway.authorize(user);
    assertConnected(await consentAt(url, { as: user, allow: true }));
    await gateway.restart();
    assert.equal((await gateway.status(id)).status, 'completed');
    await gateway.assertActs(user);
    assert.equal(provider.liveGrants(user).length, 1);
  });

  async function open(url: string, browser = createBrowser()): Promise<Page> {
    const page = await browser.open(url);
    return page.url.startsWith(provider.origin) ? page : await browser.submit(page);
  }
});

describe('after all of that', () => {
  it('no token, code, verifier or secret of the run can be read anywhere', async () => {
    await gateway.kill();
    assert.ok(provider.given.length > 8 && provider.codes.length > 4);
    assert.deepEqual(gateway.leaks(), []);
  });
});
