import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { detectors } from './detectors/detectors.ts';
import { parseJsonPath } from './json/json-path.ts';
import { withSecret, writtenJson } from './json/written-json.ts';
import { compilePattern, type Finder } from './pattern.ts';
import { createPrefilter, type Sought } from './prefilter.ts';
import { ruleEntry } from './screen-once.ts';
import { searched } from './search.ts';

const letters = fc.string({
  unit: fc.constantFrom(
    'a',
    'A',
    'b',
    '1',
    '2',
    '-',
    '"',
    '\\',
    '\n',
    '/',
    'é',
    ' ',
    '.',
    '{',
    '[',
    ':',
    '💶',
  ),
  maxLength: 6,
});
const atoms =
  `a b 1 - \\d \\d{2} \\w \\W . [ab] [^a] a+ (?:a|1) (a|b) \\b \\B ^ $ \\A \\z (?m)^ (?m)$ (?s). (?i)A \\Q.[\\E [\\]^$] [[:alpha:]]
  [^\\s"] \\" \\\\\\\\ / \\. \\x{e9} é \\pL 💶 :`.split(/\s+/);
const pattern = fc
  .array(fc.constantFrom(...atoms, '\n'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''))
  .map(compilePattern)
  .filter((compiled) => compiled.ok)
  .map(({ value }) => value as Finder);
const path = fc
  .array(
    fc.constantFrom(
      '.a',
      "['a-b']",
      "['é','b']",
      '[0]',
      '[-1]',
      '[*]',
      '.*',
      '..a',
      '..*',
      "['\\\\']",
      "['\"']",
    ),
    {
      maxLength: 3,
    },
  )
  .map((segments) => parseJsonPath(`$${segments.join('')}`))
  .map((parsed) => (parsed.ok ? parsed.value : null));
const finder = fc.oneof(pattern, fc.constantFrom(...Object.values(detectors)));
const sought: fc.Arbitrary<Sought> = fc.oneof(
  fc.record({ finder, path: fc.constant(null) }),
  fc.record({ finder: fc.constant(null), path: path.filter((one) => one !== null) }),
  fc.record({ finder, path }),
);
const secrets = fc.constantFrom(
  '123-45-6789',
  '4111 1111 1111 1111',
  'a@b.co',
  '+14155552671',
  'phone: 4155552671',
  'DE89370400440532013000',
  'a"b\\n1',
  `token: "${'x7Kq'.repeat(3)}9aBcDeFg"`,
);

/** Whether a look at everything finds something. */
function isFound(json: string, one: Sought, roots: readonly string[] | null): boolean {
  const [hits] = searched({ json, roots, at: '' }, [{ entry: ruleEntry({}), sought: one }]);
  return hits !== undefined && hits.count > 0;
}

describe('the fast look at a document', () => {
  test('passes over nothing that a look at everything finds, whatever the patterns, paths, escapes and texts in texts', () => {
    let found = 0;
    fc.assert(
      fc.property(
        writtenJson(letters, true),
        secrets,
        fc.array(sought, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(null, ['a']),
        (written, secret, all, roots) => {
          const json = withSecret(written, secret, '123456789');
          const candidates = createPrefilter(all).candidates(json);
          if (candidates === null) return;
          for (const [nth, one] of all.entries()) {
            if (!isFound(json, one, roots)) continue;
            found++;
            assert.ok(candidates.includes(nth), `${one.finder?.hint} ${JSON.stringify(one.path)} in ${json}`);
          }
        },
      ),
      { numRuns: 800 },
    );
    assert.ok(found > 80, `the documents of this test hold too little: ${found}`);
  });

  test('passes over what holds nothing, also where it is written with escapes', () => {
    const all = Object.values(detectors).map((one): Sought => ({ finder: one, path: null }));
    const { candidates } = createPrefilter(all);
    const value = { title: 'Fix the "login" page', at: '2024-01-01T10:00:00Z', count: 3, tags: ['a\nb'] };
    assert.deepEqual(candidates(JSON.stringify(value)), []);
    assert.deepEqual(candidates(JSON.stringify({ content: [{ text: JSON.stringify(value) }] })), []);
  });

  test('only the rules whose pattern and path may both be there are looked at', () => {
    const compiled = (text: string) => (compilePattern(text) as { value: Finder }).value;
    const parsed = parseJsonPath('$.note');
    assert.ok(parsed.ok);
    const { candidates } = createPrefilter([
      { finder: compiled('^abc$'), path: null },
      { finder: compiled('xyz'), path: null },
      { finder: compiled('abc'), path: parsed.value },
      { finder: null, path: parsed.value },
    ]);
    assert.deepEqual(candidates('{"a":"abc"}'), [0]);
    assert.deepEqual(candidates('{"note" : "abc"}'), [0, 2, 3]);
    assert.deepEqual(candidates('{"n\\u006fte":"\\u0061bc"}'), [0, 2, 3]);
    assert.equal(candidates('{"blob":"YWJj"}'), null, 'base64 must be read');
  });
});
