import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OpenApi, operationsOf } from './openapi.ts';

const api = {
  info: { title: 'Pets', 'x-providerName': 'pets.example' },
  paths: {
    '/pets/{id}': {
      parameters: [{ $ref: '#/components/parameters/id' }],
      get: { operationId: 'getPet', summary: 'One pet', description: 'One pet' },
      post: {
        summary: 'Feed it',
        description: 'With what it likes.',
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Meal' } } } },
      },
    },
  },
  components: {
    parameters: { id: { name: 'id', description: 'Which pet' } },
    schemas: { Meal: { properties: { food: { description: 'What it likes' } } } },
  },
} as OpenApi;

test('each method of a path is a tool, with the parameters of the path, of its own and of its body', () => {
  const [get, post, ...rest] = operationsOf(api, 'pets.json');
  assert.equal(rest.length, 0);
  assert.deepEqual(get, {
    id: 'pets.json#get /pets/{id}',
    name: 'getPet',
    description: 'One pet',
    server: 'pets.example/Pets',
    parameters: { id: { description: 'Which pet' } },
  });
  assert.equal(post?.name, 'post_pets_id_');
  assert.equal(post?.description, 'Feed it\nWith what it likes.');
  assert.deepEqual(Object.keys(post?.parameters ?? {}), ['id', 'food']);
});

test('a reference that leads nowhere is a parameter without a name, which is left out', () => {
  const broken = {
    paths: { '/x': { get: { parameters: [{ $ref: '#/gone/away' }, { $ref: 'other.json#/p' }] } } },
  } as OpenApi;
  assert.deepEqual(operationsOf(broken, 'x.json')[0]?.parameters, {});
});
