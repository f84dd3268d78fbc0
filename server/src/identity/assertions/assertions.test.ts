import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import {
  type Caller,
  compileGlobs,
  type Gateway,
  newGatewayFromRequest,
  type Principal,
  type Refusal,
} from '#domain';
import { createEgress } from '#egress';
import { manualClock, type Result } from '#foundation';
import { actAs } from '../act-as.ts';
import type { Identity, NamedUser } from '../contract.ts';
import { createAsserted } from './act-as-asserted.ts';
import { createAssertions } from './assertions.ts';

const issuer = 'https://idp.example';
const secret = 'a-secret-that-the-issuer-has-too-0123456789';
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

let keys: Keys;
let pem: string;
let clock: ReturnType<typeof manualClock>;
let identity: Pick<Identity, 'actAsAsserted' | 'stillActs'>;
const egress = createEgress({ allow: [] });

before(async () => {
  keys = await generateKeyPair('ES256');
  pem = await exportSPKI(keys.publicKey);
});
beforeEach(() => {
  clock = manualClock();
  identity = createAsserted(createAssertions({ egress, clock }), actAs, {
    clock,
    exchangesTokens: () => false,
  });
});
after(() => egress.close());

const principal: Principal = {
  kind: 'api_key',
  id: 'key_1',
  name: 'k',
  projectId: 'default',
  permissions: new Set(['call']),
  confined: false,
  users: null,
  gateways: null,
  tools: null,
  expiresAtMs: null,
};

function gatewayWith(asked: object, origin: 'api' | 'file' = 'api'): Gateway {
  const draft = newGatewayFromRequest(
    { name: 'g', user_assertion: { issuer, ...asked } },
    { projectId: 'default' },
  );
  return { ...draft, id: 'gw_1', origin, createdAt: clock.iso(), updatedAt: clock.iso() };
}

const nowSeconds = () => clock.now() / 1000;

type Claims = Readonly<Record<string, unknown>>;

/** A token for alice that is made now and holds for an hour, but for what is said otherwise. */
function sign(claims: Claims = {}, { alg = 'ES256', key = keys.privateKey as SignKey, kid = '' } = {}) {
  const iat = nowSeconds();
  const payload: JWTPayload = { iss: issuer, sub: 'alice', iat, exp: iat + 3600, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg, ...(kid === '' ? {} : { kid }) }).sign(key);
}
type SignKey = Parameters<SignJWT['sign']>[0];

async function enter(gateway: Gateway, named: Partial<NamedUser>, as = principal) {
  const { userAssertion } = gateway;
  assert.ok(userAssertion);
  return identity.actAsAsserted(as, { userId: null, assertion: null, ...named }, userAssertion, gateway);
}

function callerOf(result: Result<Caller, Refusal>): Caller {
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

async function refusedFor(gateway: Gateway, token: string, reason: RegExp): Promise<void> {
  const entered = await enter(gateway, { assertion: token });
  assert.ok(!entered.ok, `accepted, though ${reason}`);
  assert.equal(entered.error.code, 'identity.assertion_invalid');
  assert.match(entered.error.reason ?? '', reason);
  assert.equal(
    entered.error.message,
    'the user assertion does not hold here',
    'the client is told no reason',
  );
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a signed token', () => {
  it('names the user, their groups and claims, in its own header or in the place of the user id', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const token = await sign({ groups: ['eng', 'ops'], department: 'platform' });
    for (const named of [{ assertion: token }, { userId: token }, { assertion: token, userId: token }]) {
      const caller = callerOf(await enter(gateway, named));
      assert.deepEqual(
        [caller.userId, caller.groups, caller.claims.department, caller.principal],
        ['alice', ['eng', 'ops'], 'platform', principal],
      );
      assert.equal(caller.claims.toString, undefined, 'what every object has is no claim');
    }
  });

  it('may name them anywhere: by the name of a claim, or by a path', async () => {
    const token = await sign({
      'https://corp.example/user': 'carol',
      realm: { user: 'bob', roles: 'admins' },
    });
    for (const [user_claim, groups_claim, userId, groups] of [
      ['https://corp.example/user', 'nothing', 'carol', []],
      ['realm.user', 'realm.roles', 'bob', ['admins']],
    ] as const) {
      const gateway = gatewayWith({ public_key_pem: pem, user_claim, groups_claim });
      const caller = callerOf(await enter(gateway, { assertion: token }));
      assert.deepEqual([caller.userId, caller.groups], [userId, groups]);
    }
  });

  it('is demanded: a user id by itself is not believed', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    for (const named of [{}, { userId: 'alice' }, { userId: 'a.b.c' }]) {
      const entered = await enter(gateway, named);
      assert.equal(entered.ok || entered.error.code, 'identity.assertion_missing');
    }
  });

  it('and a user id beside it must agree', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const assertion = await sign();
    assert.equal(callerOf(await enter(gateway, { assertion, userId: 'alice' })).userId, 'alice');
    for (const userId of ['bob', 'Alice', await sign({ sub: 'bob' })]) {
      const entered = await enter(gateway, { assertion, userId });
      assert.equal(entered.ok || entered.error.code, 'identity.assertion_invalid');
    }
  });

  it('does not widen what the key may do', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const ofAlice = { ...principal, users: compileGlobs(['alice'], 'exact') };
    assert.ok((await enter(gateway, { assertion: await sign() }, ofAlice)).ok);
    const entered = await enter(gateway, { assertion: await sign({ sub: 'bob' }) }, ofAlice);
    assert.equal(entered.ok || entered.error.code, 'identity.user_refused');
  });
});

describe('a token is refused', () => {
  it('for its issuer, its audience and its times, each with the reason for the operator alone', async () => {
    const gateway = gatewayWith({ public_key_pem: pem, audience: ['sallyport', 'other'] });
    const now = nowSeconds();
    const good = { aud: ['x', 'other'] };
    assert.ok((await enter(gateway, { assertion: await sign(good) })).ok);
    const cases: [Claims, RegExp][] = [
      [{ ...good, iss: `${issuer}/` }, /"iss"/],
      [{ ...good, iss: undefined }, /"iss"/],
      [{}, /"aud"/],
      [{ aud: 'elsewhere' }, /"aud"/],
      [{ ...good, exp: undefined }, /"exp"/],
      [{ ...good, exp: now - 61 }, /"exp"/],
      [{ ...good, nbf: now + 61 }, /"nbf"/],
      [{ ...good, iat: undefined }, /"iat"/],
      [{ ...good, iat: now + 61 }, /"iat"/],
      [{ ...good, iat: now - 24 * 3600 - 62, exp: now + 3600 }, /"iat"/],
    ];
    for (const [claims, reason] of cases) {
      await refusedFor(gateway, await sign(claims), reason);
    }
    for (const claims of [{ exp: now - 59 }, { nbf: now + 59 }, { iat: now + 59 }]) {
      assert.ok(
        (await enter(gateway, { assertion: await sign({ ...good, ...claims }) })).ok,
        'within a minute',
      );
    }
  });

  it('when somebody else signed it, nobody did, or the public key was used as a secret', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const stranger = await generateKeyPair('ES256');
    await refusedFor(gateway, await sign({}, { key: stranger.privateKey }), /signature/);
    const iat = nowSeconds();
    const body = base64url({ iss: issuer, sub: 'alice', iat, exp: iat + 60 });
    await refusedFor(gateway, `${base64url({ alg: 'none' })}.${body}.`, /"alg"|signature|Compact/);
    const confused = `${base64url({ alg: 'HS256' })}.${body}`;
    for (const key of [pem, pem.trim()]) {
      const mac = createHmac('sha256', key).update(confused).digest('base64url');
      await refusedFor(gateway, `${confused}.${mac}`, /"alg"/);
    }
    const bySecret = gatewayWith({ secret });
    assert.ok(
      (await enter(bySecret, { assertion: await sign({}, { alg: 'HS256', key: Buffer.from(secret) }) })).ok,
    );
    await refusedFor(bySecret, await sign({}, { alg: 'HS512', key: Buffer.from(secret) }), /"alg"/);
    await refusedFor(bySecret, await sign(), /"alg"/);
    const onlyRsa = gatewayWith({ public_key_pem: pem, algorithms: ['RS256'] });
    await refusedFor(onlyRsa, await sign(), /"alg"/);
  });

  it('when any character of it is another one', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const token = await sign();
    await fc.assert(
      // The last character has bits that mean nothing.
      fc.asyncProperty(
        fc.nat(token.length - 2),
        fc.constantFrom('A', 'B', 'z', '0', '.', '-'),
        async (at, other) => {
          if (token[at] === other) return;
          const altered = token.slice(0, at) + other + token.slice(at + 1);
          const entered = await enter(gateway, { assertion: altered });
          assert.equal(entered.ok || entered.error.code, 'identity.assertion_invalid');
        },
      ),
    );
  });

  it('when it names no user, or groups that are none, or is beyond all bounds', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const deep = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`);
    for (const [claims, reason] of [
      [{ sub: '' }, /sub does not name/],
      [{ sub: ' alice' }, /sub does not name/],
      [{ sub: '\u00a0alice' }, /sub does not name/],
      [{ sub: 'alice\ufeff' }, /sub does not name/],
      [{ sub: 7 }, /sub does not name|"sub"/],
      [{ sub: 'x'.repeat(300) }, /at most 256/],
      [{ sub: 'a\nb' }, /control character/],
      [{ groups: { eng: true } }, /no list of groups/],
      [{ groups: ['eng', 7] }, /no list of groups/],
      [{ groups: Array.from({ length: 1001 }, (_, n) => `g${n}`) }, /more than 1000/],
      [{ deep }, /nested too deep/],
      [{ padding: 'x'.repeat(70_000) }, /longer than/],
    ] as const) {
      await refusedFor(gateway, await sign(claims), reason);
    }
    for (const user_claim of ['constructor.name', '__proto__', 'groups.length', 'toString.name']) {
      const other = gatewayWith({ public_key_pem: pem, user_claim });
      await refusedFor(other, await sign({ groups: ['a'] }), /does not name the user/);
    }
  });
});

describe('a token that was checked', () => {
  it('is known at once until it expires, to this gateway alone', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const assertion = await sign({ exp: nowSeconds() + 100 });
    const named = { userId: null, assertion };
    const by = gateway.userAssertion;
    assert.ok(by);
    const first = identity.actAsAsserted(principal, named, by, gateway);
    assert.ok(first instanceof Promise);
    callerOf(await first);
    const again = identity.actAsAsserted(principal, named, by, gateway);
    assert.ok(!(again instanceof Promise) && again.ok && again.value.userId === 'alice');

    const other = gatewayWith({
      public_key_pem: await exportSPKI((await generateKeyPair('ES256')).publicKey),
    });
    await refusedFor(other, assertion, /signature/);

    clock.advance(159_999);
    assert.ok((await enter(gateway, named)).ok);
    clock.advance(1);
    await refusedFor(gateway, assertion, /"exp"/);
  });

  it('is believed for a day at most, whatever it says', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const assertion = await sign({ exp: nowSeconds() + 365 * 24 * 3600 });
    callerOf(await enter(gateway, { assertion }));
    clock.advance((24 * 3600 + 62) * 1000);
    await refusedFor(gateway, assertion, /"iat"/);
  });

  it('holds what lasts as long as it does itself, and as the gateway demands it', async () => {
    const gateway = gatewayWith({ public_key_pem: pem });
    const caller = callerOf(
      await enter(gateway, { assertion: await sign({ exp: nowSeconds() + 100, groups: ['eng'] }) }),
    );
    const still = (demanding: Gateway, as = principal) => identity.stillActs(as, caller, demanding);
    const now = callerOf(still(gateway));
    assert.deepEqual([now.userId, now.groups], ['alice', ['eng']]);
    assert.ok(identity.stillActs(principal, now, gateway).ok, 'and so on');
    assert.ok(still(gatewayWith({ public_key_pem: pem })).ok, 'the same demand, written down again');

    const stricter = gatewayWith({ public_key_pem: pem, audience: 'sallyport' });
    assert.equal(still(stricter).ok, false);
    assert.equal(still(gateway, { ...principal, users: compileGlobs(['bob'], 'exact') }).ok, false);
    assert.deepEqual(callerOf(still({ ...gateway, userAssertion: null })).groups, []);

    clock.advance(160_000);
    assert.equal(still(gateway).ok, false);
  });

  it('is not needed where a stream began before the gateway demanded one: the stream ends', async () => {
    const plain = { principal, userId: 'alice', groups: [], claims: {} } as unknown as Caller;
    const ended = identity.stillActs(principal, plain, gatewayWith({ public_key_pem: pem }));
    assert.equal(ended.ok || ended.error.code, 'identity.assertion_missing');
  });
});
