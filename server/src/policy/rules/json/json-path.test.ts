import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { everything, type JsonPath, type PathSegment, parseJsonPath } from './json-path.ts';
import { createPathSet, isSelected } from './path-states.ts';
import { walk } from './walk.ts';

function parse(text: string): JsonPath {
  const parsed = parseJsonPath(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

/** The same by the words of RFC 9535: which nodes each segment leads to. */
function selectedBy(path: JsonPath, root: unknown): string[] {
  type Node = { readonly value: unknown; readonly at: readonly (string | number)[] };
  const children = ({ value, at }: Node): Node[] =>
    value === null || typeof value !== 'object'
      ? []
      : Object.entries(value).map(([name, child]) => ({
          value: child,
          at: [...at, Array.isArray(value) ? Number(name) : name],
        }));
  const all = (node: Node): Node[] => [node, ...children(node).flatMap(all)];
  const select = (node: Node, { selectors }: PathSegment): Node[] =>
    children(node).filter(({ at }) => {
      const last = at.at(-1);
      const length = (node.value as unknown[]).length;
      return selectors.some(
        (one) =>
          one === everything || one === last || (typeof one === 'number' && one < 0 && last === length + one),
      );
    });
  let nodes: Node[] = [{ value: root, at: [] }];
  for (const segment of path.segments)
    nodes = (segment.descendant ? nodes.flatMap(all) : nodes).flatMap((node) => select(node, segment));
  return [...new Set(nodes.map(({ at }) => JSON.stringify(at)))].sort();
}

/** Those that lie in none of the others. */
function outermost(places: readonly string[]): string[] {
  const isIn = (place: string, other: string) =>
    place !== other && (other === '[]' || place.startsWith(`${other.slice(0, -1)},`));
  return places.filter((place) => !places.some((other) => isIn(place, other)));
}

describe('JSON paths', () => {
  test('select what RFC 9535 says that they select', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(names, tie('value'), { maxKeys: 3 }),
      ),
    }));
    const segments = [
      '.a',
      '.b',
      '.*',
      '[0]',
      '[-1]',
      '[-2]',
      '[*]',
      "['a','c']",
      '[0,-1]',
      '..a',
      '..*',
      '..[0]',
      "..['b', 1]",
    ];
    const path = fc
      .array(fc.constantFrom(...segments), { maxLength: 4 })
      .map((parts) => parse(`$${parts.join('')}`));
    fc.assert(
      fc.property(value, path, (root, one) => {
        const found: string[] = [];
        walk({ json: JSON.stringify(root), roots: null, at: '' }, createPathSet([one]), {
          mark: () => [],
          selected(states, trail) {
            if (isSelected(states, 0)) found.push(JSON.stringify(trail()));
            return null;
          },
          leaf: () => [],
        });
        assert.deepEqual(found.sort(), outermost(selectedBy(one, root)));
      }),
      { numRuns: 3000 },
    );
  });

  test('names in brackets know the escapes of JSON and both quotes', () => {
    const names = parse(`$['it\\'s']["a\\u00e9\\n"]['b"']..['c']`).segments.map(({ selectors }) => selectors);
    assert.deepEqual(names, [["it's"], ['aé\n'], ['b"'], ['c']]);
    assert.deepEqual(
      parse('$.naïve._x1').segments.map(({ selectors }) => selectors),
      [['naïve'], ['_x1']],
    );
    assert.deepEqual(parse("$[ 'a' , -1 ]").segments, [{ descendant: false, selectors: ['a', -1] }]);
  });

  for (const [text, at, message] of [
    ['customer.ssn', 0, /begins with \$: \$\.name at the top, \$\.\.name wherever/],
    ['$.', 2, /expected a name/],
    ['$customer', 1, /expected \. or \[/],
    ['$.a-b', 3, /expected \. or \[/],
    ['$.1a', 2, /expected a name/],
    ['$.a[', 4, /expected a name in quotes/],
    ['$.a[0', 5, /not closed/],
    ["$['a", 4, /not closed/],
    ["$['a'x]", 5, /expected , or \]/],
    ["$['\\x']", 3, /no escape/],
    ['$[01]', 2, /expected a name in quotes/],
    ['$[-0]', 2, /expected a name in quotes/],
    ['$[1:2]', 3, /slices/],
    ['$[:2]', 2, /slices/],
    ['$[?@.a]', 2, /filters/],
    ['$.[0]', 2, /brackets need no dot/],
    ['$...a', 3, /expected a name/],
    ['$ .a', 1, /expected \. or \[/],
    [`$${'.a'.repeat(29)}`, 57, /at most 28/],
  ] as const) {
    test(`${text.slice(0, 20)} is refused at character ${at + 1}`, () => {
      const parsed = parseJsonPath(text);
      assert.ok(!parsed.ok);
      assert.equal(parsed.error.at, at);
      assert.match(parsed.error.message, message);
    });
  }
});
