import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { GrantRequest, RuleRequest } from '@sallyport/contracts';
import { newGatewayFromRequest } from '#domain';
import type { Result } from '#foundation';
import type { Db } from '#storage';
import { openTestDatabase } from './database.ts';
import { clearShared, openRoomsBeside, type RoomsBeside } from './rooms-beside.ts';

/** Gateways and policy of two processes on one database: what one is told acts on the other as soon as it looks. */

const place = { projectId: 'default' };
const grant: GrantRequest = { subject: { user: 'ann' }, tools: ['*'], effect: 'deny', gateway: 'team' };
const rule: RuleRequest = {
  name: 'no digits',
  direction: 'input',
  tools: ['*'],
  action: 'block',
  match: { pattern: '[0-9]' },
};
const limit = { tools: ['*'], max_calls: 3, per: 'minute' } as never;
const webhook = (token: string) =>
  ({
    name: 'asks',
    plugin_type: 'webhook',
    webhook_config: {
      endpoints: {
        pre: { url: 'https://hooks.test/pre', failure_mode: 'fail_closed', phase: 'before' },
        access: { url: 'https://hooks.test/access', failure_mode: 'fail_closed', phase: 'before' },
      },
      auth: { type: 'bearer', token },
    },
  }) as never;

let db: Db;
let one: RoomsBeside;
let other: RoomsBeside;

before(async () => {
  db = await openTestDatabase();
});
after(() => db.close());
beforeEach(async () => {
  await clearShared(db);
  one = await openRoomsBeside(db);
  other = await openRoomsBeside(db);
});
afterEach(async () => {
  await other.close();
  await one.close();
});

const look = async () => {
  for (const { changes } of [one, other]) assert.equal(await changes.look(), true);
};
const gateway = (slug: string, projectId = 'default') =>
  one.catalog.createGateway(newGatewayFromRequest({ name: slug, slug }, { projectId }));
async function made<T>(result: Promise<Result<T, unknown>> | Result<T, unknown>): Promise<T> {
  const got = await result;
  assert.ok(got.ok, JSON.stringify(got));
  return got.value;
}

describe('a gateway', () => {
  it('that one makes, changes and deletes is so for the other, which tells its clients once', async () => {
    const { id } = await made(gateway('team'));
    await look();
    assert.equal(other.catalog.view('team')?.gateway.id, id);
    other.told.length = 0;
    await made(one.catalog.updateGateway('default', id, { slug: 'crew', access: 'granted' }));
    await look();
    await look();
    assert.equal(other.catalog.view('team'), null);
    assert.equal(other.catalog.view('crew')?.gateway.access, 'granted');
    assert.deepEqual(other.told, ['crew']);
    await made(one.catalog.deleteGateway('default', id));
    await look();
    assert.equal(other.catalog.view('crew'), null);
    assert.deepEqual(other.catalog.gateways('default'), []);
  });

  it('takes a slug that the other has not heard of yet from nobody', async () => {
    await made(gateway('team'));
    const taken = await other.catalog.createGateway(
      newGatewayFromRequest({ name: 'x', slug: 'team' }, place),
    );
    assert.equal(taken.ok ? '' : taken.error.code, 'resource.conflict');
    const free = await made(
      other.catalog.createGateway(newGatewayFromRequest({ name: 'x', slug: 'x' }, place)),
    );
    const moved = await other.catalog.updateGateway('default', free.id, { slug: 'team' });
    assert.equal(moved.ok ? '' : moved.error.code, 'resource.conflict');
    await look();
    assert.deepEqual(
      one.catalog
        .gateways('default')
        .map(({ slug }) => slug)
        .sort(),
      ['team', 'x'],
    );
  });

  it('two changes of which, at once, each take back nothing of the other', async () => {
    const { id } = await made(gateway('team'));
    await look();
    await made(one.catalog.updateGateway('default', id, { status: 'inactive' }));
    await made(other.catalog.updateGateway('default', id, { description: 'ours' }));
    await look();
    for (const { catalog } of [one, other]) {
      const { status, description } = catalog.gateway('default', id) ?? {};
      assert.deepEqual([status, description], ['inactive', 'ours']);
    }
  });

  it('of the file is what the file of each says, whatever the API of the other does', async () => {
    const ofFile = newGatewayFromRequest({ name: 'f', slug: 'team' }, place);
    const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };
    other.catalog.applyFile([{ ...ofFile, id: 'gw_file_team', origin: 'file', ...undated }]);
    const { id } = await made(gateway('team'));
    await look();
    assert.equal(other.catalog.view('team')?.gateway.id, 'gw_file_team');
    assert.equal(one.catalog.view('team')?.gateway.id, id);
    await made(one.catalog.deleteGateway('default', id));
    await look();
    assert.equal(other.catalog.view('team')?.gateway.id, 'gw_file_team');
  });
});

describe('what is laid down', () => {
  const both = () => [one, other].map(({ policy }) => policy.version());
  const isSame = () => both()[0] === both()[1];

  it('by one, grants, rules and limits, acts on the other: made, changed, removed', async () => {
    const empty = other.policy.version();
    const [aGrant, aRule, aLimit] = [
      await one.policy.grants.create('default', grant),
      await one.policy.rules.create('default', rule),
      await one.policy.limits.create('default', limit),
    ];
    assert.ok(!isSame());
    await look();
    assert.ok(isSame());
    assert.deepEqual(other.policy.grants.list('default'), [aGrant]);
    assert.deepEqual(other.policy.rules.get('default', aRule.id), aRule);
    assert.deepEqual(other.policy.limits.get('default', aLimit.id), aLimit);
    await made(one.policy.grants.replace('default', aGrant.id, { ...grant, effect: 'allow' }));
    await look();
    assert.equal(other.policy.grants.get('default', aGrant.id)?.definition.effect, 'allow');
    await made(one.policy.grants.remove('default', aGrant.id));
    await made(one.policy.rules.remove('default', aRule.id));
    await made(one.policy.limits.remove('default', aLimit.id));
    await look();
    assert.deepEqual(both(), [empty, empty]);
  });

  it('plugins and hooks, too, with what they are asked with', async () => {
    const who = { projectId: 'default', by: 'key_1', binding: 'project' } as const;
    const { plugin, hooks } = await made(one.policy.plugins.create(who, webhook('first')));
    await look();
    assert.ok(isSame());
    assert.deepEqual(
      other.policy.hooks
        .list('default')
        .map(({ id }) => id)
        .sort(),
      hooks.map(({ id }) => id).sort(),
    );
    await made(one.policy.plugins.update(who, plugin.id, { webhook_config: { auth: { token: 'second' } } }));
    await look();
    const known = other.policy.plugins.get('default', plugin.id)?.definition.plugin.webhook_config;
    assert.equal(known?.auth?.token, 'second');
    await made(one.policy.hooks.update('default', hooks[0]?.id as string, { status: 'inactive' }));
    await look();
    assert.equal(
      other.policy.hooks.get('default', hooks[0]?.id as string)?.definition.hook.status,
      'inactive',
    );
  });

  it('is told to those whom it concerns, once, and to nobody of another project', async () => {
    await one.policy.grants.create('default', grant);
    await one.policy.grants.create('elsewhere', { ...grant, gateway: null });
    assert.deepEqual(one.regranted, ['default/team', 'elsewhere/*']);
    await look();
    await look();
    assert.deepEqual([...other.regranted].sort(), ['default/team', 'elsewhere/*']);
    assert.deepEqual(one.regranted, ['default/team', 'elsewhere/*'], 'not again where it was made');
    assert.equal(other.policy.grants.list('default').length, 1);
  });

  it('by both at once is in the end what the database says, for both', async () => {
    const { id } = await one.policy.rules.create('default', rule);
    await look();
    for (let n = 0; n < 10; n++) {
      await Promise.all([
        one.policy.rules.replace('default', id, { ...rule, name: `one ${n}` }),
        other.policy.rules.replace('default', id, { ...rule, name: `other ${n}` }),
        n % 2 === 0 ? other.changes.look() : one.changes.look(),
      ]);
      await look();
      const [row] = await db.query<{ definition: RuleRequest }>('select definition from policy_entries');
      for (const { policy } of [one, other])
        assert.deepEqual(policy.rules.get('default', id)?.definition, row?.definition);
      assert.ok(isSame());
    }
  });

  it('of the file is each one’s own', async () => {
    other.policy.rules.applyFile('default', [rule]);
    await one.policy.rules.create('default', { ...rule, name: 'of the API' });
    await db.query(
      "insert into changes (topic, key, at) select 'policy rule', 'x' || i, now() from generate_series(1, 1100) i",
    );
    await look();
    assert.deepEqual(
      other.policy.rules.list('default').map(({ origin, definition }) => [origin, definition.name]),
      [
        ['file', 'no digits'],
        ['api', 'of the API'],
      ],
    );
    assert.equal(one.policy.rules.list('default').length, 1);
  });

  it('two thousand of it are there after one look, and gone after another', async () => {
    const empty = other.policy.version();
    const writes = Array.from({ length: 2000 }, (_, n) => ({
      id: null,
      definition: { ...grant, subject: { user: `user ${n}` } },
    }));
    await made(one.policy.grants.writeAll('default', writes));
    await look();
    assert.ok(isSame());
    assert.deepEqual(
      other.policy.grants.list('default').map(({ id }) => id),
      one.policy.grants.list('default').map(({ id }) => id),
    );
    await db.query(
      `with gone as (delete from policy_entries returning id)
       insert into changes (topic, key, at) select 'policy grant', '["default","' || id || '"]', now() from gone`,
    );
    await look();
    assert.deepEqual(both(), [empty, empty]);
  });

  it('and cannot be read is read with the next look', async () => {
    await one.policy.rules.create('default', rule);
    const made = await one.policy.grants.create('default', grant);
    await db.query('alter table policy_entries rename to away');
    assert.equal(await other.changes.look(), false);
    assert.deepEqual(other.policy.grants.list('default'), []);
    await db.query('alter table away rename to policy_entries');
    await look();
    assert.deepEqual(other.policy.grants.list('default'), [made]);
    assert.ok(isSame());
  });
});
