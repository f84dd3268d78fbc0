import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlobs } from './glob.ts';

test('exact names and globs match whatever the case', () => {
  const globs = compileGlobs(['Github.*', 'Slack.Send?', 'Math.Add']);
  for (const name of ['Github.CreateIssue', 'github.x', 'slack.send1', 'MATH.ADD', 'Github.']) {
    assert.equal(globs.matches(name), true, name);
  }
  for (const name of ['Githubs.CreateIssue', 'Slack.Send', 'Slack.Send12', 'Math.Add2', '']) {
    assert.equal(globs.matches(name), false, name);
  }
});

test('a letter that is written in another way at the end of a word is the same letter', () => {
  for (const glob of ['ΣΑΣ*', 'σας*', 'ΣΑΣΑ']) {
    assert.equal(compileGlobs([glob]).matches('σασα'), true, glob);
    assert.equal(compileGlobs([glob]).matches('ΣΑΣΑ'), true, glob);
  }
});

test('where letter case counts, another case is another name', () => {
  const globs = compileGlobs(['alice', 'Bob*'], 'exact');
  assert.deepEqual(
    ['alice', 'ALICE', 'Bobby', 'bobby'].map((name) => globs.matches(name)),
    [true, false, true, false],
  );
});

test('an empty list matches nothing', () => {
  assert.equal(compileGlobs([]).matches('Github.CreateIssue'), false);
});

test('characters that mean something in a regular expression mean themselves', () => {
  assert.equal(compileGlobs(['a.b*']).matches('axb'), false);
  assert.equal(compileGlobs(['(a+)+$']).matches('(a+)+$'), true);
});

test('a glob matches exactly what the same regular expression matches', () => {
  const piece = fc.constantFrom('a', 'b', '.', '*', '?');
  const letter = fc.constantFrom('a', 'b', '.');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(letter, { maxLength: 8 }), (pattern, name) => {
      const source = pattern.map((char) =>
        char === '*' ? '.*' : char === '?' ? '.' : char === '.' ? '\\.' : char,
      );
      const expected = new RegExp(`^${source.join('')}$`).test(name.join(''));
      assert.equal(compileGlobs([pattern.join('')]).matches(name.join('')), expected);
    }),
  );
});

test('a pattern of many stars against a long name ends at once', () => {
  assert.equal(compileGlobs([`${'*a'.repeat(30)}b`]).matches('a'.repeat(5000)), false);
});
