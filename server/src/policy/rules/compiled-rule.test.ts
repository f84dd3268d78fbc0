import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RuleRequest } from '@sallyport/contracts';
import { checkRule } from './compiled-rule.ts';
import { ruleEntry } from './screen-once.ts';

describe('a rule is checked when it is written', () => {
  const refused = (part: Partial<RuleRequest>) => {
    const refusal = checkRule(ruleEntry(part).definition);
    assert.ok(refusal !== null, JSON.stringify(part));
    assert.equal(refusal.code, 'request.params_invalid');
    return [refusal.field, refusal.message];
  };

  for (const [pattern, message] of [
    ['(a', 'character 3: missing closing )'],
    ['a**', 'character 2: invalid nested repetition operator: **'],
    ['a\\', 'character 2: trailing backslash at end of expression'],
    ['[z-a]', 'character 2: invalid character class range: z-a'],
    ['a{1001}', 'character 2: invalid repeat count: {1001}'],
    ['user(?=name)', 'character 5: (?=…) looks around, which RE2 has not: match what stands there instead'],
    ['(?<!a)b', 'character 1: (?<!…) looks around, which RE2 has not: match what stands there instead'],
    ['(?>a)', 'character 1: (?>…) is an atomic group, which RE2 has not'],
    ['(a)\\1', 'character 4: \\1 refers back to a group, which RE2 has not'],
    ['a*', 'character 1: matches the empty text, so it would match everywhere'],
    ['^', 'character 1: matches the empty text, so it would match everywhere'],
    ['\\b', 'character 1: matches without taking a character, so it would match everywhere'],
    ['(?:[a-z]{100}x){30}', 'character 16: invalid repeat count: {30}'],
    ['[a-z]{1000}'.repeat(6), 'character 1: is too large: 6002 steps, of 5000'],
  ] as const) {
    test(`the pattern ${pattern.slice(0, 30)}`, () => {
      assert.deepEqual(refused({ match: { pattern } }), ['match.pattern', `match.pattern: ${message}`]);
    });
  }

  test('brackets and quotes in a pattern are not taken for what they are not', () => {
    for (const pattern of [
      '[(?=]x',
      '\\Q(?=\\1\\E',
      '[\\]\\\\](a)',
      '\\\\1',
      '[[:alpha:]]+',
      '(?P<n>a)',
      '(?<n>a)',
      '(?i)x',
    ])
      assert.equal(checkRule(ruleEntry({ match: { pattern } }).definition), null, pattern);
  });

  test('the path, and the condition', () => {
    const path = refused({ match: { path: '$.a[1:2]', detector: 'ssn' } });
    assert.deepEqual(path, ['match.path', 'match.path: character 6: slices are not supported']);
    const [field, message] = refused({ condition: 'user ==' });
    assert.equal(field, 'condition');
    assert.match(String(message), /^condition: character \d+: /);
  });

  test('a rule without mistakes passes', () => {
    const match = { path: '$..customer[*]', detector: 'payment_card' } as const;
    assert.equal(checkRule(ruleEntry({ match, condition: 'user == "ann"' }).definition), null);
  });
});
