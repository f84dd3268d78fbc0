import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/any-character.ts';
import { conditionOf, itemCondition } from './condition.ts';
import { parseFilter, parsePath } from './filter-syntax.ts';
import { fits } from './fits.ts';
import { type ScimServer, startScimServer } from './fixtures/scim-server.ts';
import { attributeIn, attributesOf, groupResource, userResource } from './resource-schema.ts';

const names = ['type', 'value', 'primary', 'display', 'nothing'];
const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'];
const values = ['"work"', '"WORK"', '"home"', '"a"', '""', 'true', 'false', 'null', '"\\""'];

/** Filters as the grammar has them, of parts of an address. */
const { filter } = fc.letrec<{ filter: string; one: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tie('one'),
    fc
      .tuple(tie('filter'), fc.constantFrom('and', 'or', 'AND'), tie('filter'))
      .map((parts) => parts.join(' ')),
    tie('filter').map((inner) => `not (${inner})`),
    tie('filter').map((inner) => `( ${inner} )`),
  ),
  one: fc
    .tuple(fc.constantFrom(...names), fc.constantFrom(...operators), fc.constantFrom(...values))
    .map(([name, operator, value]) => (operator === 'pr' ? `${name} pr` : `${name} ${operator} ${value}`)),
}));

/** Texts that are nearly filters, and any texts at all. */
const scraps = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        ...names,
        ...operators,
        ...values,
        ...'()[]".,:\\ \t'.split(''),
        'and',
        'or',
        'not',
        'emails',
        'urn:ietf:params:scim:schemas:core:2.0:User:',
        '\0',
        '\ud800',
        '1e999',
      ),
      { maxLength: 25 },
    )
    .chain((parts) => fc.constantFrom(parts.join(' '), parts.join(''))),
  fc.string({ unit: anyCharacter, maxLength: 60 }),
);

describe('a filter', () => {
  it('is read or refused, whatever it is: nothing is thrown', () => {
    fc.assert(
      fc.property(fc.oneof(scraps, filter), (text) => {
        for (const schema of [userResource, groupResource]) {
          const condition = conditionOf(text, schema);
          if (!condition.ok) assert.match(condition.error, /\w/);
        }
        parsePath(text);
        parsePath(`emails[${text}].value`);
      }),
      { numRuns: 2000 },
    );
  });

  it('of the grammar is read', () => {
    fc.assert(fc.property(filter, (text) => assert.equal(parseFilter(text).ok, true, text)));
  });

  it('that is not of the grammar is refused, with the place', () => {
    for (const [text, told] of [
      ['', /ends where a name/],
      ['userName', /ends where an operator/],
      ['userName eq', /ends where a value/],
      ['userName is "x"', /one of the operators.*character 10/],
      ['userName eq x', /a text in double quotes.*character 13/],
      ['userName eq "x" or', /ends where a name/],
      ['userName eq "x" title pr', /character 17/],
      ['(userName pr', /ends where \)/],
      ['userName pr)', /character 12/],
      ['emails[type eq "work"', /ends where \]/],
      ['emails[type eq "work"].value', /ends where an operator/],
      ['userName eq "x', /cannot be read/],
      ['not userName pr', /operator/],
      [`${'('.repeat(40)}title pr${')'.repeat(40)}`, /nested too deep/],
      [Array.from({ length: 500 }, () => 'title pr').join(' or '), /too much/],
      [`title eq "${'x'.repeat(10_000)}"`, /longer than/],
    ] as const) {
      const read = parseFilter(text);
      assert.match(read.ok ? '' : read.error, told, text);
    }
  });

  it('that compares what cannot be compared is refused', () => {
    for (const text of [
      'name eq "x"',
      'addresses eq "x"',
      'active eq "perhaps"',
      'active gt true',
      'meta.created eq "yesterday"',
      'meta.created co "2020"',
      'userName gt null',
      'name[givenName eq "x"]',
      'title eq "\\u0000"',
    ]) {
      assert.equal(conditionOf(text, userResource).ok, false, text);
    }
  });
});

describe('what a filter finds', () => {
  let server: ScimServer;
  before(async () => {
    server = await startScimServer();
  });
  after(() => server?.close());

  it('is the same in the database and in a patch, for any addresses and any filter', async () => {
    const address = fc.record(
      {
        type: fc.constantFrom('work', 'Work', 'home'),
        value: fc.constantFrom('a', 'A', 'ab', 'work', '"', ''),
        primary: fc.boolean(),
        display: fc.constantFrom('a', 'work'),
      },
      { requiredKeys: [] },
    );
    const lists = fc.sample(fc.array(address, { maxLength: 3 }), { numRuns: 40, seed: 7 });
    for (const emails of lists) {
      let isPreferred = false;
      for (const email of emails) {
        if (email.primary && isPreferred) email.primary = false;
        isPreferred ||= email.primary === true;
      }
      await server.newUser({ emails });
    }
    const everybody = (await server.ask('GET', '/Users?count=200')).body.Resources;
    const list = attributeIn(attributesOf(userResource.core), 'emails');
    assert.ok(list);
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const syntax = parseFilter(text);
        assert.ok(syntax.ok);
        const condition = itemCondition(syntax.value, list);
        const found = await server.find('Users', `emails[${text}]`, '&count=200');
        assert.equal(found.status, condition.ok ? 200 : 400, text);
        if (!condition.ok) return assert.equal(found.body.scimType, 'invalidFilter');
        // `emails[type ne "work"]` asks that none is; what stands alone is turned around.
        const { value } = condition;
        const alone = 'field' in value && value.is === 'ne';
        const wanted = everybody.filter(({ emails = [] }: { emails?: object[] }) =>
          alone ? emails.every((email) => fits(value, email)) : emails.some((email) => fits(value, email)),
        );
        assert.deepEqual(
          found.body.Resources.map(({ id }: { id: string }) => id),
          wanted.map(({ id }: { id: string }) => id),
          text,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('any text as a filter gets a list, or what is wrong with it', async () => {
    await fc.assert(
      fc.asyncProperty(scraps, fc.constantFrom('Users', 'Groups'), async (text, list) => {
        const { status, body } = await server.find(list as 'Users', text.toWellFormed());
        if (status !== 200)
          assert.deepEqual([status, body.scimType, body.status], [400, 'invalidFilter', '400']);
      }),
      { numRuns: 150 },
    );
  });

  it('knows every kind of attribute', async () => {
    const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const manager = await server.newUser({ title: 'Boss' });
    const user = await server.newUser({
      userName: 'Zoë@corp.example',
      externalId: 'Ext-1',
      name: { familyName: 'Zimmer"mann', givenName: 'Zoë' },
      title: 'Engineer',
      active: false,
      emails: [{ value: 'zoe@corp.example', type: 'work' }],
      phoneNumbers: [{ value: '+49 30 1', type: 'mobile' }],
      [urn]: { department: 'R&D', manager: { value: manager.id } },
    });
    await server.newGroup('Filtered', [user.id]);
    for (const [filter, isFound] of [
      ['userName eq "ZOË@corp.example"', true],
      ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "zo"', true],
      ['externalId eq "Ext-1"', true],
      ['externalId eq "ext-1"', false],
      [`id eq "${user.id}"`, true],
      ['name.familyName eq "zimmer\\"MANN"', true],
      ['NAME.FAMILYNAME ew "mann"', true],
      ['title co "gine" and not (title eq "Boss")', true],
      ['title gt "Enginee" and title le "engineer"', true],
      ['title lt "Engineer"', false],
      ['active eq false', true],
      ['active eq "False" and active ne true', true],
      ['emails eq "zoe@corp.example"', true],
      ['emails co "zoe"', true],
      ['emails.type eq "work"', true],
      ['emails[type eq "work" and value sw "zoe"]', true],
      ['emails[type eq "home"].value eq "zoe@corp.example"', false],
      ['phoneNumbers pr and nickName pr', false],
      ['phoneNumbers pr and name pr', true],
      ['addresses pr', false],
      [`${urn}:department eq "r&d"`, true],
      [`${urn}:manager.value eq "${manager.id}"`, true],
      [`${urn}:manager eq "${manager.id}"`, true],
      [`${urn}:division pr`, false],
      ['groups.display eq "filtered"', true],
      ['groups[display sw "fil"]', true],
      ['meta.created gt "2020-01-01T00:00:00Z"', true],
      ['meta.lastModified lt "2020-01-01T00:00:00+02:00"', false],
      ['meta.resourceType eq "Group"', false],
      ['nothing eq "x"', false],
      ['nothing ne "x" and title eq "engineer"', true],
      ['title eq null', false],
      ['nickName eq null and title ne null', true],
      ['urn:some:other:thing eq "x"', false],
    ] as const) {
      const { status, body } = await server.find('Users', `(${filter}) and externalId sw "Ext"`);
      assert.equal(status, 200, `${filter}: ${body.detail}`);
      assert.equal(body.totalResults, isFound ? 1 : 0, filter);
    }
    for (const [filter, isFound] of [
      ['displayName eq "FILTERED"', true],
      ['displayName co "ilter"', true],
      [`members eq "${user.id}"`, true],
      [`members.value eq "${user.id}"`, true],
      [`members[value eq "${user.id}" and type eq "User"]`, true],
      [`members eq "${manager.id}"`, false],
      ['externalId pr', false],
      ['members pr', true],
    ] as const) {
      const { body } = await server.find('Groups', filter);
      assert.equal(body.totalResults, isFound ? 1 : 0, filter);
    }
  });
});
