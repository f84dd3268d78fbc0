import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RuleRequest } from '@sallyport/contracts';
import type { Gateway, RuleTarget } from '#domain';
import { manualClock } from '#foundation';
import { changesAlone, openTestDatabase } from '../../../test/database.ts';
import { createEntries, type Entry, fixedEntries } from '../entries.ts';
import { createRules } from './rules.ts';
import { facts, type RulePart, ruleEntry, target } from './screen-once.ts';

const gateway = (slug: string) => ({ slug }) as Gateway;
const readOnly = {
  readOnly: true,
  destructive: false,
  idempotent: true,
  openWorld: false,
  operations: [],
  serviceDomains: ['email'],
};

describe('the rules of a target', () => {
  const match = { pattern: 'x' };
  const has = (part: Partial<RuleRequest>, at: RuleTarget = target, slug: string | null = null) =>
    createRules(fixedEntries([ruleEntry({ match, ...part })])).plan(
      'output',
      slug === null ? null : gateway(slug),
      at,
    ) !== null;

  test('are those of its direction, name, metadata and gateway that are enabled', () => {
    assert.ok(has({}));
    assert.ok(has({ tools: ['github.*'] }));
    assert.ok(!has({ tools: ['Slack.*'] }));
    assert.ok(!has({ direction: 'input' }));
    assert.ok(!has({ enabled: false }));
    assert.ok(has({ gateway: 'team' }, target, 'team'));
    assert.ok(!has({ gateway: 'team' }, target, 'other'));
    assert.ok(!has({ gateway: 'team' }));
    assert.ok(
      has({ metadata: { read_only: true, service_domains: ['e*'] } }, { ...target, traits: readOnly }),
    );
    assert.ok(!has({ metadata: { read_only: false } }, { ...target, traits: readOnly }));
    assert.ok(!has({}, { ...target, projectId: 'another' }));
  });

  test('are kept until a rule changes, and made anew where the target changed what it says of itself', () => {
    const rules = createRules(fixedEntries([ruleEntry({ match, metadata: { read_only: true } })]));
    const tool = { ...target, traits: readOnly };
    const plan = rules.plan('output', gateway('a'), tool);
    assert.notEqual(plan, null);
    assert.equal(rules.plan('output', gateway('a'), { ...tool }), plan);
    assert.equal(rules.plan('output', gateway('b'), tool), plan, 'the same rules are one plan');
    assert.equal(rules.plan('input', gateway('a'), tool), null);
    assert.equal(
      rules.plan('output', gateway('a'), { ...tool, traits: { ...readOnly, readOnly: false } }),
      null,
    );
    assert.equal(rules.plan('output', gateway('a'), { ...tool, projectId: 'another' }), null);
  });

  test('redact its outputs where one does that is enabled and enforced, whoever it is for', () => {
    const redact: RulePart = { match, action: 'redact', subjects: [{ user: 'ann' }], condition: 'false' };
    const concerned = (part: RulePart, slug: string | null = null) =>
      createRules(fixedEntries([ruleEntry({ ...redact, ...part })]))
        .redactions('default')
        ?.concern(slug === null ? null : gateway(slug), target);
    assert.equal(concerned({}), true);
    assert.equal(concerned({ mode: 'enforce', enabled: true }), true);
    assert.equal(concerned({ tools: ['Slack.*'] }), false);
    assert.equal(concerned({ gateway: 'team' }, 'team'), true);
    assert.equal(concerned({ gateway: 'team' }, 'other'), false);
    for (const part of [
      { mode: 'log_only' },
      { enabled: false },
      { direction: 'input' },
      { action: 'block' },
    ] as const) {
      assert.equal(concerned(part), undefined, JSON.stringify(part));
    }
    assert.equal(createRules(fixedEntries([ruleEntry(redact)])).redactions('another'), null);
  });

  test('act as soon as they are written, changed or removed', async (t) => {
    const db = await openTestDatabase();
    t.after(() => db.close());
    const kept = { db, changes: await changesAlone(db), clock: manualClock() };
    const entries = await createEntries<RuleRequest>(kept, 'rule');
    const rules = createRules(entries);
    const isBlocked = () => {
      const screening = rules
        .plan('output', null, target)
        ?.screen({ json: '["x"]', roots: null, at: '' }, facts);
      return screening !== undefined && screening.blocked !== null;
    };
    assert.ok(!isBlocked());
    const { id, definition } = await entries.create('default', ruleEntry({ match }).definition);
    assert.ok(isBlocked());
    await entries.replace('default', id, { ...definition, match: { pattern: 'y' } });
    assert.ok(!isBlocked());
    await entries.replace('default', id, definition);
    assert.ok(isBlocked());
    await entries.remove('default', id);
    assert.ok(!isBlocked());
  });

  test('name the claims that they go by, of subjects and conditions, of the project and enabled ones only', () => {
    const claim = (name: string) => ({ claim: { name, value: 'x' } });
    const entries: Entry<RuleRequest>[] = [
      ruleEntry({ match, subjects: [{ user: 'ann' }, claim('a')] }, 1),
      ruleEntry({ condition: 'claims.b == "x" || claims["c"] == "y"' }, 2),
      ruleEntry({ match, subjects: [claim('d')], enabled: false }, 3),
      { ...ruleEntry({ match, subjects: [claim('e')] }, 4), projectId: 'another' },
    ];
    assert.deepEqual([...createRules(fixedEntries(entries)).claimNames('default')].sort(), ['a', 'b', 'c']);
    assert.deepEqual([...createRules(fixedEntries(entries)).claimNames('another')], ['e']);
  });
});
