import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayView } from '#catalog';
import type { Members } from '#foundation';
import { legacyCapabilities, modernCapabilities } from './capabilities.ts';

/** Of a view, only what its sources declare is asked. */
function viewOf(...declared: Members[]): GatewayView {
  const sourceIds = declared.map((_, index) => `s${index}`);
  const capabilitiesOf = (id: string) => declared[sourceIds.indexOf(id)];
  return { sourceIds, capabilitiesOf } as unknown as GatewayView;
}

const anything = () => true;

const one = { tools: {}, prompts: {}, extensions: { 'vendor/x': { of: 'one' } }, experimental: { a: {} } };
const other = {
  resources: { subscribe: true },
  completions: {},
  logging: {},
  tasks: { cancel: {}, requests: { tools: { call: {} } } },
  extensions: { 'vendor/x': { of: 'other' }, 'vendor/y': {}, 'io.modelcontextprotocol/tasks': {} },
};

test('a gateway of tools alone declares tools, and nothing that nobody could answer', () => {
  for (const view of [viewOf(), viewOf({ tools: {} })]) {
    assert.deepEqual(modernCapabilities(view, anything, false), { tools: { listChanged: true } });
    assert.deepEqual(legacyCapabilities(view, '2025-11-25', anything), { tools: { listChanged: true } });
  }
});

test('it declares what any of its sources can do; of one extension, what the first source says of it', () => {
  assert.deepEqual(modernCapabilities(viewOf(one, other), anything, false), {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    logging: {},
    experimental: { a: {} },
    extensions: { 'vendor/x': { of: 'one' }, 'vendor/y': {}, 'io.modelcontextprotocol/tasks': {} },
  });
});

test('calls that go on as tasks of its own are declared beside what its sources can do', () => {
  const extensions = { 'io.modelcontextprotocol/tasks': {} };
  assert.deepEqual(modernCapabilities(viewOf({ tools: {} }), anything, true), {
    tools: { listChanged: true },
    extensions,
  });
  const both = modernCapabilities(viewOf(one, other), () => false, true);
  assert.deepEqual(both.extensions, extensions);
});

test('each older revision gets what it knows', () => {
  const of = (version: string) => Object.keys(legacyCapabilities(viewOf(one, other), version, anything));
  const always = ['tools', 'prompts', 'resources', 'logging', 'experimental'];
  assert.deepEqual(of('2024-11-05'), [...always, 'extensions']);
  assert.deepEqual(of('2025-03-26'), [...always, 'completions', 'extensions']);
  assert.deepEqual(of('2025-11-25'), [...always, 'completions', 'tasks', 'extensions']);
  const { extensions } = legacyCapabilities(viewOf(one, other), '2025-11-25', anything) as {
    extensions: object;
  };
  assert.deepEqual(Object.keys(extensions).sort(), ['vendor/x', 'vendor/y']);
});

test('what a source alone has is declared to those who may use something of it', () => {
  const view = viewOf(one, other);
  const { experimental, extensions, ...rest } = modernCapabilities(view, (id) => id === 's1', false);
  assert.deepEqual([experimental, extensions], [undefined, other.extensions]);
  assert.ok(rest.prompts, 'the kinds of things that there are may be given to everybody at any time');
  assert.equal(legacyCapabilities(view, '2025-11-25', () => false).extensions, undefined);
});
