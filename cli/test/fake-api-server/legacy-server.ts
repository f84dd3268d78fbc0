import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { clusterProject, proxmox } from './cluster-project.ts';
import type { RequestSeen } from './faults.ts';
import type { Json } from './json.ts';

export const namespace = 'ai-platform';
const metadata = { name: 'proxmox-mcp', namespace };
const labels = { app: 'proxmox-mcp', component: 'mcp' };
export const convention = {
  'app.kubernetes.io/name': 'proxmox-mcp',
  'app.kubernetes.io/component': 'mcp-server',
};

export const isWrite = ({ method, path, query }: RequestSeen): boolean =>
  method !== 'GET' && !query.has('dryRun') && !path.includes('/proxy/');

/** A server as the old pattern has it, running, and a server.yaml that wants it as the convention does. */
export async function legacyServer(
  t: TestContext,
  backend: string,
  {
    manager = 'kubectl-client-side-apply',
    old = labels as Json,
    selector = { matchLabels: old } as Json,
    replicas = 1,
    own = {},
  } = {},
) {
  const project = await clusterProject(t, {
    files: { 'proxmox/server.yaml': `${proxmox}replicas: ${replicas}\n` },
  });
  const { fake } = project;
  const containers = [
    { name: 'proxmox', image: 'ghcr.io/acme/proxmox-mcp:1.4.2', env: [{ name: 'OLD', value: '1' }] },
  ];
  const template = { metadata: { labels: old }, spec: { containers } };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata, ...own },
    spec: { replicas, selector, template },
  };
  const ports = [{ port: 3000, targetPort: 3000 }];
  fake.put(deployment, manager);
  fake.put(
    { apiVersion: 'v1', kind: 'Service', metadata: { ...metadata, ...own }, spec: { selector: old, ports } },
    manager,
  );
  fake.settle();
  fake.state.backendOf = () => backend;
  const writes = () => fake.requests.filter(isWrite);
  const history = () => fake.endpointHistory(namespace, 'proxmox-mcp');
  const neverEmpty = () => {
    const from = history().findIndex((ready) => ready >= replicas);
    assert.ok(
      !history()
        .slice(from)
        .some((ready) => ready < replicas),
      `endpoints: ${history().join(' ')}`,
    );
  };
  return { ...project, writes, history, neverEmpty };
}
