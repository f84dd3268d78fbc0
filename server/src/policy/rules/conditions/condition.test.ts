import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { RuleTarget, Subject } from '#domain';
import type { RuleFacts } from '../contract.ts';
import { compileCondition } from './condition.ts';

const ann: Subject = {
  userId: 'ann',
  groups: ['dev'],
  claims: { dept: 'legal', level: 3, roles: ['a', 'b'] },
  clientId: 'https://client.example/metadata.json',
};
const traits = {
  readOnly: false,
  destructive: true,
  idempotent: false,
  openWorld: true,
  operations: ['create'],
  serviceDomains: ['code'],
};
const target: RuleTarget = {
  id: 't1',
  projectId: 'default',
  sourceId: 'github',
  ruleName: 'GitHub.CreateIssue',
  traits,
};

function factsWith(given: object, more: Partial<RuleFacts> = {}): RuleFacts {
  const args = given as RuleFacts['args'];
  return { subject: ann, gateway: null, target, args, nowMs: Date.UTC(2026, 0, 1, 22, 30), ...more };
}

function compiled(text: string) {
  const condition = compileCondition(text);
  assert.ok(condition.ok, condition.ok ? '' : condition.error.message);
  return condition.value;
}

/** True, false, or in words why it could not be told. */
function verdict(text: string, args: object = {}, more: Partial<RuleFacts> = {}): boolean | string {
  const result = compiled(text).evaluate(factsWith(args, more));
  return result.ok ? result.value : result.error;
}

function refusedWith(text: string): string {
  const condition = compileCondition(text);
  assert.ok(!condition.ok, `${text.slice(0, 100)} was taken`);
  assert.equal(condition.error.code, 'request.params_invalid');
  assert.equal(condition.error.field, 'condition');
  assert.doesNotMatch(condition.error.message, /\n/);
  return condition.error.message;
}

const gateway = { slug: 'dev' } as RuleFacts['gateway'];

describe('a condition goes by', () => {
  const holds: Readonly<Record<string, string>> = {
    user: 'user == "ann" && user.startsWith("a")',
    groups: '"dev" in groups && !("ops" in groups)',
    claims: 'claims.dept == "legal" && claims["level"] >= 3 && "b" in claims.roles && !has(claims.x)',
    'the tool': 'tool.name == "GitHub.CreateIssue" && tool.source == "github"',
    'what the tool says of itself':
      '!tool.read_only && tool.destructive && !tool.idempotent && tool.open_world && "create" in tool.operations && "code" in tool.service_domains',
    'the client': 'client.startsWith("https://client.example/")',
    'the gateway': 'gateway == "dev"',
    'the time': 'time > timestamp("2025-12-31T00:00:00Z") && time.getHours() == 22',
    'the time somewhere': 'time.getHours("Europe/Vienna") == 23 && time.getDayOfWeek("Asia/Tokyo") == 5',
    'a length of time': 'time - timestamp("2026-01-01T00:00:00Z") > duration("22h")',
  };
  for (const [what, text] of Object.entries(holds))
    it(what, () => assert.equal(verdict(text, {}, { gateway }), true));

  it('no user, no client and no gateway as empty texts', () => {
    const nobody = { userId: null, groups: [], claims: {} };
    const text = 'user == "" && client == "" && gateway == "" && size(groups) == 0';
    assert.equal(verdict(text, {}, { subject: nobody }), true);
  });
  it('a prompt or a resource as what only reads', () => {
    const { traits: _, ...prompt } = target;
    assert.equal(verdict('tool.read_only && !tool.destructive', {}, { target: prompt }), true);
  });
});

describe('arguments in a condition', () => {
  const rows: readonly (readonly [string, object, boolean | string])[] = [
    ['arguments.amount > 1000', { amount: 1001 }, true],
    ['arguments.amount > 1000', { amount: 1000 }, false],
    ['arguments.amount > 1000', { amount: 1000.5 }, true],
    ['arguments.amount == 2', { amount: 2 }, true],
    ['arguments.amount == 2.5', { amount: 2.5 }, true],
    ['arguments.amount < 0', { amount: -1e300 }, true],
    ['arguments.amount in [1, 2, 3]', { amount: 2 }, true],
    ['arguments.x == null', { x: null }, true],
    ['arguments.x == null', { x: 'a' }, false],
    ['arguments.x == "a"', { x: null }, false],
    ['has(arguments.x)', { x: null }, true],
    ['has(arguments.x)', {}, false],
    ['has(arguments.x) && arguments.x > 1', {}, false],
    ['"x" in arguments', { x: 1 }, true],
    ['arguments.list == [1, 2]', { list: [1, 2] }, true],
    ['arguments.a == arguments.b', { a: { x: [1, { y: 2 }] }, b: { x: [1, { y: 2 }] } }, true],
    ['arguments.a == arguments.b', { a: { x: [1, { y: 2 }] }, b: { x: [1, { y: 3 }] } }, false],
    ['arguments.to.all(x, x.endsWith("@ours.com"))', { to: ['a@ours.com', 'b@ours.com'] }, true],
    ['arguments.to.all(x, x.endsWith("@ours.com"))', { to: ['a@ours.com', 'b@theirs.com'] }, false],
    ['arguments.rows.exists(r, r.kind == "x" && r.n > 1)', { rows: [{ kind: 'x', n: 2 }] }, true],
    ['arguments.rows.filter(r, r.n > 1).exists(r, r.n == 3)', { rows: [{ n: 2 }, { n: 3 }] }, true],
    ['arguments.labels.exists(name, name == "p")', { labels: { p: 1 } }, true],
    ['size(arguments.text) == 3 && arguments.text.lowerAscii() == "abc"', { text: 'ABC' }, true],
    ['arguments.text.matches("^[0-9]{3}-[0-9]{2}$")', { text: '123-45' }, true],
    ['arguments.text.matches("b")', { text: 'abc' }, true],
    ['arguments.dry_run', { dry_run: true }, true],
  ];
  for (const [text, args, expected] of rows)
    it(`${text} with ${JSON.stringify(args)}: ${expected}`, () =>
      assert.equal(verdict(text, args), expected));
});

describe('what cannot be told is an error, not a no', () => {
  const rows: readonly (readonly [string, object, RegExp])[] = [
    ['arguments.amount > 1000', {}, /^character 11: No such key: amount$/],
    ['arguments.amount > 1000', { amount: '2000' }, /^character 1: no such overload: /],
    ['!arguments.flag', { flag: 'yes' }, /^character 1: no such overload: /],
    ['arguments.flag', { flag: 'yes' }, /^did not come to true or false$/],
    ['claims.nope == 1', {}, /^character 8: No such key: nope$/],
    ['arguments.list[3] == 1', { list: [1] }, /^character 1: /],
    ['int(arguments.text) > 5', { text: 'abc' }, /^character 1: int conversion error$/],
  ];
  for (const [text, args, expected] of rows)
    it(`${text} with ${JSON.stringify(args)}`, () => assert.match(String(verdict(text, args)), expected));

  it('and it tells nothing of what was given', () => {
    const secret = { key: 'hunter2', text: 'hunter2' };
    for (const text of [
      'arguments[arguments.key] == 1',
      'bool(arguments.text)',
      'timestamp(arguments.text + "hunter2hunter2") == time',
      'arguments.text > 1',
      'time.getHours(arguments.text) == 1',
      'arguments.text.indexOf("h", 99) == 1',
    ]) {
      const told = verdict(text, secret);
      assert.equal(typeof told, 'string', text);
      assert.doesNotMatch(String(told), /hunter2/, text);
    }
  });
});

test('members that JavaScript gives a meaning are members like any other', () => {
  const args = JSON.parse(
    '{"constructor": "c", "__proto__": {"admin": true}, "o": {"constructor": null, "size": 7}}',
  );
  assert.equal(verdict('arguments["constructor"] == "c" && size(arguments) == 3', args), true);
  assert.equal(verdict('arguments["__proto__"].admin', args), true);
  assert.equal(verdict('arguments.o.size == 7 && arguments.o["constructor"] == null', args), true);
  for (const name of ['toString', 'hasOwnProperty', 'admin', 'get', 'size'])
    assert.equal(verdict(`has(arguments.${name}) || "${name}" in arguments`, args), false, name);
});

describe('refused when it is written', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['usr == "a"', 'condition: character 1: Unknown variable: usr'],
    ['user == usr', 'condition: character 9: Unknown variable: usr'],
    ['user ==\n  usr', 'condition: character 11: Unknown variable: usr'],
    ['tool.readonly', 'condition: character 6: No such key: readonly'],
    ['user', 'condition: character 1: is string, and must be bool'],
    ['1 + 1', 'condition: character 1: is int, and must be bool'],
    ['user > 1', 'condition: character 1: no such overload: string > int'],
    [
      'tool == "GitHub.CreateIssue"',
      'condition: character 1: no such overload: tool == string; its name is tool.name',
    ],
    ['a =', 'condition: character 3: Unexpected character: ='],
    ['"open', 'condition: character 1: Unterminated string'],
    ['user.matches("(a")', 'condition: character 14: error parsing regexp: missing closing ): `(a`'],
    [
      'user.matches("a(?=b)")',
      'condition: character 14: (?=…) looks around, which RE2 has not: match what stands there instead',
    ],
    ['user.matches(arguments.p)', 'condition: character 14: matches() takes a pattern written out as text'],
    ['[1].all(x, [x].all(y, y > 0))', 'condition: character 12: all() inside another macro takes too long'],
  ];
  for (const [text, message] of rows)
    it(JSON.stringify(text), () => assert.equal(refusedWith(text), message));

  it('what is nested, or long, without measure', () => {
    refusedWith('('.repeat(60));
    refusedWith(`${'!'.repeat(4000)}true`);
    refusedWith(`${'user == "a" || '.repeat(270)}true`);
    refusedWith(`user in [${'"a",'.repeat(900)}"b"]`);
  });
  it('what multiplies what was given', () => {
    refusedWith('[user].map(a, a + a).map(b, b + b).size() > 1');
    refusedWith('user.matches("(((a{10}){10}){10}){10}")');
    refusedWith('([user].map(a, a + a) + groups).all(b, b != "")');
    refusedWith('cel.bind(a, user + user, cel.bind(b, a + a, b == ""))');
    refusedWith('bytes(user).json().x == 1');
    refusedWith('duration(arguments.d) > duration("1h")');
  });
});

describe('a caller cannot hold everybody up', () => {
  it('with a text for a pattern that other engines stall on', () => {
    assert.equal(verdict('arguments.text.matches("^(a+)+$")', { text: `${'a'.repeat(1000)}!` }), false);
  });
  it('with two long lists that are compared', () => {
    const many = (name: string) => Array.from({ length: 100_000 }, (_, n) => `${name}${n}`);
    const told = verdict('arguments.a.all(x, !(x in arguments.b))', { a: many('a'), b: many('b') });
    assert.equal(told, 'took longer than 100 ms');
  });
  it('with lists in lists', () => {
    const list = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`);
    assert.equal(verdict('arguments.list == [[1]]', { list }), 'lists are nested too deeply');
  });
  it('and the next one is told as before', () => {
    assert.equal(verdict('arguments.a.all(x, x > 0)', { a: [1, 2] }), true);
  });
});

test('the claims that a condition goes by are known', () => {
  const text =
    'claims.dept == "x" && claims["level"] > 1 && "admin" in claims && has(claims.org.name) && user == "claims"';
  assert.deepEqual(compiled(text).claimNames.toSorted(), ['admin', 'dept', 'level', 'org']);
  assert.deepEqual(compiled('arguments.list.exists(x, x == claims.inner)').claimNames, ['inner']);
  assert.deepEqual(compiled('user == "a"').claimNames, []);
});

test('one condition is asked of many calls, and none leaves anything behind', () => {
  const condition = compiled('arguments.to.all(x, x == user)');
  const ask = (args: object) => condition.evaluate(factsWith(args));
  assert.deepEqual(ask({ to: ['ann'] }), { ok: true, value: true });
  assert.equal(ask({ to: 7 }).ok, false);
  assert.deepEqual(ask({ to: ['bob'] }), { ok: true, value: false });
  assert.deepEqual(ask({ to: ['ann', 'ann'] }), { ok: true, value: true });
});
