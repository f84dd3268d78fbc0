import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runIn, tempFolder } from '../../../test/test-io.ts';

const server = [
  'name: grafana',
  'owner: observability',
  'pattern: image',
  'image: ghcr.io/acme/grafana-mcp:1.2.0',
  'env: { GRAFANA_URL: "https://grafana.example.com" }',
  'secrets:',
  '  - { from: existing, name: grafana-token, env: { TOKEN: token, OTHER: other } }',
  'replicas: 2',
  'expose: { nodePort: 30001 }',
  'patches:',
  '  - { kind: Deployment, patch: { spec: { template: { spec: { priorityClassName: tools } } } } }',
  '',
].join('\n');
const notes = 'name: notes\nowner: me\npattern: configmap\ncode: { server.py: server.py }\npath: /other\n';

interface Output {
  readonly objects: readonly {
    readonly kind: string;
    readonly metadata: { name: string };
    readonly spec: Record<string, unknown>;
  }[];
  readonly lost: readonly string[];
}

test('a server becomes an MCPServer of ToolHive: patches come along, what it has no word for is told', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': server });
  const { code, json, err } = await runIn(root, ['deploy', 'export', '--toolhive', '--json']);
  assert.equal(code, 0, err);
  const { objects, lost } = json() as Output;
  const [{ metadata, spec } = assert.fail()] = objects;
  assert.deepEqual(
    objects.map(({ kind }) => kind),
    ['MCPServer'],
  );
  assert.equal(metadata.name, 'grafana-mcp');
  const { podTemplateSpec, ...plain } = spec;
  assert.deepEqual(plain, {
    image: 'ghcr.io/acme/grafana-mcp:1.2.0',
    transport: 'streamable-http',
    mcpPort: 3000,
    proxyPort: 3000,
    env: [
      { name: 'MCP_TRANSPORT', value: 'streamable-http' },
      { name: 'MCP_HOST', value: '0.0.0.0' },
      { name: 'MCP_PORT', value: '3000' },
      { name: 'GRAFANA_URL', value: 'https://grafana.example.com' },
    ],
    secrets: [{ name: 'grafana-token', key: 'token', targetEnvName: 'TOKEN' }],
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu: '250m', memory: '256Mi' } },
    backendReplicas: 2,
  });
  const pod = (
    podTemplateSpec as { spec: { priorityClassName: string; containers: { name: string; env: unknown }[] } }
  ).spec;
  assert.equal(pod.priorityClassName, 'tools');
  assert.deepEqual(
    pod.containers.map(({ name, env }) => [name, env]),
    [['mcp', [{ name: 'OTHER', valueFrom: { secretKeyRef: { name: 'grafana-token', key: 'other' } } }]]],
  );
  assert.doesNotMatch(JSON.stringify(pod), /http-mcp/);
  assert.match(lost.join('\n'), /expose\.nodePort.*\n[\s\S]*NetworkPolicy[\s\S]*Redis/);
});

test('a server becomes an MCPServer of kmcp with the ConfigMap of its code', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': notes, 'server.py': 'x = 1\n' });
  const { code, json, err } = await runIn(root, ['deploy', 'export', '--kmcp', '--json']);
  assert.equal(code, 0, err);
  const { objects, lost } = json() as Output;
  assert.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ['ConfigMap notes-mcp-code', 'MCPServer notes-mcp'],
  );
  const { deployment, ...transport } = (objects[1]?.spec ?? {}) as { deployment: Record<string, unknown> };
  assert.deepEqual(transport, { transportType: 'http', httpTransport: { targetPort: 8080, path: '/other' } });
  assert.equal(deployment.cmd, 'python');
  assert.deepEqual(deployment.args, ['/app/server.py']);
  assert.deepEqual(deployment.volumeMounts, [
    { name: 'code', mountPath: '/app', readOnly: true },
    { name: 'tmp', mountPath: '/tmp' },
  ]);
  assert.ok(lost.some((one) => /notes: readinessProbe of the container/.test(one)));
});

test('variables that are called otherwise than their keys are told for kmcp, which cannot', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': server });
  const { out, err } = await runIn(root, ['deploy', 'export', '--kmcp']);
  assert.match(err, /grafana: secrets: TOKEN comes under the name of its key/);
  assert.match(out, /secretRefs:\n\s+- name: grafana-token\n/);
  assert.match(out, /^apiVersion: kagent\.dev\/v1alpha1$/m);
});

test('one of both has to be said', async (t) => {
  const root = await tempFolder(t, { 'server.yaml': server });
  for (const flags of [[], ['--kmcp', '--toolhive']]) {
    const { code, err } = await runIn(root, ['deploy', 'export', ...flags]);
    assert.equal(code, 1);
    assert.match(err, /--toolhive or --kmcp/);
  }
});
