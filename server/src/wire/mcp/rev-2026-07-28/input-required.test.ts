import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InputRequest, silentClient } from '#domain';
import { createSealer, type Members, manualClock } from '#foundation';
import type { Exchange } from '../exchange.ts';
import type { McpDeps } from '../front.ts';
import { inputRequiredResult } from './input-required.ts';

const deps = {
  clock: manualClock(),
  sealer: createSealer(Buffer.alloc(32, 7)),
  version: '1',
} as unknown as McpDeps;
const exchange = {
  caller: { principal: { id: 'k' }, userId: 'alice' },
  view: { gateway: { id: 'g', slug: 'gw', name: 'GW', description: '' }, find: () => null },
} as unknown as Exchange;

function told(requests: Record<string, InputRequest>, capabilities: Members) {
  const answer = { form: 'input_required', requests, state: null, isError: false } as const;
  const client = { ...silentClient, capabilities };
  return inputRequiredResult(exchange, 'tools/call', { name: 'Ask' }, answer, client, deps);
}

const form: InputRequest = {
  method: 'elicitation/create',
  params: { message: 'Name?', requestedSchema: {} },
};
const url: InputRequest = {
  method: 'elicitation/create',
  params: { mode: 'url', message: 'Go', url: 'x:y' },
};
const sample: InputRequest = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } };
const tools: InputRequest = { method: 'sampling/createMessage', params: { ...sample.params, tools: [] } };
const roots: InputRequest = { method: 'roots/list' };

test('a client is asked in the words of the source, with a state even where the source has none', () => {
  const result = told({ a: form, b: roots }, { elicitation: {}, roots: {} });
  assert.ok(result.ok);
  const { requestState, _meta, ...rest } = JSON.parse(result.value);
  assert.deepEqual(rest, { resultType: 'input_required', inputRequests: { a: form, b: roots } });
  assert.equal(typeof requestState, 'string');
  assert.equal(_meta['io.modelcontextprotocol/serverInfo'].name, 'gw');
});

test('a client is not told the id of a link, which this revision does not have', () => {
  const older = { ...url, params: { ...url.params, elicitationId: 'e1' } };
  const result = told({ a: older }, { elicitation: { url: {} } });
  assert.ok(result.ok);
  assert.deepEqual(JSON.parse(result.value).inputRequests, { a: url });
});

test('a source that only wants to be asked again asks for nothing', () => {
  const result = told({}, {});
  assert.ok(result.ok);
  assert.deepEqual(Object.keys(JSON.parse(result.value)), ['resultType', 'requestState', '_meta']);
});

test('a client is asked only for what it declared that it can do, and otherwise told what is missing', () => {
  const cases: [InputRequest, Members, Members | null][] = [
    [form, { elicitation: {} }, null],
    [form, { elicitation: { form: {} } }, null],
    [form, { elicitation: { form: {}, url: {} } }, null],
    [form, { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    [form, { sampling: {} }, { elicitation: { form: {} } }],
    [url, { elicitation: { url: {} } }, null],
    [url, { elicitation: {} }, { elicitation: { url: {} } }],
    [sample, { sampling: {} }, null],
    [sample, {}, { sampling: {} }],
    [sample, { sampling: true }, { sampling: {} }],
    [tools, { sampling: { tools: {} } }, null],
    [tools, { sampling: {} }, { sampling: { tools: {} } }],
    [roots, { roots: {} }, null],
    [roots, {}, { roots: {} }],
  ];
  for (const [request, capabilities, missing] of cases) {
    const result = told({ key: request }, capabilities);
    const said = result.ok ? null : [result.error.refusal.code, result.error.data];
    const expected =
      missing === null ? null : ['client.capability_missing', { requiredCapabilities: missing }];
    assert.deepEqual(said, expected, JSON.stringify([request, capabilities]));
  }
});

test('all that is missing is told at once', () => {
  const result = told({ a: form, b: url, c: roots, d: sample }, { roots: {} });
  assert.deepEqual(result.ok ? null : result.error.data, {
    requiredCapabilities: { elicitation: { form: {}, url: {} }, sampling: {} },
  });
});
