import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Acting, linkIn, startActing } from './acting.ts';
import { createBrowser } from './browser.ts';
import { consentAt, type StandIn, startMicrosoft } from './oauth-providers/index.ts';
import type { Json } from './start-app.ts';

const hourMs = 3600_000;

/** A provider whose refresh tokens are good once, so that a second renewal at the same time would lose the grant. */
describe('tokens that are over', () => {
  let acting: Acting<StandIn>;
  let count = 0;

  before(async () => {
    acting = await startActing(startMicrosoft);
  });
  after(() => acting?.close());
  afterEach(() => {
    acting.provider.outage = false;
  });

  /** Another user, who has consented. */
  async function newUser(): Promise<string> {
    const user = `user-${++count}`;
    const page = await consentAt(linkIn(await acting.call(user)), { as: user, allow: true });
    assert.match(page.text, /is connected/);
    assert.equal(await acting.actsAs(user), user);
    return user;
  }
  const codeOf = (result: Json) => result._meta?.['sallyport/refusal']?.code ?? null;

  it('are renewed once for a thousand calls at once, which all succeed', async () => {
    const user = await newUser();
    acting.clock.forward(2 * hourMs);
    const before = acting.provider.asked.token;
    const said = await Promise.all(Array.from({ length: 1000 }, () => acting.actsAs(user)));
    assert.ok(said.every((name) => name === user));
    assert.equal(acting.provider.asked.token - before, 1);
  });

  it('are renewed for one user without the others, each with the own token', async () => {
    const users = [await newUser(), await newUser()];
    acting.clock.forward(2 * hourMs);
    const before = acting.provider.asked.token;
    const calls = Array.from({ length: 60 }, (_, index) => users[index % 2] as string);
    assert.deepEqual(await Promise.all(calls.map((user) => acting.actsAs(user))), calls);
    assert.equal(acting.provider.asked.token - before, 2);
  });

  it('that were taken back lead to one consent, and not to a renewal at every call', async () => {
    const user = await newUser();
    acting.provider.revokeAll();
    acting.clock.forward(2 * hourMs);
    const before = acting.provider.asked.token;
    const refused = await Promise.all(Array.from({ length: 20 }, () => acting.call(user)));
    assert.deepEqual([...new Set(refused.map(codeOf))], ['credentials.consent_required']);
    assert.equal(new Set(refused.map(linkIn)).size, 1);
    assert.equal(acting.provider.asked.token - before, 1);
    const [{ status }] = (await acting.connectionsOf(user)) as [Json];
    assert.equal(status, 'revoked');
    await consentAt(linkIn(refused[0]), { as: user, allow: true });
    assert.equal(await acting.actsAs(user), user);
    const connections = await acting.connectionsOf(user);
    assert.deepEqual(
      connections.map((one) => one.status),
      ['active'],
    );
  });

  it('that were taken back before their time are noticed when the service refuses them', async () => {
    const user = await newUser();
    acting.provider.revokeAll();
    const first = await acting.call(user);
    const second = codeOf(first) === null ? await acting.call(user) : first;
    assert.equal(codeOf(second), 'credentials.consent_required', JSON.stringify([first, second]));
    await consentAt(linkIn(second), { as: user, allow: true });
    assert.equal(await acting.actsAs(user), user);
  });

  it('wait for a provider that is out of order, and work again after it without any consent', async () => {
    const user = await newUser();
    acting.clock.forward(2 * hourMs);
    acting.provider.outage = true;
    for (let again = 0; again < 3; again++) {
      const refused = await acting.call(user);
      assert.equal(codeOf(refused), 'credentials.provider_unavailable', JSON.stringify(refused));
      assert.equal(refused._meta.authorization_url, undefined);
    }
    const [{ status }] = (await acting.connectionsOf(user)) as [Json];
    assert.equal(status, 'active');
    acting.provider.outage = false;
    acting.clock.forward(60_000);
    assert.equal(await acting.actsAs(user), user);
  });
});

describe('several accounts of one user at a provider', () => {
  let acting: Acting<StandIn>;
  before(async () => {
    acting = await startActing(startMicrosoft);
  });
  after(() => acting?.close());

  const change = async (id: string, body: object) => {
    const answer = await acting.app.api('PATCH', `/v1/connections/${id}`, body);
    assert.equal(answer.status, 200, await answer.text());
  };
  /** One more account, by the page at which a person who has one adds another. */
  async function addAccount(user: string, as: string): Promise<void> {
    const begun = await acting.authorize(user, ['read', `more-for-${as}`]);
    const page = await consentAt(begun.url, { as, allow: true, browser: createBrowser() });
    assert.match(page.text, /is connected/);
  }

  it('are used each where it was chosen: for a gateway, for a tool, else the default one', async () => {
    await addAccount('ada', 'ada-at-work');
    await addAccount('ada', 'ada-at-home');
    await addAccount('bob', 'bob');
    const connections = await acting.connectionsOf('ada');
    assert.equal(connections.length, 2);
    const [home, work] = connections.toSorted((a, b) =>
      JSON.stringify(a.user_info).localeCompare(JSON.stringify(b.user_info)),
    );
    assert.deepEqual([home.is_default, work.is_default], [true, false], 'what was consented to last');
    const seen = async () => [await acting.actsAs('ada'), await acting.actsAs('ada', 'Read', 'other')];
    assert.deepEqual(await seen(), ['ada-at-home', 'ada-at-home']);
    await change(work.id, { gateways: ['other'] });
    assert.deepEqual(await seen(), ['ada-at-home', 'ada-at-work']);
    await change(work.id, { is_default: true });
    assert.deepEqual(await seen(), ['ada-at-work', 'ada-at-work']);
    await change(home.id, { tools: ['Acting.Read'] });
    assert.deepEqual(await seen(), ['ada-at-home', 'ada-at-home']);
    assert.equal(await acting.actsAs('bob'), 'bob');
  });

  it('are not chosen by somebody else, or for another project', async () => {
    const foreign = await acting.app.api('PATCH', '/v1/connections/con_00000000000000000000', {
      is_default: true,
    });
    assert.equal(foreign.status, 404);
  });

  it('go one at a time: who disconnects one keeps the other, and it is taken back at the provider', async () => {
    const [first, second] = (await acting.connectionsOf('ada')) as [Json, Json];
    const removed = await acting.app.api('DELETE', `/v1/connections/${first.id}`);
    assert.ok(removed.ok, `${removed.status} ${await removed.text()}`);
    assert.deepEqual(
      (await acting.connectionsOf('ada')).map(({ id }) => id),
      [second.id],
    );
    const left = await acting.actsAs('ada');
    assert.ok(['ada-at-home', 'ada-at-work'].includes(left));
  });
});
