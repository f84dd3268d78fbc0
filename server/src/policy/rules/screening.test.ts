import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RulePart, screenOnce } from './screen-once.ts';

const ssn = '123-45-6789';
const roots = ['structuredContent', '_meta'];
describe('screening', () => {
  test('what only logs changes nothing and tells what it would have done', () => {
    const json = `{"note":"${ssn}"}`;
    for (const [action, outcome] of [
      ['block', 'would_block'],
      ['redact', 'would_redact'],
      ['approve', 'would_hold'],
    ] as const) {
      const { traces, ...screening } = screenOnce(
        [{ direction: 'input', action, mode: 'log_only', match: { detector: 'ssn' } }],
        json,
        { at: 'arguments' },
      );
      assert.deepEqual(screening, { json: null, blocked: null, held: [] });
      assert.deepEqual(traces, [
        { id: 'rule_0', name: 'Rule 0', outcome, count: 1, places: ['arguments.note'] },
      ]);
    }
  });

  test('a rule that asks for an approval holds what it matches', () => {
    const rule = { direction: 'input', action: 'approve', match: { path: '$.amount' } } as const;
    const held = screenOnce([rule], '{"amount":5}', { at: 'arguments' });
    assert.deepEqual(
      held.held.map(({ id }) => id),
      ['rule_0'],
    );
    assert.deepEqual([held.blocked, held.json, held.traces[0]?.outcome], [null, null, 'held']);
    assert.deepEqual(screenOnce([rule], '{"sum":5}').held, []);
  });

  test('a rule is about the subjects that it names, and only where its condition holds', () => {
    const json = `["${ssn}"]`;
    const match = { detector: 'ssn' } as const;
    const isBlocked = (part: RulePart) => screenOnce([{ match, ...part }], json).blocked !== null;
    assert.ok(isBlocked({ subjects: [{ group: 'support' }] }));
    assert.ok(isBlocked({ subjects: [{ user: 'bob' }, { claim: { name: 'department', value: 'sales' } }] }));
    assert.ok(!isBlocked({ subjects: [{ user: 'bob' }] }));
    assert.ok(isBlocked({ condition: 'tool.name == "Github.GetIssue"' }));
    assert.ok(!isBlocked({ condition: 'user == "bob"' }));
    assert.ok(isBlocked({ subjects: [{ user: 'ann' }], condition: '"support" in groups' }));
  });

  test('a rule without a match is about the whole', () => {
    const rule = { direction: 'input', condition: 'arguments.amount > 100.0' } as const;
    const blocked = screenOnce([rule], '{"amount":500}', {
      at: 'arguments',
      facts: { args: { amount: 500 } },
    });
    assert.deepEqual(blocked.traces[0]?.places, ['arguments']);
    assert.notEqual(blocked.blocked, null);
    assert.equal(screenOnce([rule], '{"amount":5}', { facts: { args: { amount: 5 } } }).blocked, null);
  });

  test('a block names the rule and what to do to the caller, and to the audit rule, count and places; the value to nobody', () => {
    const json = JSON.stringify({ note: `my ssn is ${ssn}`, other: [ssn] });
    const rule = { name: 'No SSNs', direction: 'input', match: { detector: 'ssn' } } as const;
    const { blocked } = screenOnce([rule], json, { at: 'arguments' });
    assert.equal(
      blocked?.message,
      'the rule "No SSNs" of this gateway does not let this in, so nothing was run: take out what the rule is about, then call again',
    );
    assert.equal(
      blocked?.reason,
      'rule "No SSNs" (rule_0) matches at 2 places: arguments.note, arguments.other[0]',
    );
    assert.equal(
      screenOnce([{ ...rule, message: 'Use the HR tool.' }], json).blocked?.message,
      'Use the HR tool.',
    );
    assert.ok(!JSON.stringify(screenOnce([rule], json)).includes(ssn));
  });

  test('places are dotted, tell of texts in texts, and never name a find', () => {
    const customer = { 'e-mail': ssn, 'a b': ssn, list: [[ssn]], [ssn]: { x: ssn }, ['n'.repeat(65)]: ssn };
    const json = JSON.stringify({
      content: [{ type: 'text', text: JSON.stringify({ customer, again: JSON.stringify([ssn]) }) }],
      structuredContent: { s: ssn },
    });
    const { traces } = screenOnce([{ action: 'redact', match: { detector: 'ssn' } }], json, { roots });
    assert.equal(traces[0]?.count, 8);
    assert.deepEqual(traces[0]?.places, [
      'content[0].text → $.customer.e-mail',
      'content[0].text → $.customer["a b"]',
      'content[0].text → $.customer.list[0][0]',
      'content[0].text → $.customer.*',
      'content[0].text → $.customer.*.x',
      'content[0].text → $.again → $[0]',
      'structuredContent.s',
    ]);
    const taken = screenOnce(
      [{ action: 'redact', match: { path: '$.id' } }],
      '{"id":"secret-7","x":{"secret-7":{"id":"more"}}}',
    );
    assert.deepEqual(taken.traces[0]?.places, ['id']);
    const inside = screenOnce(
      [{ action: 'redact', match: { path: '$..id' } }],
      '{"id":"secret-7","x":{"secret-7":{"id":"more"}}}',
    );
    assert.deepEqual(inside.traces[0]?.places, ['id', 'x.*.id']);
  });

  test('a path with a pattern looks only there, and paths begin at the roots and anew in texts', () => {
    const rule = { action: 'redact', match: { path: '$.note', pattern: 'x+' } } as const;
    const json = JSON.stringify({
      content: [{ type: 'text', text: '{"note":"1x","other":"xx"}', note: 'x' }],
      structuredContent: { note: ['xx', { deep: 'x1' }], other: 'x' },
      _meta: { note: 3 },
    });
    assert.equal(
      screenOnce([{ ...rule, replacement: '-' }], json, { roots }).json,
      JSON.stringify({
        content: [{ type: 'text', text: '{"note":"1-","other":"xx"}', note: 'x' }],
        structuredContent: { note: ['-', { deep: '-1' }], other: 'x' },
        _meta: { note: 3 },
      }),
    );
  });

  test('every member of a name that is repeated is looked at', () => {
    const { json } = screenOnce([{ action: 'redact', match: { path: '$.a' } }], '{"a":"x1","b":2,"a":"x2"}');
    assert.equal(json, '{"a":"[redacted]","b":2,"a":"[redacted]"}');
    const structured = `{"structuredContent":{"a":1},"structuredContent":{"a":"${ssn}"}}`;
    assert.notEqual(
      screenOnce([{ match: { path: '$.a', detector: 'ssn' } }], structured, { roots }).blocked,
      null,
    );
  });
});

describe('a rule that cannot be evaluated', () => {
  const screen = (part: RulePart, json: string) =>
    screenOnce([{ match: { pattern: 'x+' }, action: 'redact', ...part }], json);
  const nested = (levels: number): string => {
    let text = '["xx"]';
    for (let level = 0; level < levels; level++) text = JSON.stringify([text]);
    return text;
  };

  for (const [what, part, json, error] of [
    [
      'a pattern that does not compile',
      { match: { pattern: '(' } },
      '[]',
      /^match\.pattern: character 2: missing closing \)$/,
    ],
    ['a path that does not compile', { match: { path: '$.' } }, '[]', /^match\.path: character 3: /],
    ['a condition that does not compile', { condition: 'user ==' }, '[]', /^condition: /],
    ['a condition that fails', { condition: 'claims.none == "x"' }, '["x"]', /^the condition: /],
    ['a document that is too large', {}, `["${'a'.repeat(16 * 1024 * 1024)}"]`, /^it is larger than 16 MiB$/],
    [
      'a document that is too large in bytes',
      {},
      `["${'€'.repeat(6 * 1024 * 1024)}"]`,
      /^it is larger than 16 MiB$/,
    ],
    ['texts that lie too deep in texts', {}, nested(10), /^texts lie in texts deeper than 8 levels$/],
    [
      'lists that lie too deep in lists',
      {},
      `["x",${'['.repeat(1001)}${']'.repeat(1001)}]`,
      /^it is nested deeper than 1000 levels$/,
    ],
  ] as const) {
    test(`blocks, and says why: ${what}`, () => {
      const { blocked, traces, json: told } = screen(part as RulePart, json);
      assert.equal(told, null);
      assert.match(String(blocked?.reason), /^rule "Rule 0" \(rule_0\) could not be evaluated: /);
      assert.match(String(blocked?.message), /^the rule "Rule 0" of this gateway could not be evaluated/);
      assert.equal(traces[0]?.outcome, 'blocked');
      assert.match(String(traces[0]?.error), error);
      const logged = screen({ ...(part as RulePart), mode: 'log_only' }, json);
      assert.equal(logged.blocked, null);
      assert.equal(logged.traces[0]?.error, traces[0]?.error);
      assert.equal(screen({ ...(part as RulePart), subjects: [{ user: 'bob' }] }, json).blocked, null);
    });
  }

  test('texts in texts as deep as is read are read', () => {
    assert.equal(screen({}, nested(8)).json, nested(8).replace('xx', '[redacted]'));
  });
});
