import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { arbitraryServer, projectOf } from '../../test/arbitrary-server.ts';
import { generate } from '../manifests/generate.ts';
import { printManifests } from '../manifests/print.ts';
import type { LoadedServer } from '../spec/load.ts';
import { serverSpec } from '../spec/server-spec.ts';
import { lint } from './lint.ts';

const project = projectOf();

// biome-ignore lint/suspicious/noExplicitAny: what is broken here has any shape
type Loose = any;
type Objects = Record<string, Loose>;

interface Mutant {
  readonly rule: string;
  readonly name: string;
  /** Breaks one thing; `false` where there is nothing to break. */
  readonly change: (objects: Objects) => unknown;
  readonly level?: 'warning';
}

const podOf = ({ Deployment }: Objects) => Deployment.spec.template.spec;
const containerOf = (objects: Objects) => podOf(objects).containers[0];
const envOf = (objects: Objects) => {
  const container = containerOf(objects);
  container.env = container.env ?? [];
  return container.env;
};
const error = (rule: string, name: string, change: Mutant['change']): Mutant => ({ rule, name, change });
const warning = (rule: string, name: string, change: Mutant['change']): Mutant => ({
  rule,
  name,
  change,
  level: 'warning',
});
const restricted = (name: string, change: (pod: Loose, container: Loose) => unknown): Mutant =>
  error('restricted', name, (objects) => change(podOf(objects), containerOf(objects)));

const mutants: readonly Mutant[] = [
  error('schema', 'replicas as text', ({ Deployment }) =>
    Object.assign(Deployment.spec, { replicas: 'two' }),
  ),
  error('schema', 'unknown field', ({ Deployment }) => Object.assign(Deployment.spec, { replica: 2 })),
  error('schema', 'unknown field deep down', (o) => Object.assign(containerOf(o).resources, { request: {} })),
  error('schema', 'wrong enum', (o) => Object.assign(containerOf(o), { imagePullPolicy: 'Sometimes' })),
  error('schema', 'old version', ({ NetworkPolicy }) =>
    Object.assign(NetworkPolicy, { apiVersion: 'extensions/v1beta1' }),
  ),
  error('schema', 'no kind', ({ NetworkPolicy }) => delete NetworkPolicy.kind),
  error('schema', 'labels as a list', ({ NetworkPolicy }) =>
    Object.assign(NetworkPolicy.metadata, { labels: ['a'] }),
  ),
  error('metadata', 'capitals', ({ NetworkPolicy }) =>
    Object.assign(NetworkPolicy.metadata, { name: 'Upper' }),
  ),
  error('metadata', 'no name', ({ NetworkPolicy }) => delete NetworkPolicy.metadata.name),
  error('metadata', 'bad label', ({ NetworkPolicy }) =>
    Object.assign(NetworkPolicy.metadata.labels, { 'a/b/c': 'x' }),
  ),
  error('metadata', 'bad label value', ({ NetworkPolicy }) =>
    Object.assign(NetworkPolicy.metadata.labels, { x: 'a b' }),
  ),
  error(
    'labels-missing',
    'no name label',
    ({ Deployment }) => delete Deployment.metadata.labels['app.kubernetes.io/name'],
  ),
  error(
    'labels-missing',
    'no component',
    ({ Service, ServiceMonitor }) =>
      !ServiceMonitor && delete Service.metadata.labels['app.kubernetes.io/component'],
  ),
  warning(
    'labels-extra',
    'no part-of',
    ({ Service }) => delete Service.metadata.labels['app.kubernetes.io/part-of'],
  ),
  error('selector', 'empty Service selector', ({ Service }) => Object.assign(Service.spec, { selector: {} })),
  error('selector', 'selects nothing', ({ Service }) =>
    Object.assign(Service.spec.selector, { nobody: 'here' }),
  ),
  error('ports', 'port 70000', ({ Service }) => Object.assign(Service.spec.ports[0], { port: 70_000 })),
  error('ports', 'targetPort of nothing', ({ Service }) =>
    Object.assign(Service.spec.ports[0], { targetPort: 'elsewhere' }),
  ),
  error('ports', 'targetPort as text', ({ Service }) =>
    Object.assign(Service.spec.ports[0], { targetPort: '8080' }),
  ),
  error(
    'ports',
    'no ports',
    ({ Service, Ingress, ServiceMonitor }) =>
      !Ingress && !ServiceMonitor && Object.assign(Service.spec, { ports: [] }),
  ),
  error('containers', 'no containers', ({ Deployment, Service, ServiceMonitor }) => {
    Deployment.spec.template.spec.containers = [];
    if (ServiceMonitor) return false;
    for (const port of Service.spec.ports) port.targetPort = port.port;
    return true;
  }),
  error('containers', 'two probes in one', (o) =>
    Object.assign(containerOf(o).livenessProbe, {
      httpGet: { path: '/x', port: 80 },
      tcpSocket: { port: 80 },
    }),
  ),
  error('containers', 'mount of nothing', (o) =>
    containerOf(o).volumeMounts.push({ name: 'gone', mountPath: '/gone' }),
  ),
  error('containers', 'two sources', (o) =>
    envOf(o).push({
      name: 'A',
      valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, resourceFieldRef: { resource: 'limits.cpu' } },
    }),
  ),
  error('containers', 'negative', ({ Deployment }) =>
    Object.assign(Deployment.spec, { minReadySeconds: -1 }),
  ),
  error('image-latest', 'latest', (o) => Object.assign(containerOf(o), { image: 'ghcr.io/acme/x:latest' })),
  error('image-latest', 'no tag', (o) => Object.assign(containerOf(o), { image: 'localhost:5000/x' })),
  error('image-latest', 'no image at all', (o) => Object.assign(containerOf(o), { image: 'UPPER CASE' })),
  restricted('hostNetwork', (pod) => Object.assign(pod, { hostNetwork: true })),
  restricted('hostPID', (pod) => Object.assign(pod, { hostPID: true })),
  restricted('hostIPC', (pod) => Object.assign(pod, { hostIPC: true })),
  restricted('hostPath', (pod) => pod.volumes.push({ name: 'h', hostPath: { path: '/' } })),
  restricted('nfs', (pod) => pod.volumes.push({ name: 'h', nfs: { server: 'a', path: '/' } })),
  restricted('sysctl', (pod) =>
    Object.assign(pod.securityContext, { sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
  ),
  restricted('root', (pod) => Object.assign(pod.securityContext, { runAsUser: 0 })),
  restricted('may be root', (pod) => delete pod.securityContext.runAsNonRoot),
  restricted('may be root in the container', (_, container) =>
    Object.assign(container.securityContext, { runAsNonRoot: false }),
  ),
  restricted('no user', (pod) => delete pod.securityContext.runAsUser),
  restricted('seccomp off', (pod) =>
    Object.assign(pod.securityContext, { seccompProfile: { type: 'Unconfined' } }),
  ),
  restricted('no seccomp', (pod) => delete pod.securityContext.seccompProfile),
  restricted('seccomp off in the container', (_, container) =>
    Object.assign(container.securityContext, { seccompProfile: { type: 'Unconfined' } }),
  ),
  restricted('privileged', (_, container) => Object.assign(container.securityContext, { privileged: true })),
  restricted('escalation', (_, container) => delete container.securityContext.allowPrivilegeEscalation),
  restricted('capabilities', (_, container) => delete container.securityContext.capabilities),
  restricted('SYS_ADMIN', (_, container) =>
    Object.assign(container.securityContext.capabilities, { add: ['SYS_ADMIN'] }),
  ),
  restricted('procMount', (_, container) =>
    Object.assign(container.securityContext, { procMount: 'Unmasked' }),
  ),
  restricted('hostPort', (_, container) => Object.assign(container.ports[0], { hostPort: 80 })),
  restricted('AppArmor', (pod) =>
    Object.assign(pod.securityContext, { appArmorProfile: { type: 'Unconfined' } }),
  ),
  restricted('SELinux type', (pod) =>
    Object.assign(pod.securityContext, { seLinuxOptions: { type: 'spc_t' } }),
  ),
  restricted('SELinux user', (pod) =>
    Object.assign(pod.securityContext, { seLinuxOptions: { user: 'system_u' } }),
  ),
  restricted('hostProcess', (pod) =>
    Object.assign(pod.securityContext, { windowsOptions: { hostProcess: true } }),
  ),
  restricted('probe of another host', (_, container) =>
    Object.assign(container, { livenessProbe: { tcpSocket: { host: '10.0.0.1', port: 80 } } }),
  ),
  restricted('hook of another host', (_, container) =>
    Object.assign(container, { lifecycle: { preStop: { httpGet: { host: '10.0.0.1', port: 80 } } } }),
  ),
  restricted('writable root', (_, container) => delete container.securityContext.readOnlyRootFilesystem),
  restricted('init container', (pod, container) =>
    Object.assign(pod, {
      initContainers: [
        {
          ...container,
          name: 'before',
          ports: undefined,
          startupProbe: undefined,
          livenessProbe: undefined,
          readinessProbe: undefined,
          securityContext: { ...container.securityContext, privileged: true },
        },
      ],
    }),
  ),
  restricted('ephemeral container', (pod, container) =>
    Object.assign(pod, {
      ephemeralContainers: [
        { name: 'debug', image: container.image, securityContext: { capabilities: { drop: ['ALL'] } } },
      ],
    }),
  ),
  error('resources', 'more than the limit', (o) =>
    Object.assign(containerOf(o).resources, { requests: { cpu: '50m', memory: '64Gi' } }),
  ),
  error('schema', 'no quantity', (o) => Object.assign(containerOf(o).resources.requests, { cpu: '1 core' })),
  error('resources', 'none', (o) => delete containerOf(o).resources),
  warning('resources', 'no memory limit', (o) => delete containerOf(o).resources.limits.memory),
  warning('probes', 'none', (o) => delete containerOf(o).readinessProbe),
  warning('probes', 'of the endpoint', (o) =>
    Object.assign(containerOf(o), { readinessProbe: { httpGet: { path: '/mcp', port: 80 } } }),
  ),
  warning('configmap-install', 'pip at the start', (o) =>
    Object.assign(containerOf(o), { command: ['sh', '-c', 'pip install x && python y'] }),
  ),
  warning('configmap-secret', 'a token', (o) =>
    envOf(o).push({ name: 'API_TOKEN', value: 'c2VjcmV0dmFsdWU' }),
  ),
  error('secret-ref', 'of nobody', (o) =>
    envOf(o).push({
      name: 'A',
      valueFrom: { secretKeyRef: { name: 'nobody-makes', key: 'a' } },
    }),
  ),
  error('dangling-ref', 'collector', (o) =>
    envOf(o).push({
      name: 'OTEL',
      value: 'http://arcade-otel-collector.monitoring.svc:4317',
    }),
  ),
  error('dangling-ref', 'ConfigMap', (o) =>
    Object.assign(containerOf(o), { envFrom: [{ configMapRef: { name: 'nobody-has' } }] }),
  ),
  error(
    'dangling-ref',
    'ServiceAccount',
    (o) => !o.ServiceAccount && Object.assign(podOf(o), { serviceAccountName: 'nobody' }),
  ),
  warning('rollout', 'Default deadline', ({ Deployment }) => delete Deployment.spec.progressDeadlineSeconds),
  warning('rollout', 'default strategy', ({ Deployment }) => delete Deployment.spec.strategy),
  warning(
    'service',
    'unnamed',
    ({ Service, Ingress, ServiceMonitor }) =>
      !Ingress && !ServiceMonitor && Service.spec.ports.length === 1 && delete Service.spec.ports[0].name,
  ),
];

const sound = arbitraryServer().filter(({ spec }) => spec.path === '/mcp');

function textOf(server: LoadedServer, change: (objects: Objects) => unknown): string | null {
  const objects = structuredClone(generate(server, project, {})) as Loose[];
  const byKind = Object.fromEntries(objects.map((object) => [object.kind, object]).reverse());
  return change(byKind) === false ? null : printManifests(objects);
}

async function findingsOf(server: LoadedServer, text: string) {
  const file = `${project.conventions.folder}/${server.spec.name}-mcp.yaml`;
  return await lint(project, [
    { path: `/repo/${file}`, shown: file, kind: 'manifest', text },
    { path: '/repo/server.yaml', shown: 'server.yaml', kind: 'server', text: stringify(server.spec) },
  ]);
}

for (const { rule, name, change, level = 'error' } of mutants) {
  test(`${rule}: ${name} is found, at its place, and no other rule calls it an error`, async () => {
    let broken = 0;
    await fc.assert(
      fc.asyncProperty(sound, async (server) => {
        const text = textOf(server, change);
        fc.pre(text !== null && text !== textOf(server, () => {}));
        broken++;
        assert.ok(text !== null);
        const findings = await findingsOf(server, text);
        const own = findings.filter((finding) => finding.rule === rule && finding.level === level);
        assert.ok(own.length > 0, `${rule} says nothing`);
        for (const { line, column } of own) assert.ok(line > 1 || column >= 1);
        assert.deepEqual(
          findings.filter((finding) => finding.level === 'error' && finding.rule !== rule),
          [],
        );
      }),
      { numRuns: 4 },
    );
    if (name !== 'another namespace' && name !== 'old AppArmor')
      assert.ok(broken > 0, 'something was broken');
  });
}

test('the spec that the mutants are made of is one', () => {
  assert.ok(serverSpec.safeParse({ name: 'a', owner: 'b', pattern: 'image', image: 'c/d:1' }).success);
});
