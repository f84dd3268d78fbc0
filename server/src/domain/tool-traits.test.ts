import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traitsOf } from './tool-traits.ts';

const silent = {
  readOnly: false,
  destructive: true,
  idempotent: false,
  openWorld: true,
  operations: [],
  serviceDomains: [],
};

test('a tool that says nothing is taken as MCP takes it', () => {
  assert.deepEqual(traitsOf({ metadata: null, mcp: {} }), silent);
  assert.deepEqual(traitsOf({ metadata: { behavior: null, classification: {} }, mcp: {} }), silent);
});

test('a tool that only reads destroys nothing, unless it says so', () => {
  const reading = { metadata: { behavior: { read_only: true } }, mcp: {} };
  assert.deepEqual(traitsOf(reading), { ...silent, readOnly: true, destructive: false });
  const odd = { metadata: { behavior: { read_only: true, destructive: true } }, mcp: {} };
  assert.deepEqual(traitsOf(odd), { ...silent, readOnly: true });
});

test('metadata of the platform goes before MCP annotations, member by member', () => {
  const traits = traitsOf({
    metadata: {
      behavior: { operations: ['create'], destructive: false, idempotent: null },
      classification: { service_domains: ['email'] },
    },
    mcp: { annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false } },
  });
  assert.deepEqual(traits, {
    readOnly: false,
    destructive: false,
    idempotent: true,
    openWorld: false,
    operations: ['create'],
    serviceDomains: ['email'],
  });
});

test('an annotation that is no yes or no says nothing', () => {
  const annotations = { readOnlyHint: 'true', destructiveHint: 0, openWorldHint: null };
  assert.deepEqual(traitsOf({ metadata: null, mcp: { annotations } }), silent);
  assert.deepEqual(traitsOf({ metadata: null, mcp: { annotations: ['readOnlyHint'] } }), silent);
});
