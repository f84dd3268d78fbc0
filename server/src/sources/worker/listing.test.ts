import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ToolListing } from '#domain';
import { takenFrom } from '../fixtures/taken-tools.ts';
import reference from './fixtures/mcp-tools-list-python.json' with { type: 'json' };
import entries from './fixtures/worker-tools-python.json' with { type: 'json' };
import { workerForm } from './listing.ts';

const listed = (entries: readonly unknown[]) => takenFrom(workerForm, entries);

/** The listing as an MCP server would show it. */
function mcpToolOf(listing: ToolListing): object {
  const { name, toolkit, description, inputSchema, outputSchema, mcp } = listing;
  return { name: `${toolkit.name}_${name}`, description, inputSchema, outputSchema, ...mcp };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const echo = entries[0] as (typeof entries)[number];

describe('tool definitions of a worker', () => {
  it('become the MCP tools that the worker itself would show', async () => {
    const { tools, rejected } = await listed(entries);
    assert.deepEqual(rejected, []);
    assert.deepEqual(
      tools.map((tool) => mcpToolOf(tool) as { name: string }).sort(byName),
      reference.result.tools.slice().sort(byName),
    );
  });

  it('may leave out whatever the TypeScript worker leaves out', async () => {
    const { tools, rejected } = await listed([{ name: 'ping', toolkit: { name: 'Kit' } }]);
    assert.deepEqual(rejected, []);
    assert.deepEqual(tools[0]?.inputSchema, { type: 'object', properties: {}, additionalProperties: false });
    assert.equal(tools[0]?.outputSchema, null);
    assert.equal(tools[0]?.toolkit.version, null);
  });

  it('that are invalid are left out with the reason, and the others stay', async () => {
    const broken = { ...echo, name: 'Broken', fully_qualified_name: 'Kit.Broken', toolkit: null };
    const { tools, rejected } = await listed([broken, echo, 7, echo]);
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['Echo'],
    );
    assert.deepEqual(
      rejected.map(({ name }) => name),
      ['Kit.Broken', 'entry 3', 'ArcadeEvalRef.Echo'],
    );
    assert.equal(rejected[0]?.reason, 'toolkit: expected object, received null');
    assert.match(rejected[2]?.reason ?? '', /twice/);
  });

  it('that need the user promise no result so closely that it cannot say where the user gives it', async () => {
    const value_schema = {
      val_type: 'json',
      properties: { address: { val_type: 'string' } },
      required_keys: ['address'],
    };
    const typed = { ...echo, output: { value_schema } };
    const authorization = { provider_id: 'google', oauth2: { scopes: [] } };
    const schemaOf = async (entry: object) => (await listed([entry])).tools[0]?.outputSchema;
    const properties = { address: { type: 'string' } };
    assert.deepEqual(await schemaOf(typed), {
      type: 'object',
      properties,
      required: ['address'],
      additionalProperties: false,
    });
    const needing = { ...typed, requirements: { authorization } };
    assert.deepEqual(await schemaOf(needing), { type: 'object', properties });
  });

  it('that are deprecated say so first', async () => {
    const { tools } = await listed([{ ...echo, deprecation_message: 'use Say' }]);
    assert.equal(tools[0]?.description, '[DEPRECATED: use Say] Echo text');
  });

  it('keep null, enums of elements and nested objects in their schema', async () => {
    const parameter = (name: string, value_schema: object) => ({ name, required: true, value_schema });
    const inner = { val_type: 'json', properties: { a: { val_type: 'number' } }, required_keys: ['a'] };
    const parameters = [
      parameter('mode', { val_type: 'string', enum: ['a'], nullable: true, description: 'how' }),
      parameter('modes', { val_type: 'array', inner_val_type: 'string', enum: ['a', 'b'] }),
      parameter('deep', { val_type: 'json', properties: { inner, free: { val_type: 'json' } } }),
    ];
    const { tools } = await listed([{ ...echo, input: { parameters } }]);
    assert.deepEqual(tools[0]?.inputSchema.properties, {
      mode: { type: ['string', 'null'], enum: ['a', null], description: 'how' },
      modes: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } },
      deep: {
        type: 'object',
        properties: {
          inner: {
            type: 'object',
            properties: { a: { type: 'number' } },
            additionalProperties: false,
            required: ['a'],
          },
          free: { type: 'object' },
        },
        additionalProperties: false,
      },
    });
  });
});
