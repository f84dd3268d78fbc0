import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { createMetrics } from '../metrics/registry.ts';
import { attributesOf, semanticMetrics, serverOf, spanName } from './conventions.ts';

test('every name that is not our own is one of the conventions, or stands in the table for a reason', () => {
  const published = new Set<string>(Object.values(conventions).filter((value) => typeof value === 'string'));
  const table = readFileSync(new URL('./conventions.ts', import.meta.url), 'utf8');
  const names = [...table.matchAll(/^ {2}\w+: '([\w.]+)',$/gm)].map(([, name]) => name as string);
  assert.ok(names.length > 20);
  const strange = names.filter(
    (name) => /\./.test(name) && !name.startsWith('sallyport.') && !published.has(name),
  );
  assert.deepEqual(
    strange,
    ['jsonrpc.request.id', 'gen_ai.prompt.name'].filter((name) => !published.has(name)),
  );
  assert.ok(published.has('mcp.server.operation.duration'));
});

test('what is not known is not said', () => {
  assert.deepEqual(attributesOf({ mcpMethod: 'ping', toolName: null, source: undefined, httpStatus: 200 }), {
    'mcp.method.name': 'ping',
    'http.response.status_code': 200,
  });
  assert.equal(spanName('tools/call', null), 'tools/call');
  assert.equal(spanName('tools/call', 'Search'), 'tools/call Search');
});

test('of an address only host and port are said', () => {
  const at = (uri: string) => {
    const { serverAddress, serverPort } = serverOf(uri);
    return [serverAddress, serverPort];
  };
  assert.deepEqual(at('https://mcp.example.com/secret/path?key=secret'), ['mcp.example.com', 443]);
  assert.deepEqual(at('http://127.0.0.1:8080'), ['127.0.0.1', 8080]);
  assert.deepEqual(at('stdio:/usr/bin/server'), [undefined, undefined]);
});

test('durations of calls at gateways come once more under the name that the conventions have', async () => {
  const metrics = createMetrics();
  const labels = ['project', 'gateway', 'kind', 'decision'];
  const durations = metrics.histogram({ name: 'sallyport_call_duration_seconds', help: '', labels });
  durations.of('default', 'all', 'tool_call', 'allowed').observe(3);
  durations.of('default', 'all', 'tool_call', 'refused').observe(1);
  durations.of('default', '', 'tool_call', 'allowed').observe(1);
  durations.of('default', 'all', 'task', 'allowed').observe(1);
  const [made] = semanticMetrics(await metrics.read());
  assert.deepEqual(made?.labels, ['mcp.method.name', 'error.type', 'sallyport.project', 'sallyport.gateway']);
  assert.deepEqual(
    made?.series.map(({ values, sum }) => [...values, sum]),
    [
      ['tools/call', '', 'default', 'all', 0.003],
      ['tools/call', 'refused', 'default', 'all', 0.001],
    ],
  );
});
