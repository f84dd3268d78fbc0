import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '#domain';
import { createActAs } from './acting.ts';
import type { People, Standing } from './people/contract.ts';

const key: Principal = {
  kind: 'api_key',
  id: 'key_1',
  name: 'k',
  projectId: 'default',
  permissions: new Set(['call']),
  users: null,
  gateways: null,
  tools: null,
  confined: false,
  expiresAtMs: null,
};
const known: Record<string, Partial<Standing>> = {
  ann: { personId: 'usr_ann', active: true, groups: ['staff', 'leads'] },
  old: { personId: 'usr_old', active: false, groups: [] },
};
const people = {
  project: (id: string) => (id === 'default' ? { id, organizationId: 'org', name: '', createdAt: '' } : null),
  standingOf: (organization: string, userId: string) =>
    organization === 'org' ? ((known[userId] ?? null) as Standing | null) : null,
} satisfies Pick<People, 'project' | 'standingOf'>;
const actAs = createActAs(people);

test('whom the organisation knows comes with the groups of its directory, beside those that are vouched for', () => {
  const acting = actAs(key, 'ann');
  assert.ok(acting.ok);
  assert.deepEqual([acting.value.groups, acting.value.personId], [['staff', 'leads'], 'usr_ann']);
  const vouched = actAs(key, ' ann ', { groups: ['dev', 'staff'], claims: { floor: 3 } });
  assert.ok(vouched.ok);
  assert.deepEqual(vouched.value.groups, ['dev', 'staff', 'leads']);
  assert.deepEqual(vouched.value.claims, { floor: 3 });
});

test('whom it does not know comes as they are named, and so does nobody', () => {
  const stranger = actAs(key, 'bob');
  assert.ok(stranger.ok);
  assert.deepEqual(
    [stranger.value.userId, stranger.value.groups, stranger.value.personId],
    ['bob', [], undefined],
  );
  const foreign = actAs({ ...key, projectId: 'of another' }, 'old');
  assert.equal(foreign.ok, true, 'another organisation says nothing of them');
  assert.equal(actAs(key, null).ok, true);
});

test('whoever was deactivated is refused, whoever vouches for them', () => {
  for (const vouched of [undefined, { groups: ['staff'], claims: {} }]) {
    const refused = actAs(key, 'old', vouched);
    assert.equal(refused.ok ? 'let in' : refused.error.code, 'identity.deactivated');
  }
});
