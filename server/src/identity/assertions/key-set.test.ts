import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import { newGatewayFromRequest } from '#domain';
import { createEgress } from '#egress';
import { manualClock } from '#foundation';
import { createAssertions } from './assertions.ts';
import { createKeySet, type KeySet } from './key-set.ts';

/** An issuer that publishes what it is told to, and counts. */
const issuer = {
  keys: [] as JWK[],
  status: 200,
  body: null as string | null,
  asked: 0,
  hold: Promise.resolve(),
};
const server = createServer(async (_request, response) => {
  issuer.asked++;
  await issuer.hold;
  response.writeHead(issuer.status, { 'content-type': 'application/json' });
  response.end(issuer.body ?? JSON.stringify({ keys: issuer.keys }));
});
const egress = createEgress({ allow: ['127.0.0.0/8'] });
const closed = createEgress({ allow: [] });

let uri: string;
let clock: ReturnType<typeof manualClock>;
let keySet: KeySet;
const pairs = new Map<
  string,
  { jwk: JWK; privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'] }
>();

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  for (const kid of ['one', 'two']) {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    pairs.set(kid, { jwk: { ...(await exportJWK(publicKey)), kid }, privateKey });
  }
});
after(async () => {
  egress.close();
  closed.close();
  server.closeAllConnections();
  await once(server.close(), 'close');
});
beforeEach(() => {
  Object.assign(issuer, {
    keys: [pair('one').jwk],
    status: 200,
    body: null,
    asked: 0,
    hold: Promise.resolve(),
  });
  clock = manualClock();
  keySet = createKeySet(uri, 'api', { egress, clock });
});

function pair(kid: string) {
  const found = pairs.get(kid);
  assert.ok(found);
  return found;
}

/** Whether the keys as they are hold the one of this name. */
async function holds(kid: string): Promise<boolean> {
  const current = await keySet.current();
  assert.ok(current.ok, JSON.stringify(current));
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(pair(kid).privateKey);
  return jwtVerify(token, current.value).then(
    () => true,
    () => false,
  );
}

describe('the keys of an issuer', () => {
  it('are asked for once, however many want them at the same time', async () => {
    const held = Promise.withResolvers<void>();
    issuer.hold = held.promise;
    const all = Array.from({ length: 20 }, () => keySet.current());
    held.resolve();
    assert.ok((await Promise.all(all)).every(({ ok }) => ok));
    assert.ok(await holds('one'));
    assert.equal(issuer.asked, 1);
  });

  it('are asked for again for a key that is new, at most once a minute', async () => {
    assert.ok(await holds('one'));
    issuer.keys = [pair('one').jwk, pair('two').jwk];
    assert.equal(await keySet.renewed(), null, 'they were looked at just now');
    clock.advance(60_000);
    assert.notEqual(await keySet.renewed(), null);
    assert.ok(await holds('two'));
    for (let n = 0; n < 10; n++) assert.equal(await keySet.renewed(), null);
    assert.equal(issuer.asked, 2);
  });

  it('are forgotten ten minutes after the issuer took them away', async () => {
    assert.ok(await holds('one'));
    issuer.keys = [pair('two').jwk];
    clock.advance(10 * 60_000 - 1);
    assert.ok(await holds('one'));
    clock.advance(1);
    assert.equal(await holds('one'), false);
    assert.ok(await holds('two'));
  });

  it('vouch no longer for a token that was checked, either', async () => {
    const { userAssertion: by, ...draft } = newGatewayFromRequest(
      { name: 'g', user_assertion: { issuer: 'https://idp.example', jwks_uri: uri } },
      { projectId: 'default' },
    );
    assert.ok(by);
    const dates = { createdAt: clock.iso(), updatedAt: clock.iso() };
    const gateway = { ...draft, userAssertion: by, id: 'gw_1', origin: 'api', ...dates } as const;
    const seconds = clock.now() / 1000;
    const payload = { iss: 'https://idp.example', sub: 'alice', iat: seconds, exp: seconds + 86_400 };
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(pair('one').privateKey);
    const { check } = createAssertions({ egress, clock });
    assert.ok((await check(token, by, gateway)).ok);
    issuer.keys = [pair('two').jwk];
    clock.advance(10 * 60_000 - 1);
    assert.ok((await check(token, by, gateway)).ok);
    clock.advance(1);
    assert.equal((await check(token, by, gateway)).ok, false);
  });

  it('hold on while the issuer answers with an error, nothing or nonsense', async () => {
    assert.ok(await holds('one'));
    for (const [status, body] of [
      [500, ''],
      [200, 'null'],
      [200, '{"keys":7}'],
      [200, `{"keys":[${Array.from({ length: 101 }, () => '{}')}]}`],
      [200, `{"keys":[],"x":"${'x'.repeat(600_000)}"}`],
    ] as const) {
      Object.assign(issuer, { status, body });
      clock.advance(10 * 60_000);
      assert.ok(await holds('one'), `${status} ${body.slice(0, 20)}`);
    }
    assert.equal(issuer.asked, 6);
  });

  it('that were never there are asked for every five seconds, and the reason is told', async () => {
    issuer.status = 503;
    for (let n = 0; n < 5; n++) {
      const none = await keySet.current();
      assert.match(none.ok ? '' : none.error, /status 503/);
    }
    assert.equal(issuer.asked, 1);
    issuer.status = 200;
    clock.advance(5000);
    assert.ok(await holds('one'));
  });

  it('are not fetched from an internal address unless the file says so, or the allow-list', async () => {
    const fromApi = await createKeySet(uri, 'api', { egress: closed, clock }).current();
    assert.equal(fromApi.ok, false);
    assert.equal(issuer.asked, 0);
    assert.ok((await createKeySet(uri, 'file', { egress: closed, clock }).current()).ok);
    assert.equal(issuer.asked, 1);
  });
});
