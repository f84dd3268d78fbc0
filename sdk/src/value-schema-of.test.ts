import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { valueSchema } from '@sallyport/contracts';
import { z } from 'zod';
import { jsonSchemaOf } from './json-schema-of.ts';
import { valueSchemaOf } from './value-schema-of.ts';

const empty = {
  inner_val_type: null,
  enum: null,
  properties: null,
  inner_properties: null,
  description: null,
  required_keys: null,
  inner_required_keys: null,
  nullable: null,
};
const plain = (val_type: string, more: object = {}) => ({ ...empty, val_type, ...more });

type Tree = { value: string; children: Tree[] };
const tree: z.ZodType<Tree> = z.object({ value: z.string(), children: z.lazy(() => z.array(tree)) });

const table: Record<string, [schema: z.ZodType, expected: object]> = {
  text: [z.string(), plain('string')],
  'a date as text': [z.iso.datetime(), plain('string')],
  'a whole number': [z.number().int(), plain('integer')],
  'any number': [z.number().min(0), plain('number')],
  'a yes or no': [z.boolean(), plain('boolean')],
  choices: [z.enum(['a', 'b']), plain('string', { enum: ['a', 'b'] })],
  'one literal': [z.literal('a'), plain('string', { enum: ['a'] })],
  'a union of literals': [
    z.union([z.literal('a'), z.enum(['b', 'c'])]),
    plain('string', { enum: ['a', 'b', 'c'] }),
  ],
  'number choices, which the protocol cannot list': [z.literal([1, 2]), plain('number')],
  'a nullable value': [z.string().nullable(), plain('string', { nullable: true })],
  'nullable choices': [z.enum(['a']).nullable(), plain('string', { enum: ['a'], nullable: true })],
  'whole or broken numbers': [z.union([z.number().int(), z.number()]), plain('number')],
  'unlike types': [z.union([z.string(), z.number()]), plain('json')],
  anything: [z.unknown(), plain('json')],
  'a list of text': [z.array(z.string()), plain('array', { inner_val_type: 'string' })],
  'a list of choices': [z.array(z.enum(['a'])), plain('array', { inner_val_type: 'string', enum: ['a'] })],
  'a list of anything': [z.array(z.unknown()), plain('array', { inner_val_type: 'json' })],
  'a list of lists': [z.array(z.array(z.string())), plain('array', { inner_val_type: 'array' })],
  'a tuple': [z.tuple([z.string(), z.number()]), plain('array', { inner_val_type: 'json' })],
  'a map': [z.record(z.string(), z.number()), plain('json')],
  'an object without members': [z.object({}), plain('json')],
  'an object': [
    z.object({ a: z.string().describe('first'), b: z.number().optional() }),
    plain('json', {
      properties: { a: plain('string', { description: 'first' }), b: plain('number') },
      required_keys: ['a'],
    }),
  ],
  'a list of objects': [
    z.array(z.object({ a: z.string() })),
    plain('array', {
      inner_val_type: 'json',
      inner_properties: { a: plain('string') },
      inner_required_keys: ['a'],
    }),
  ],
};

describe('the worker protocol type of', () => {
  for (const [name, [schema, expected]] of Object.entries(table)) {
    it(name, () => assert.deepEqual(valueSchemaOf(jsonSchemaOf(schema, 'input')), expected));
  }

  it('a recursive type ends, and is one the protocol accepts', () => {
    const value = valueSchemaOf(jsonSchemaOf(tree, 'input'));
    assert.equal(value.properties?.children?.val_type, 'array');
    assert.ok(valueSchema.safeParse(value).success);
  });
});
