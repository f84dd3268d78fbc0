import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';
import { arbitraryServer, projectOf } from '../../test/arbitrary-server.ts';
import { isMapping } from '../files/values.ts';
import { generate } from '../manifests/generate.ts';
import { fix } from './fix.ts';

const project = projectOf();
const removable =
  /^(labels|annotations|strategy|seccompProfile|capabilities|namespace|securityContext|resources)$/;

/** Ways to write the same: indentation, quotes, blanks, comments, line ends, what stands before and behind. */
const style = fc.record({
  print: fc.constantFrom(
    {},
    { indent: 4 },
    { indent: 3, indentSeq: false },
    { defaultStringType: 'QUOTE_SINGLE' as const, defaultKeyType: 'PLAIN' as const },
    { defaultStringType: 'QUOTE_DOUBLE' as const, defaultKeyType: 'PLAIN' as const },
    { collectionStyle: 'flow' as const },
  ),
  between: fc.constantFrom('---\n', '\n---  # next\n\n'),
  before: fc.constantFrom('', '---\n', '%YAML 1.2\n---\n'),
  lines: fc.array(fc.constantFrom('plain', 'plain', 'note', 'blanks', 'wide', 'comment', 'gap'), {
    minLength: 7,
    maxLength: 31,
  }),
  open: fc.boolean(),
  eol: fc.constantFrom('\n', '\r\n'),
  mark: fc.constantFrom('', '\ufeff'),
});
type Style = typeof style extends fc.Arbitrary<infer S> ? S : never;

const valuesOf = (text: string): unknown =>
  parseAllDocuments(text).map((document) => (document.errors.length > 0 ? null : document.toJS()));

function written(objects: readonly unknown[], { print, between, before, lines, ...ends }: Style): string {
  const plain = objects.map((object) => stringify(object, { ...print, lineWidth: 0 })).join(between);
  let inBlock = false;
  const decorated = plain.split('\n').map((line, at) => {
    if (/^\S/.test(line)) inBlock = false;
    if (/[|>][-+]?\d?$/.test(line)) inBlock = true;
    if (inBlock || line.trim() === '' || line.startsWith('---')) return line;
    const how = lines[at % lines.length];
    if (how === 'note') return `${line}   # note ${at}`;
    if (how === 'blanks') return `${line}  `;
    if (how === 'wide' && !/['"{[|>]/.test(line)) return line.replace(': ', ':   ');
    if (how === 'comment') return `# note ${at}\n${line}`;
    return how === 'gap' ? `\n${line}` : line;
  });
  // What stands in a text of many lines is no style of ours to change.
  const isSame = isDeepStrictEqual(valuesOf(decorated.join('\n')), valuesOf(plain));
  const text = before + (isSame ? decorated.join('\n') : plain);
  return ends.mark + (ends.open ? text.trimEnd() : text).replaceAll('\n', ends.eol);
}

/** Takes keys out of the objects, counted through; what is left may break the convention, and is still YAML. */
function thinned(objects: readonly unknown[], cuts: readonly number[]): unknown[] {
  const copy = structuredClone([...objects]);
  for (const cut of cuts) {
    const found: (() => void)[] = [];
    const walk = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(walk);
      if (!isMapping(value)) return;
      for (const [name, inner] of Object.entries(value)) {
        if (removable.test(name)) found.push(() => delete (value as Record<string, unknown>)[name]);
        walk(inner);
      }
    };
    copy.forEach(walk);
    found[cut % found.length]?.();
  }
  return copy;
}

const objectsIn = (text: string): unknown[] =>
  parseAllDocuments(text).flatMap((document) => {
    assert.deepEqual(document.errors, []);
    return document.contents === null ? [] : [document.toJS()];
  });

/** Paths of values that are gone or others; what is computed from the code is meant to change. */
function lostIn(before: unknown, after: unknown, path = ''): readonly string[] {
  if (path.endsWith('checksum/code')) return [];
  if (typeof before !== 'object' || before === null) return before === after ? [] : [path];
  return Object.entries(before).flatMap(([name, value]) =>
    lostIn(value, (after as Record<string, unknown> | undefined)?.[name], `${path}/${name}`),
  );
}

const comments = (text: string) => text.match(/# (note \d+|next)/g) ?? [];

test('however a manifest is written, --fix keeps every value, comment and line end, and is done the first time', async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryServer(),
      fc.array(fc.nat(), { maxLength: 6 }),
      style,
      async (server, cuts, how) => {
        const text = written(thinned(generate(server, project, {}), cuts), how);
        const shown = `${project.conventions.folder}/${server.spec.name}-mcp.yaml`;
        const file = { path: `/repo/${shown}`, shown, kind: 'manifest' as const, text };
        const { changes } = await fix(project, [file]);
        const after = changes[0]?.after ?? text;
        const [old, now] = [objectsIn(text), objectsIn(after)];
        assert.deepEqual(lostIn(old, now), []);
        assert.deepEqual(comments(after), comments(text));
        if (how.eol === '\r\n') assert.ok(!/[^\r]\n/.test(after), 'line ends of two kinds');
        assert.equal(after.startsWith('\ufeff'), how.mark !== '');
        assert.deepEqual((await fix(project, [{ ...file, text: after }])).changes, []);
      },
    ),
    { numRuns: 100 },
  );
});
