import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Page } from './browser.ts';
import { hold, type KilledGateway, startKilledGateway } from './killed-gateway.ts';
import { consentAt, type StandIn, startMicrosoft } from './oauth-providers/index.ts';

/**
 * `kill -9` at each step of a renewal. The refresh tokens of this provider are good once, so that nothing can be done twice unnoticed.
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

describe('a renewal loses no grant that the provider lets us keep, when the server is killed', () => {
  /** Somebody whose token is over at their next call. */
  async function userWithSpentToken(): Promise<string> {
    const user = newUser();
    provider.lifeS = 1;
    const { url } = await gateway.authorize(user);
    assertConnected(await consentAt(url, { as: user, allow: true }));
    provider.lifeS = 3600;
    provider.expireAll();
    return user;
  }
  const renewals = () =>
    provider.requests.filter(({ form }) => form.get('grant_type') === 'refresh_token').length;

  it('before it: the next call renews', async () => {
    const user = await userWithSpentToken();
    await gateway.restart();
    const before = renewals();
    await gateway.assertActs(user);
    assert.equal(renewals() - before, 1);
    assert.equal(provider.liveGrants(user).length, 1);
  });

  it('during it, before the provider did it: the next call renews, without any consent', async () => {
    const user = await userWithSpentToken();
    const held = hold(provider, 'before');
    const lost = gateway.call(user).catch(() => null);
    await held.arrived;
    await gateway.kill();
    await lost;
    await gateway.start();
    await gateway.assertActs(user);
    assert.equal(provider.liveGrants(user).length, 1);
    held.release();
  });

  it('after the provider did it, before it was kept: the provider takes the old one again, and no consent is asked', async () => {
    const user = await userWithSpentToken();
    provider.graceMs = 60_000;
    const held = hold(provider, 'after');
    const lost = gateway.call(user).catch(() => null);
    await held.arrived;
    await gateway.kill();
    await lost;
    held.release();
    await gateway.start();
    await gateway.assertActs(user);
    assert.equal(provider.liveGrants(user).length, 1);
  });

  it('after the provider did it, and it does not take the old one again: one consent, and no loop', async () => {
    const user = await userWithSpentToken();
    const held = hold(provider, 'after');
    const lost = gateway.call(user).catch(() => null);
    await held.arrived;
    await gateway.kill();
    await lost;
    held.release();
    await gateway.start();
    const before = renewals();
    const refused = await gateway.call(user);
    assert.equal(
      refused._meta['sallyport/refusal'].code,
      'credentials.consent_required',
      JSON.stringify(refused),
    );
    await gateway.call(user);
    assert.equal(renewals() - before, 1);
    assertConnected(await consentAt(refused._meta.authorization_url, { as: user, allow: true }));
    await gateway.assertActs(user);
  });

  it('after it: nothing is renewed again', async () => {
    const user = await userWithSpentToken();
    await gateway.assertActs(user);
    const before = renewals();
    await gateway.restart();
    await gateway.assertActs(user);
    assert.equal(renewals(), before);
  });
});

describe('after all of that', () => {
  it('no token, code, verifier or secret of the run can be read anywhere', async () => {
    await gateway.kill();
    assert.ok(provider.given.length > 8 && provider.codes.length > 4);
    assert.deepEqual(gateway.leaks(), []);
  });
});
