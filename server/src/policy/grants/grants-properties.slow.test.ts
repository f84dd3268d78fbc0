import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { GrantRequest, SubjectSelector } from '@sallyport/contracts';
import fc from 'fast-check';
import type { Gateway, RuleTarget, Subject, ToolTraits } from '#domain';
import type { Db } from '#storage';
import { openTestDatabase } from '../../../test/database.ts';
import { grantsUnderTest, projectId, sampleGateway, sampleSubject, sampleTarget } from './sample-grants.ts';

/** The same promise, written as plainly as can be. */
function referenceAllows(
  grants: readonly GrantRequest[],
  nowMs: number,
  subject: Subject,
  gateway: Gateway | null,
  target: RuleTarget,
): boolean {
  const acting = grants.filter(
    (grant) =>
      (grant.expires_at == null || Date.parse(grant.expires_at) > nowMs) &&
      (grant.gateway == null || grant.gateway === gateway?.slug) &&
      grant.tools.some((glob) => regExpOf(glob).test(target.ruleName)) &&
      fitsMetadata(grant.metadata ?? {}, target.traits) &&
      isFor(grant.subject, subject),
  );
  if (acting.some(({ effect }) => effect === 'deny')) return false;
  return gateway?.access !== 'granted' || acting.length > 0;
}

function regExpOf(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.\\+^$()|{}[\]/-]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'is');
}

function fitsMetadata(wanted: NonNullable<GrantRequest['metadata']>, traits?: ToolTraits): boolean {
  const has = traits ?? { readOnly: true, destructive: false, operations: [] };
  return (
    (wanted.read_only ?? has.readOnly) === has.readOnly &&
    (wanted.destructive ?? has.destructive) === has.destructive &&
    (wanted.operations === undefined ||
      wanted.operations.some((glob) => has.operations.some((name) => regExpOf(glob).test(name))))
  );
}

function isFor(selector: SubjectSelector, { userId, groups, claims }: Subject): boolean {
  if ('everyone' in selector) return true;
  if ('user' in selector) return userId === selector.user;
  if ('group' in selector) return groups.includes(selector.group);
  const held = Object.entries(claims).find(([name]) => name === selector.claim.name)?.[1];
  return held === selector.claim.value || (Array.isArray(held) && held.includes(selector.claim.value));
}

const word = fc.constantFrom('a', 'b', '1', 'toString');
const value = fc.oneof(word, fc.constantFrom(1, true));
const selector: fc.Arbitrary<SubjectSelector> = fc.oneof(
  fc.record({ user: word }),
  fc.record({ group: word }),
  fc.record({ claim: fc.record({ name: word, value }) }),
  fc.constant({ everyone: true } as const),
);
const subjects = fc.record({
  userId: fc.option(word),
  groups: fc.array(word, { maxLength: 3 }),
  claims: fc.dictionary(word, fc.oneof(value, fc.array(value, { maxLength: 3 }))),
});

const globs = fc
  .array(fc.constantFrom('Kit', 'kit', 'Kat', '.', '.', 'a', 'B', 'ab', '*', '*', '?'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pieces) => pieces.join(''));
const names = fc
  .tuple(fc.constantFrom('Kit', 'Kat', 'KitB', 'x/Kit'), fc.stringMatching(/^[aAbB.*]{0,4}$/))
  .map(([toolkit, tool]) => `${toolkit}.${tool}`);
const traits = fc.record({
  readOnly: fc.boolean(),
  destructive: fc.boolean(),
  idempotent: fc.constant(false),
  openWorld: fc.constant(true),
  operations: fc.subarray(['read', 'create']),
  serviceDomains: fc.constant([]),
});
const targets = fc.tuple(names, fc.option(traits)).map(([ruleName, said]) => sampleTarget(ruleName, said));

const metadata = fc.record(
  {
    read_only: fc.boolean(),
    destructive: fc.boolean(),
    operations: fc.constantFrom<string[][]>(['READ'], ['c*'], ['read', 'create']),
  },
  { requiredKeys: [] },
);
const gateways = fc.constantFrom(
  null,
  sampleGateway('one', 'granted'),
  sampleGateway('one', 'open'),
  sampleGateway('two', 'granted'),
);
/** A grant that expires so long after it is laid down. */
type Draft = Omit<GrantRequest, 'expires_at'> & { readonly expiresInMs?: number };

const drafts: fc.Arbitrary<Draft> = fc.record(
  {
    subject: selector,
    tools: fc.array(globs, { minLength: 1, maxLength: 3 }),
    effect: fc.constantFrom('allow', 'allow', 'deny'),
    metadata,
    gateway: fc.constantFrom(null, 'one', 'two'),
    expiresInMs: fc.constantFrom(1, 300, 2000),
  },
  { requiredKeys: ['subject', 'tools', 'effect'] },
);

function grantOf({ expiresInMs, ...grant }: Draft, nowMs: number): GrantRequest {
  if (expiresInMs === undefined) return grant;
  return { ...grant, expires_at: new Date(nowMs + expiresInMs).toISOString() };
}

describe('for any grants, subjects, gateways and tools', () => {
  let db: Db;
  before(async () => {
    db = await openTestDatabase();
  });
  after(() => db.close());

  const asked = fc.array(fc.tuple(subjects, gateways), { minLength: 1, maxLength: 4 });
  const list = fc.array(targets, { maxLength: 100, size: 'max' });

  test('the list is the set of what may be used, by the plain reference, through changes and expiry', async () => {
    const states = fc.array(
      fc.record({ grants: fc.array(drafts, { maxLength: 8 }), laterMs: fc.constantFrom(0, 1, 299, 1700) }),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(states, asked, list, async (sequence, askers, items) => {
        const { grants, clock, put } = await grantsUnderTest(db);
        let laid: readonly GrantRequest[] = [];
        const check = () => {
          for (const [subject, gateway] of askers) {
            const expected = items.map((item) => referenceAllows(laid, clock.now(), subject, gateway, item));
            const left = grants.filter(subject, gateway, items, (item) => item);
            assert.deepEqual(
              items.map((item) => grants.decide(subject, gateway, item).allowed),
              expected,
            );
            assert.deepEqual(
              left,
              items.filter((_, index) => expected[index]),
            );
            if (left.length === items.length) assert.equal(left, items);
          }
        };
        for (const state of sequence) {
          laid = state.grants.map((draft) => grantOf(draft, clock.now()));
          put(...laid);
          check();
          clock.advance(state.laterMs);
          check();
        }
        grants.close();
      }),
      { numRuns: 60 },
    );
  });

  test('one grant that denies is enough, in whatever order they are laid down, and it is the one that is named', async () => {
    const inAnyOrder = fc
      .tuple(fc.array(drafts, { maxLength: 8 }), targets, subjects, gateways)
      .chain(([others, target, subject, gateway]) => {
        const deny: Draft = { subject: { everyone: true }, tools: [target.ruleName], effect: 'deny' };
        const all = [...others, deny];
        return fc.tuple(
          fc.shuffledSubarray(all, { minLength: all.length }),
          fc.constant({ target, subject, gateway }),
        );
      });
    await fc.assert(
      fc.asyncProperty(inAnyOrder, async ([shuffled, { target, subject, gateway }]) => {
        const { grants, clock, entries, put } = await grantsUnderTest(db);
        put(...shuffled.map((draft) => grantOf(draft, clock.now())));
        const { allowed, grantIds } = grants.decide(subject, gateway, target);
        assert.equal(allowed, false);
        assert.equal(grantIds.length, 1);
        const named = entries.get(projectId, grantIds[0] as string)?.definition as GrantRequest;
        assert.equal(named.effect, 'deny');
        assert.equal(referenceAllows([named], clock.now(), subject, gateway, target), false);
        grants.close();
      }),
    );
  });

  test('an explanation names what allows or denies whenever there is anything that does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(drafts, { maxLength: 8 }),
        subjects,
        gateways,
        targets,
        async (laid, subject, gateway, target) => {
          const { grants, clock, put } = await grantsUnderTest(db);
          put(...laid.map((draft) => grantOf(draft, clock.now())));
          clock.advance(1);
          const acting = grants.explain(subject, gateway, target).filter(({ matches }) => matches);
          const { allowed, grantIds } = grants.decide(subject, gateway, target);
          const effects = acting.map(({ grant }) => grant.definition.effect);
          const expected = effects.includes('deny')
            ? false
            : gateway?.access !== 'granted' || effects.includes('allow');
          assert.equal(allowed, expected);
          for (const id of grantIds) assert.ok(acting.some(({ grant }) => grant.id === id));
          grants.close();
        },
      ),
    );
  });

  test('after every change the grants are what they are after a restart', async () => {
    const sequence = fc.array(fc.array(drafts, { maxLength: 8 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(sequence, async (states) => {
        const changed = await grantsUnderTest(db);
        const fresh = await grantsUnderTest(db);
        for (const state of states) changed.put(...state.map((draft) => grantOf(draft, changed.clock.now())));
        fresh.put(...(states.at(-1) as Draft[]).map((draft) => grantOf(draft, fresh.clock.now())));
        for (const { clock } of [changed, fresh]) clock.advance(300);
        assert.equal(changed.grants.fingerprint(), fresh.grants.fingerprint());
        assert.deepEqual(changed.grants.claimNames(projectId), fresh.grants.claimNames(projectId));
        for (const { grants } of [changed, fresh]) grants.close();
      }),
    );
  });
});

test('a user who is given one tool of many is shown that one, wherever it stands', async (t) => {
  const db = await openTestDatabase();
  t.after(() => db.close());
  const { grants, put } = await grantsUnderTest(db);
  t.after(grants.close);
  const items = Array.from({ length: 300 }, (_, n) =>
    sampleTarget(`Kit${(n * 7) % 11}.Tool${(n * 13) % 300}`),
  );
  const gateway = sampleGateway('one', 'granted');
  for (const item of items) {
    put({ subject: { user: 'alice' }, tools: [item.ruleName.toUpperCase()], effect: 'allow' });
    assert.deepEqual(
      grants.filter(sampleSubject('alice'), gateway, items, (target) => target),
      [item],
    );
  }
});
