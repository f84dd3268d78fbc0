import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkArguments, shownSchema } from './arguments.ts';

const schema = {
  type: 'object',
  properties: {
    repo: { type: 'string' },
    limit: { type: 'integer' },
    order: { type: 'string', enum: ['new', 'old'] },
    owner: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  },
  required: ['repo'],
  additionalProperties: false,
};

function refusedField(args: Record<string, unknown>, given: object = schema): string | undefined {
  const checked = checkArguments(given as never, null, args);
  assert.equal(checked.ok, false);
  if (checked.ok) return undefined;
  assert.equal(checked.error.code, 'catalog.arguments_invalid');
  assert.ok(
    checked.error.message.startsWith(checked.error.field ?? '?'),
    'the message begins with the field',
  );
  return checked.error.field;
}

describe('arguments', () => {
  test('the refusal names the argument at fault', () => {
    assert.equal(refusedField({}), 'arguments.repo');
    assert.equal(refusedField({ repo: 1 }), 'arguments.repo');
    assert.equal(refusedField({ repo: 'a/b', limit: 'ten' }), 'arguments.limit');
    assert.equal(refusedField({ repo: 'a/b', order: 'best' }), 'arguments.order');
    assert.equal(refusedField({ repo: 'a/b', nope: 1 }), 'arguments.nope');
    assert.equal(refusedField({ repo: 'a/b', owner: {} }), 'arguments.owner.name');
    assert.equal(refusedField({ repo: 'a/b', owner: { name: 7 } }), 'arguments.owner.name');
  });

  test('good arguments pass unchanged', () => {
    const args = { repo: 'a/b', limit: 3, owner: { name: 'x' } };
    assert.deepEqual(checkArguments(schema, null, args), { ok: true, value: args });
  });

  test('null for what may be left out passes as it came; elsewhere it is a wrong value', () => {
    const args = { repo: 'a/b', limit: null, order: null };
    assert.deepEqual(checkArguments(schema, null, args), { ok: true, value: args });
    assert.equal(refusedField({ repo: null }), 'arguments.repo');
    assert.equal(refusedField({ repo: 'a/b', nope: null }), 'arguments.nope');
    assert.equal(refusedField({ repo: 'a/b', limit: 'ten', order: null }), 'arguments.limit');
  });

  test('older dialects of JSON Schema are understood', () => {
    const draft7 = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] } },
    };
    assert.equal(refusedField({ pair: ['a', 'b'] }, draft7), 'arguments.pair.1');
  });

  test('a schema that cannot be compiled leaves the check to the source', () => {
    const odd = { type: 'object', properties: { a: { $ref: 'https://example.com/schema.json' } } };
    assert.equal(checkArguments(odd, null, { a: 1 }).ok, true);
  });

  test("a source's pattern is matched in linear time", () => {
    const evil = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    assert.equal(refusedField({ a: `${'a'.repeat(200)}!` }, evil), 'arguments.a');
  });

  test('a fixed argument cannot be overridden, and a hidden one cannot be sent', () => {
    const curation = { fixed: { limit: 5 }, defaults: {}, hidden: ['order'] };
    for (const args of [
      { repo: 'a/b', limit: 9 },
      { repo: 'a/b', order: 'new' },
    ]) {
      const checked = checkArguments(schema, curation, args);
      assert.equal(checked.ok, false);
    }
    assert.deepEqual(checkArguments(schema, curation, { repo: 'a/b' }), {
      ok: true,
      value: { repo: 'a/b', limit: 5 },
    });
  });

  test('a fixed argument that does not fit the tool is the fault of the gateway, and is not named to the caller', () => {
    const checked = checkArguments(
      schema,
      { fixed: { limit: 'five' }, defaults: {}, hidden: [] },
      { repo: 'a/b' },
    );
    assert.ok(!checked.ok);
    assert.doesNotMatch(checked.error.message, /limit/);
    assert.equal(checked.error.field, undefined);
    assert.match(checked.error.reason ?? '', /arguments\.limit/);
    const own = checkArguments(schema, { fixed: { limit: 5 }, defaults: {}, hidden: [] }, { repo: 1 });
    assert.equal(!own.ok && own.error.field, 'arguments.repo');
  });

  test('a default fills in what the caller leaves out, and nothing else', () => {
    const curation = { fixed: {}, defaults: { limit: 5, repo: 'a/b' }, hidden: [] };
    assert.deepEqual(checkArguments(schema, curation, {}), { ok: true, value: { limit: 5, repo: 'a/b' } });
    assert.deepEqual(checkArguments(schema, curation, { limit: 1 }), {
      ok: true,
      value: { limit: 1, repo: 'a/b' },
    });
  });

  test('the schema shown has no fixed and hidden arguments, and says the defaults', () => {
    const shown = shownSchema(schema, {
      fixed: { repo: 'a/b' },
      defaults: { limit: 5 },
      hidden: ['order', 'owner'],
    });
    assert.deepEqual(shown, {
      type: 'object',
      properties: { limit: { type: 'integer', default: 5 } },
      additionalProperties: false,
    });
  });

  test('a tool without curation is shown as the source wrote it', () => {
    assert.equal(shownSchema(schema, null), schema);
  });
});
describe('schemas of a hostile source', () => {
  test('two patterns in one schema are two', () => {
    const properties = { a: { type: 'string', pattern: '^a+$' }, b: { type: 'string', pattern: '^b+$' } };
    const patterns = { type: 'object', properties };
    assert.equal(checkArguments(patterns, null, { a: 'aa', b: 'bb' }).ok, true);
    assert.equal(refusedField({ a: 'aa', b: 'aa' }, patterns), 'arguments.b');
  });

  test('references that double at every level cannot hold the process up', () => {
    const $defs: Record<string, object> = { level0: { type: 'string' } };
    for (let level = 1; level <= 60; level++) {
      const below = { $ref: `#/$defs/level${level - 1}` };
      $defs[`level${level}`] = { anyOf: [below, below] };
    }
    const doubling = { type: 'object', $defs, properties: { value: { $ref: '#/$defs/level60' } } };
    assert.equal(refusedField({ value: 1 }, doubling), 'arguments');
  });

  test('comparing each of many elements with each other cannot hold the process up', () => {
    const unique = { type: 'object', properties: { list: { type: 'array', uniqueItems: true } } };
    const list = Array.from({ length: 400_000 }, (_, index) => [index]);
    assert.equal(refusedField({ list }, unique), 'arguments');
    assert.equal(checkArguments(unique, null, { list: [[1], [2]] }).ok, true);
    assert.equal(refusedField({ list: [[1], [1]] }, unique), 'arguments.list');
  });

  test('a schema that calls itself asynchronous refuses like any other', () => {
    assert.equal(refusedField({ limit: 1 }, { ...schema, $async: true }), 'arguments.repo');
  });

  test('a schema that refers to itself without end is refused, not followed', () => {
    const endless = { type: 'object', allOf: [{ $ref: '#' }] };
    assert.equal(refusedField({}, endless), 'arguments');
  });
});
