import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { applyEdits } from './apply-edits.ts';
import { type Edits, insertItem, setValue } from './yaml-edit.ts';
import { readYamlFile, type YamlDocument, type YamlPath } from './yaml-file.ts';
import { removeValue } from './yaml-remove.ts';

const documentOf = (text: string): YamlDocument => {
  const document = readYamlFile('a.yaml', text).documents[0];
  assert.ok(document);
  return document;
};

const edited = (text: string, edit: (document: YamlDocument) => Edits): string => {
  const edits = edit(documentOf(text));
  assert.ok(edits, 'it can be edited');
  return applyEdits(text, edits);
};

test('a key is added in the style of its neighbours, comments and spacing kept', () => {
  const text = 'metadata: # about\n    labels:\n        app:   x   # old\n\n    # the end\nspec: {a: b}\n';
  assert.equal(
    edited(text, (document) => setValue(document, ['metadata', 'labels', 'tier'], 'back')),
    'metadata: # about\n    labels:\n        app:   x   # old\n        tier: back\n\n    # the end\nspec: {a: b}\n',
  );
  assert.equal(
    edited(text, (document) => setValue(document, ['spec', 'c'], 'yes')),
    text.replace('{a: b}', '{a: b, c: "yes"}'),
  );
  assert.equal(
    edited(text, (document) => setValue(document, ['metadata', 'labels', 'app'], 'z')),
    text.replace('app:   x', 'app:   z'),
  );
});

test('mappings that are missing on the way are made', () => {
  const edit = (document: YamlDocument) =>
    setValue(document, ['spec', 'template', 'metadata', 'labels', 'a'], 'b', 'first');
  assert.equal(
    edited('spec:\n  template:\n    spec: {}\n', edit),
    'spec:\n  template:\n    metadata:\n      labels:\n        a: b\n    spec: {}\n',
  );
  assert.equal(
    edited('spec:\n  template:\n', edit),
    'spec:\n  template:\n    metadata:\n      labels:\n        a: b\n',
  );
  assert.equal(
    edited('spec:\n  template: {} # none\n', edit),
    'spec:\n  template: # none\n    metadata:\n      labels:\n        a: b\n',
  );
});

test('blank lines below a key do not become part of the text that it gets', () => {
  const set = (document: YamlDocument) => setValue(document, ['a'], 'two\nlines\n');
  assert.equal(edited('a: # why\n\n- x\nb: 1\n', set), 'a: | # why\n  two\n  lines\nb: 1\n');
});

test('a comment behind what is removed does not become part of the text before it', () => {
  const removed = (text: string) => removeValue(documentOf(text), ['b']);
  for (const text of [
    'a: |\n  x\nb: 1\n   # c\n',
    'a: |\n  x\nb: 1\n\n   # c\nd: 2\n',
    'a: |+\n  x\n\nb: 1\n\nc: 2\n',
  ]) {
    assert.equal(removed(text), null, text);
  }
  const apart = 'a: |\n  x\nb: 1\n\n# c\nd: 2\n';
  assert.equal(applyEdits(apart, removed(apart) ?? []), 'a: |\n  x\n\n# c\nd: 2\n');
});

test('items are put where they belong, whatever the indentation of the list', () => {
  const add = (index: number) => (document: YamlDocument) => insertItem(document, ['r'], index, 'n.yaml');
  assert.equal(edited('r:\n- a # one\n- b\n# end\n', add(2)), 'r:\n- a # one\n- b\n- n.yaml\n# end\n');
  assert.equal(edited('r:\r\n  - a\r\n  - b', add(2)), 'r:\r\n  - a\r\n  - b\r\n  - n.yaml');
  assert.equal(edited('r:\n  # first\n  - a\n', add(0)), 'r:\n  # first\n  - n.yaml\n  - a\n');
  assert.equal(edited('r: [a, b]\n', add(1)), 'r: [a, n.yaml, b]\n');
  assert.equal(edited('r: []\nx: 1\n', add(0)), 'r:\n  - n.yaml\nx: 1\n');
});

test('what an alias repeats is not edited', () => {
  const text = 'a: &l\n  x: 1\nb: *l\nc:\n  <<: *l\n  y: 2\n';
  for (const path of [['a', 'x'], ['a', 'z'], ['b', 'x'], ['b']]) {
    assert.equal(setValue(documentOf(text), path, 'new'), null, path.join('.'));
  }
  assert.equal(
    edited(text, (document) => setValue(document, ['c', 'x'], 5)),
    `${text}  x: 5\n`,
  );
});

/** A document as people write them: random content, and random comments, blank lines, flow parts and line ends. */
const scalars = fc.oneof(
  fc.constantFrom(
    'plain',
    'with: colon',
    '# not a comment',
    'yes',
    '',
    ' padded ',
    '012',
    '---',
    "it's",
    'ä',
  ),
  fc.constantFrom('two\nlines\n', 'keep\n\n', '\nlead', 'tab\there', 'no end\nof line', '  indented\ntext\n'),
  fc.integer({ min: -5, max: 5 }),
  fc.boolean(),
  fc.constant(null),
);
const keys = fc.constantFrom('a', 'b', 'c', 'app.kubernetes.io/name', 'true', '5', 'needs: quotes');
const { value: values } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));
const documents = fc
  .record({
    object: fc.dictionary(keys, values, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    indent: fc.constantFrom(2, 4),
    indentSeq: fc.boolean(),
    flowFrom: fc.constantFrom(1, 2, 3, 9),
    seed: fc.array(fc.nat(9), { minLength: 12, maxLength: 12 }),
    crlf: fc.boolean(),
    noEnd: fc.boolean(),
    singleQuote: fc.boolean(),
  })
  .map(({ object, indent, indentSeq, flowFrom, seed, crlf, noEnd, singleQuote }) => {
    const plain = stringify(object, { indent, indentSeq, lineWidth: 0, singleQuote });
    const commented = withComments(plain, seed);
    const text = asFlow(commented, flowFrom) ?? commented;
    const ended = noEnd ? text.replace(/\n+$/, '') : text;
    return crlf ? ended.replaceAll('\n', '\r\n') : ended;
  });

/** Puts a comment or blank line before, or a comment at the end of, lines where that changes no value. */
function withComments(text: string, seed: readonly number[]): string {
  const expected = JSON.stringify(documentOf(text).object);
  let lines = text.split('\n');
  for (const [turn, draw] of seed.entries()) {
    const at = (turn * 17 + draw * 5) % lines.length;
    const line = lines[at] ?? '';
    const margin = /^ */.exec(line)?.[0] ?? '';
    const changed =
      draw < 3
        ? [`${margin}# comment`, line]
        : draw < 5
          ? [`${line}   # trailing`]
          : draw < 6
            ? ['', line]
            : [line];
    const next = [...lines.slice(0, at), ...changed, ...lines.slice(at + 1)];
    try {
      if (JSON.stringify(documentOf(next.join('\n')).object) === expected) lines = next;
    } catch {}
  }
  return lines.join('\n');
}

/** Writes the values of some top keys in flow style. */
function asFlow(text: string, every: number): string | null {
  const document = documentOf(text);
  const object = document.object as Record<string, unknown>;
  const key = Object.keys(object)[every - 1];
  if (key === undefined || typeof object[key] !== 'object' || object[key] === null) return null;
  const flow = stringify(object[key], { collectionStyle: 'flow', lineWidth: 0 }).trim();
  const edits = removeValue(document, [key]);
  return edits === null || Object.keys(object).length < 2
    ? null
    : `${stringify({ [key]: null }).replace(/ null\n$/, '')} ${flow}\n${applyEdits(text, edits)}`;
}

/** Every path in a value, that of the value itself left out. */
function pathsOf(value: unknown): YamlPath[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const step = Array.isArray(value) ? Number(key) : key;
    return [[step], ...pathsOf(inner).map((path) => [step, ...path])];
  });
}

function changed(
  object: unknown,
  path: YamlPath,
  change: (parent: never, key: string | number) => void,
): unknown {
  const copy = structuredClone(object) as never;
  let parent: never = copy;
  for (const step of path.slice(0, -1)) parent = parent[step];
  change(parent, path.at(-1) as string | number);
  return copy;
}

/** What the edits leave alone is there, in order and byte for byte. */
function assertExact(text: string, edits: Edits, expected: unknown): void {
  if (edits === null) return;
  const after = applyEdits(text, edits);
  assert.deepEqual(documentOf(after).object, expected, after);
  if (text.includes('\r\n')) assert.doesNotMatch(after, /[^\r]\n/);
  for (const { start, end } of edits) assert.ok(start <= end);
}

const comments = (text: string): number => text.split('# comment').length;

test('setting a value changes just that value', () => {
  let refused = 0;
  let made = 0;
  fc.assert(
    fc.property(documents, fc.nat(), values, (text, draw, value) => {
      const { object } = documentOf(text);
      const paths = pathsOf(object);
      const path = paths[draw % paths.length] as YamlPath;
      const edits = setValue(documentOf(text), path, value);
      if (edits === null) refused++;
      else made++;
      const set = (parent: never, key: string | number) => Object.assign(parent, { [key]: value });
      assertExact(text, edits, changed(object, path, set));
    }),
    { numRuns: 200 },
  );
  assert.ok(made > refused * 3, `${made} made, ${refused} refused`);
});

test('adding a key changes nothing else, and loses no comment', () => {
  fc.assert(
    fc.property(
      documents,
      fc.nat(),
      values,
      fc.constantFrom('first' as const, 'last' as const, { after: 'a' }),
      (text, draw, value, position) => {
        const { object } = documentOf(text);
        const maps = [[] as YamlPath, ...pathsOf(object)].filter((path) => {
          const at = path.reduce((parent, step) => parent[step as never], object as never) as unknown;
          return typeof at === 'object' && at !== null && !Array.isArray(at);
        });
        const path = [...(maps[draw % maps.length] as YamlPath), 'added'];
        const edits = setValue(documentOf(text), path, value, position);
        const set = (parent: never, key: string | number) => Object.assign(parent, { [key]: value });
        assertExact(text, edits, changed(object, path, set));
        assert.ok(edits);
        const gained = comments(`${value}`) - 1;
        assert.ok(comments(applyEdits(text, edits)) >= comments(text) + Math.min(0, gained));
      },
    ),
    { numRuns: 200 },
  );
});

test('adding an item changes nothing else', () => {
  fc.assert(
    fc.property(documents, fc.nat(), fc.nat(), values, (text, draw, index, value) => {
      const { object } = documentOf(text);
      const lists = pathsOf(object).filter((path) =>
        Array.isArray(path.reduce((parent, step) => parent[step as never], object as never)),
      );
      fc.pre(lists.length > 0);
      const path = lists[draw % lists.length] as YamlPath;
      const { length } = path.reduce(
        (parent, step) => parent[step as never],
        object as never,
      ) as unknown as unknown[];
      const at = index % (length + 1);
      const expected = changed(object, [...path, at], (list: unknown[], key) =>
        list.splice(Number(key), 0, value),
      );
      assertExact(text, insertItem(documentOf(text), path, at, value), expected);
    }),
    { numRuns: 200 },
  );
});

test('removing a value changes nothing else, and keeps the comments above it', () => {
  fc.assert(
    fc.property(documents, fc.nat(), (text, draw) => {
      const { object } = documentOf(text);
      const paths = pathsOf(object);
      const path = paths[draw % paths.length] as YamlPath;
      const edits = removeValue(documentOf(text), path);
      const expected = changed(object, path, (parent: unknown[], key) =>
        Array.isArray(parent) ? parent.splice(Number(key), 1) : delete parent[key as never],
      );
      assertExact(text, edits, expected);
    }),
    { numRuns: 200 },
  );
});
