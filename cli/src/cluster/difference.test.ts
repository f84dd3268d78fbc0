import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from './difference.ts';

const service = (ports: readonly object[]) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a' },
  spec: { ports },
});

test('things with a name are compared by it, in any order, and those that share one are not taken for each other', () => {
  const [mcp, metrics] = [
    { name: 'mcp', port: 80 },
    { name: 'metrics', port: 90 },
  ];
  const moved = { ...mcp, port: 81 };
  assert.deepEqual(differences(service([mcp, metrics]), service([metrics, moved])), [
    { path: 'spec.ports[mcp].port', before: 80, after: 81 },
  ]);
  const [tcp, udp] = [
    { port: 53, protocol: 'TCP' },
    { port: 53, protocol: 'UDP' },
  ];
  const open = { ...tcp, nodePort: 30_001 };
  assert.deepEqual(differences(service([tcp, udp]), service([open, udp])), [
    { path: 'spec.ports', before: [tcp, udp], after: [open, udp] },
  ]);
});
