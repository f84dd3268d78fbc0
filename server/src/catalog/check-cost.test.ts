import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCost } from './check-cost.ts';

const cost = (schema: object) => checkCost(schema as never, JSON.stringify(schema));

test('what a check may cost is told from the schema', () => {
  const point = { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } } };
  assert.equal(cost(point), 'plain');
  assert.equal(
    cost({ properties: { a: { $ref: '#/$defs/p' }, b: { $ref: '#/$defs/p' } }, $defs: { p: point } }),
    'plain',
  );
  assert.equal(cost({ properties: { a: { type: 'string', pattern: '^a' } } }), 'by-text');
  assert.equal(cost({ properties: { a: { type: 'array', uniqueItems: true } } }), 'by-text');
});

test('references that multiply, lead round, or lead away are unbounded', () => {
  const levels = Array.from({ length: 20 }, (_, level) => {
    const below = { $ref: `#/$defs/l${level + 1}` };
    return [`l${level}`, { anyOf: [below, below] }];
  });
  assert.equal(cost({ $ref: '#/$defs/l0', $defs: { ...Object.fromEntries(levels), l20: {} } }), 'unbounded');
  assert.equal(cost({ properties: { child: { $ref: '#' } } }), 'unbounded');
  assert.equal(
    cost({
      $ref: '#/$defs/a',
      $defs: { a: { items: { $ref: '#/$defs/b' } }, b: { items: { $ref: '#/$defs/a' } } },
    }),
    'unbounded',
  );
  assert.equal(cost({ properties: { a: { $ref: 'https://example.com/x' } } }), 'unbounded');
  assert.equal(cost({ properties: { a: { $ref: '#/$defs/missing' } } }), 'unbounded');
  assert.equal(cost({ properties: { a: { $dynamicRef: '#x' } } }), 'unbounded');
  assert.equal(cost({ description: 'x'.repeat(10_000) }), 'unbounded');
});
