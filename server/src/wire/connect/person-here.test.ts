import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '#domain';
import type { Project } from '#identity';
import { personOf } from './person-here.ts';

const place = (id: string, organizationId: string): Project => ({
  id,
  organizationId,
  name: id,
  createdAt: '2026-01-01T00:00:00.000Z',
});
const places = [place('first', 'org'), place('sales', 'org'), place('theirs', 'foreign')];
const people = {
  project: (id: string) => places.find((one) => one.id === id) ?? null,
  projects: (organizationId: string) => places.filter((one) => one.organizationId === organizationId),
};

function somebody(
  by: { readonly projectId: string; readonly sourceId?: string; readonly userId?: string },
  { email = 'ada@example.com', roles = {} }: { email?: string; roles?: Record<string, Role> } = {},
) {
  const signIn = { id: 'sgn_1', personId: 'usr_1', sourceId: 'corp', userId: 'u-17', ...by };
  const roleIn = (projectId: string) => roles[projectId] ?? null;
  return personOf(signIn, { organizationId: 'org', email, name: 'Ada', roleIn }, people);
}

test('what a source calls somebody is their user id in its own project, and in no other', () => {
  const ada = somebody({ projectId: 'sales' });
  assert.ok(ada.isUser('sales', 'u-17'));
  assert.ok(!ada.isUser('first', 'u-17'));
  assert.ok(!ada.isUser('theirs', 'u-17'));
  assert.ok(!somebody({ projectId: 'first' }).isUser('sales', 'u-17'));
});

test('an address that only the source of another project knows is nobody where they have no role', () => {
  assert.deepEqual(somebody({ projectId: 'sales' }).userIdsIn('first'), []);
  const member = somebody({ projectId: 'sales' }, { roles: { first: 'member' } });
  assert.deepEqual(member.userIdsIn('first'), ['ada@example.com']);
});

test('who signed in at the first project of an organisation has their address in all of its projects, and in no other organisation', () => {
  const ada = somebody({ projectId: 'first' });
  assert.deepEqual(ada.userIdsIn('sales'), ['ada@example.com']);
  assert.deepEqual(ada.userIdsIn('first'), ['ada@example.com', 'u-17']);
  assert.deepEqual(ada.userIdsIn('theirs'), []);
  assert.deepEqual(ada.userIdsIn('nowhere'), []);
});

test('a link vouches for an address where it is for, and for no id of a source', () => {
  const everywhere = somebody({ projectId: '', sourceId: '', userId: 'ada@example.com' });
  assert.deepEqual(everywhere.userIdsIn('sales'), ['ada@example.com']);
  const ofSales = somebody({ projectId: 'sales', sourceId: '', userId: 'x' });
  assert.deepEqual(ofSales.userIdsIn('sales'), ['ada@example.com']);
  assert.deepEqual(ofSales.userIdsIn('first'), []);
});

test('an address is the same in whatever case, an id is not, and nobody is the user without a name', () => {
  const ada = somebody({ projectId: 'sales', userId: 'U-17' });
  assert.ok(ada.isUser('sales', 'Ada@Example.com'));
  assert.ok(!ada.isUser('sales', 'u-17'));
  assert.ok(!somebody({ projectId: 'sales', userId: '' }, { email: '' }).isUser('sales', ''));
});
