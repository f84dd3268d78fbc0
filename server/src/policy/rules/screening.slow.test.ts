import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../../test/any-character.ts';
import { withSecret, writtenJson } from './json/written-json.ts';
import { type RulePart, ruleEntry, screenOnce } from './screen-once.ts';

const ssn = '123-45-6789';
const roots = ['structuredContent', '_meta'];
const letters = fc.string({
  unit: fc.constantFrom('a', '1', '-', '"', '\\', '\n', 'é', '@', '.'),
  maxLength: 6,
});

const parts: readonly RulePart[] = [
  { match: { detector: 'ssn' } },
  { match: { detector: 'ssn' }, action: 'redact' },
  { match: { detector: 'ssn' }, mode: 'log_only' },
  { match: { detector: 'email' }, action: 'redact' },
  { match: { pattern: '[0-9]' } },
  { match: { pattern: '^.+$' }, action: 'redact', replacement: '' },
  { match: { path: '$..a' }, action: 'redact' },
  { match: { path: '$.*', pattern: 'a' } },
  { match: { path: '$[0]' }, action: 'redact', mode: 'log_only' },
  { match: { pattern: 'a' }, condition: 'user == "bob"' },
  { match: { pattern: 'a' }, condition: 'claims.none == "x"' },
  { match: { pattern: '1' }, action: 'redact', subjects: [{ group: 'nobody' }] },
  { match: { pattern: '(' }, action: 'redact', mode: 'log_only' },
  { condition: 'user == "bob"' },
];

describe('screening', () => {
  test('no order of rules, and no other rule, turns a block into an allow', () => {
    let blocked = 0;
    fc.assert(
      fc.property(
        writtenJson(letters, true),
        fc.shuffledSubarray(
          parts.map((part, nth) => ruleEntry(part, nth)),
          { minLength: 1 },
        ),
        (written, entries) => {
          const json = withSecret(written, ssn, '123456789');
          const alone = entries.filter((entry) => screenOnce([entry], json).blocked !== null);
          const together = screenOnce(entries, json);
          assert.equal(together.blocked?.rule.id ?? null, alone[0]?.id ?? null);
          if (together.blocked !== null) blocked++;
          assert.ok(together.json === null || together.blocked === null);
        },
      ),
      { numRuns: 250 },
    );
    assert.ok(blocked > 25, `too few documents of this test are blocked: ${blocked}`);
  });

  test('no JSON text makes it throw', () => {
    const rules = parts.map((part, nth) => ruleEntry(part, nth));
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.json({ stringUnit: anyCharacter, maxDepth: 6 })),
        fc.boolean(),
        (json, isAnswer) => {
          screenOnce(rules, json, { roots: isAnswer ? roots : null });
        },
      ),
      { numRuns: 250 },
    );
    for (const json of [
      '""',
      '0',
      'null',
      '[]',
      '{}',
      ' [ ] ',
      '"\\ud800"',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
    ])
      screenOnce(rules, json);
  });

  test('a pattern that is slow on a document made for it blocks after a while, and works again on the next', () => {
    const part = { match: { pattern: '(?:a+b)|a' } };
    const rules = [ruleEntry({ ...part, action: 'redact' })];
    const { blocked } = screenOnce(rules, `["${'a'.repeat(1_000_000)}"]`);
    assert.match(String(blocked?.reason), /could not be evaluated: it took longer than 2000 ms$/);
    assert.equal(screenOnce(rules, '["xa"]').json, '["x[redacted]"]');
  });
});
