import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runIn, tempFolder } from '../../../test/test-io.ts';

interface Schema {
  readonly $schema: string;
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
  readonly additionalProperties: boolean;
}

test('editors learn from the schema what each field is, which must be there, and that no other may', async (t) => {
  const root = await tempFolder(t);
  const { code, json } = await runIn(root, ['deploy', 'schema', 'server']);
  assert.equal(code, 0);
  const { $schema, properties, required, additionalProperties } = json() as Schema;
  assert.match($schema, /draft-07/);
  assert.equal(additionalProperties, false);
  assert.deepEqual(required, ['name', 'owner', 'pattern']);
  const undescribed = Object.entries(properties).filter(([, { description = '' }]) => description.length < 5);
  assert.deepEqual(undescribed, []);
});

test('a file of conventions needs to say nothing', async (t) => {
  const { json } = await runIn(await tempFolder(t), ['deploy', 'schema', 'conventions']);
  assert.equal((json() as Schema).required, undefined);
});
