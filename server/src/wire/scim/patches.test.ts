import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ScimOperation } from '@sallyport/contracts';
import fc from 'fast-check';
import { enterprise } from './fixtures/scim-server.ts';
import { patchGroup } from './group-content.ts';
import { patchUser } from './patch-user.ts';
import { readUser } from './user-content.ts';

const paths = [
  'active',
  'userName',
  'name',
  'name.familyName',
  'emails',
  'emails.value',
  'emails[type eq "work"]',
  'emails[type eq "work"].value',
  'emails[type eq "work" and primary eq true].display',
  'emails[value co "a"].primary',
  'addresses[type eq "home"].country',
  'roles[primary eq "True"].value',
  'members',
  'members[value eq "usr_1"]',
  'displayName',
  'schemas',
  '__proto__',
  'constructor',
  'toString',
  enterprise,
  `${enterprise}:department`,
  `${enterprise}:manager`,
  `${enterprise}:manager.value`,
  'urn:other:thing',
  'name[',
];
const value = fc.oneof(
  fc.constantFrom<unknown>(null, true, 'False', 'a@b', 7, [], {}, [null], [{}], ['usr_1'], [[1]]),
  fc.record(
    {
      value: fc.constantFrom('a', 'b', 'usr_1'),
      type: fc.constantFrom('work', 'home'),
      primary: fc.constantFrom(true, false, 'True'),
      givenName: fc.string(),
    },
    { requiredKeys: [] },
  ),
  fc.array(fc.record({ value: fc.constantFrom('a', 'b'), primary: fc.boolean() }, { requiredKeys: [] })),
  fc.dictionary(
    fc.constantFrom(...paths),
    fc.constantFrom<unknown>('x', true, [{ value: 'a' }], { value: 'b' }),
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const operations: fc.Arbitrary<ScimOperation[]> = fc.array(
  fc.record(
    {
      op: fc.constantFrom('add', 'replace', 'remove'),
      path: fc.oneof(fc.constantFrom(...paths), fc.string({ maxLength: 20 })),
      value,
    },
    { requiredKeys: ['op'] },
  ) as fc.Arbitrary<ScimOperation>,
  { minLength: 1, maxLength: 6 },
);

const user = {
  userName: 'ann',
  active: true,
  emails: [
    { value: 'a@b', type: 'work', primary: true },
    { value: 'c@d', type: 'home' },
  ],
};

describe('a patch, whatever it says,', () => {
  it('is refused, or leaves a user of known attributes with one primary value at most; the one before is untouched', () => {
    const before = JSON.stringify(user);
    fc.assert(
      fc.property(operations, (asked) => {
        const patched = patchUser(user, asked);
        assert.equal(JSON.stringify(user), before);
        if (!patched.ok) return assert.equal(patched.error.status, 400);
        const again = readUser(patched.value);
        assert.ok(again.ok, again.ok ? '' : again.error.refusal.message);
        assert.deepEqual({ ...again.value }, { ...patched.value }, 'what is kept is what would be read');
        assert.equal(Object.getPrototypeOf(patched.value), Object.prototype);
      }),
      { numRuns: 2000 },
    );
    assert.equal(({} as Record<string, unknown>).value, undefined);
  });

  it('is refused, or leaves a group with a name and members by their ids', () => {
    fc.assert(
      fc.property(operations, (asked) => {
        const patched = patchGroup({ displayName: 'Team', externalId: null }, asked);
        if (!patched.ok) return assert.equal(patched.error.status, 400);
        assert.notEqual(patched.value.displayName.trim(), '');
        for (const id of patched.value.members?.add ?? []) {
          assert.equal(typeof id, 'string');
          assert.equal(patched.value.members?.remove.has(id), false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('makes one value the primary one, and the others not', () => {
    const home = { value: 'c@d', type: 'home', primary: true };
    for (const operation of [
      { op: 'add', path: 'emails', value: [{ value: 'e@f', primary: true }] },
      { op: 'replace', path: 'emails[type eq "home"].primary', value: 'True' },
      { op: 'replace', path: 'emails[type eq "home"]', value: home },
    ] as const) {
      const patched = patchUser(user, [operation]);
      assert.ok(patched.ok);
      const emails = patched.value.emails as { primary?: boolean }[];
      assert.deepEqual(
        emails.map(({ primary }) => primary === true),
        emails.map((_, at) => at === emails.length - 1),
      );
    }
  });
});

it('a patch that asks much of each of many values is refused before it is done', () => {
  const emails = Array.from({ length: 200 }, (_, at) => ({ value: `a${at}@b` }));
  const conditions = Array.from({ length: 200 }, () => 'value co "q"').join(' or ');
  const operation = { op: 'remove', path: `emails[${conditions}]` } as const;
  assert.ok(patchUser({ userName: 'ann', emails }, [operation]).ok);
  const refused = patchUser(
    { userName: 'ann', emails },
    Array.from({ length: 4000 }, () => operation),
  );
  assert.equal(refused.ok ? null : refused.error.status, 400);
});
