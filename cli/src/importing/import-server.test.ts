import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arbitraryServer, projectOf } from '../../test/arbitrary-server.ts';
import { isMapping } from '../files/values.ts';
import { fieldsAt, itemsAt } from '../manifests/fields.ts';
import { generate } from '../manifests/generate.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import { serverSpec } from '../spec/server-spec.ts';
import { groupSources } from './group.ts';
import { importServer } from './import-server.ts';

const project = projectOf();
const target = '/repo/file.yaml';

function importObjects(objects: readonly KubernetesObject[], at = project) {
  const [group, ...more] = groupSources(objects.map((object) => ({ path: target, object })));
  assert.ok(group !== undefined && more.length === 0);
  return importServer(group, at, target);
}

/** The order of objects and secrets, and what volumes are called, make no difference to a cluster. */
function inAnyOrder(objects: readonly KubernetesObject[]): readonly unknown[] {
  const sorted = objects.toSorted((a, b) =>
    `${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1,
  );
  return sorted.map((object) => {
    const pod = fieldsAt(object, 'spec', 'template', 'spec');
    if (object.kind !== 'Deployment') return object;
    const [container] = itemsAt(pod, 'containers');
    const volumes = itemsAt(container, 'volumeMounts').map((mount) => {
      const { name: _, ...source } = itemsAt(pod, 'volumes').find(({ name }) => name === mount.name) ?? {};
      return { ...mount, name: JSON.stringify(source) };
    });
    const env = itemsAt(container, 'env').toSorted((a, b) => (`${a.name}` < `${b.name}` ? -1 : 1));
    const rest = { ...container, volumeMounts: volumes.toSorted((a, b) => (a.name < b.name ? -1 : 1)), env };
    const spec = fieldsAt(object, 'spec');
    const template = { ...fieldsAt(spec, 'template'), spec: { ...pod, containers: [rest], volumes: [] } };
    return { ...object, spec: { ...spec, template } };
  });
}

test('what was generated is read back as the spec that it was generated from: no patch, no object, the same manifests', () => {
  fc.assert(
    fc.property(arbitraryServer(), (server) => {
      const objects = generate(server, project, {});
      const imported = importObjects(objects);
      const spec = serverSpec.parse(imported.spec);
      assert.deepEqual([spec.patches, spec.objects, imported.told], [[], [], []]);
      const again = generate({ ...server, spec, code: imported.code }, project, {});
      assert.deepEqual(inAnyOrder(again), inAnyOrder(objects));
    }),
    { numRuns: 100 },
  );
});

/** Manifests as people write them: other labels and names, less of what is safe, more of what the spec has no word for. */
const foreign = fc
  .record({
    server: arbitraryServer(),
    legacy: fc.boolean(),
    unlabelled: fc.boolean(),
    bare: fc.boolean(),
    ports: fc.constantFrom('http', 'web', undefined),
    pod: fc.record(
      {
        imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent'),
        lifecycle: fc.constant({ preStop: { exec: { command: ['sleep', '5'] } } }),
        envFrom: fc.constant([{ configMapRef: { name: 'settings' } }]),
        workingDir: fc.constantFrom('/srv'),
        stdin: fc.constant(true),
        readinessProbe: fc.constantFrom<object>(
          { exec: { command: ['true'] }, periodSeconds: 7 },
          { tcpSocket: { port: 4321 }, failureThreshold: 9 },
          { httpGet: { path: '/ready', port: 4321, httpHeaders: [{ name: 'A', value: 'b' }] } },
        ),
        resources: fc.constantFrom<object>(
          { limits: { cpu: 2, 'nvidia.com/gpu': '1' } },
          { requests: { memory: '1Ti' } },
        ),
        securityContext: fc.constantFrom<object>(
          { runAsUser: 0, privileged: true },
          { capabilities: { add: ['NET_BIND_SERVICE'] } },
        ),
      },
      { requiredKeys: [] },
    ),
    template: fc.record(
      {
        tolerations: fc.constant([{ key: 'gpu', operator: 'Exists' }]),
        nodeSelector: fc.constant({ disk: 'ssd' }),
        hostNetwork: fc.constant(true),
        serviceAccountName: fc.constant('reader'),
        initContainers: fc.constant([{ name: 'wait', image: 'busybox:1', command: ['true'] }]),
        terminationGracePeriodSeconds: fc.integer({ min: 31, max: 90 }),
        dnsPolicy: fc.constant('None'),
      },
      { requiredKeys: [] },
    ),
    deployment: fc.record(
      {
        strategy: fc.constantFrom<object>({ type: 'Recreate' }, { rollingUpdate: { maxUnavailable: 1 } }),
        minReadySeconds: fc.integer({ min: 1, max: 9 }),
        revisionHistoryLimit: fc.integer({ min: 5, max: 9 }),
      },
      { requiredKeys: [] },
    ),
    service: fc.record(
      {
        type: fc.constantFrom('LoadBalancer', 'NodePort'),
        sessionAffinity: fc.constant('ClientIP'),
        externalTrafficPolicy: fc.constant('Local'),
        port: fc.constantFrom(80),
      },
      { requiredKeys: [] },
    ),
    sidecar: fc.boolean(),
    volumes: fc.boolean(),
    fieldRef: fc.boolean(),
    extra: fc.boolean(),
  })
  .map((wild) => {
    const name = `${wild.server.spec.name}-mcp`;
    const made = generate(wild.server, project, {}).filter(
      ({ kind }) => !(wild.bare && ['NetworkPolicy', 'PodDisruptionBudget'].includes(kind)),
    );
    const labels = wild.legacy ? { app: name, component: 'mcp' } : { 'app.kubernetes.io/name': name };
    const objects = made.map((object) => {
      const metadata = { ...object.metadata, labels: { ...labels, 'example.com/squad': 'blue' } };
      if (object.kind === 'Deployment')
        return { ...object, metadata, spec: wildDeployment(object, labels, wild) };
      if (object.kind !== 'Service' || object.metadata.name !== name) return { ...object, metadata };
      const { port, ...more } = wild.service;
      const [first, ...others] = itemsAt(object, 'spec', 'ports');
      const target = itemsAt(
        made.find(({ kind }) => kind === 'Deployment'),
        'spec',
        'template',
        'spec',
        'containers',
        0,
        'ports',
      )[0]?.containerPort;
      const { appProtocol: _, ...plain } = first ?? {};
      const mcp = {
        ...plain,
        name: wild.ports,
        targetPort: wild.ports ?? target,
        ...(port !== undefined && { port }),
      };
      return {
        ...object,
        metadata,
        spec: { ...fieldsAt(object, 'spec'), selector: labels, ports: [mcp, ...others], ...more },
      };
    });
    const extra = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaler', namespace: objects[0]?.metadata.namespace },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, maxReplicas: 17 },
    };
    return JSON.parse(JSON.stringify(wild.extra ? [...objects, extra] : objects)) as KubernetesObject[];
  });

type Wild = {
  readonly unlabelled: boolean;
  readonly bare: boolean;
  readonly ports: string | undefined;
  readonly pod: object;
  readonly template: object;
  readonly deployment: object;
  readonly sidecar: boolean;
  readonly volumes: boolean;
  readonly fieldRef: boolean;
};

function wildDeployment(object: KubernetesObject, labels: Record<string, string>, wild: Wild): object {
  const pod = fieldsAt(object, 'spec', 'template', 'spec');
  const { securityContext, startupProbe, livenessProbe, resources, ...main } =
    itemsAt(pod, 'containers')[0] ?? {};
  const safe = wild.bare ? {} : { securityContext, startupProbe, livenessProbe, resources };
  const ports = itemsAt(main, 'ports').map((one, at) => (at === 0 ? { ...one, name: wild.ports } : one));
  const claim = { name: 'tmp', persistentVolumeClaim: { claimName: 'data' } };
  const field = { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };
  const renamed = (list: unknown) =>
    (list as { name: string }[]).map((one) => ({ ...one, name: `v-${one.name}` }));
  const container = {
    ...main,
    ...(wild.bare ? {} : safe),
    readinessProbe: undefined,
    ...(wild.bare ? {} : { startupProbe: undefined, livenessProbe: undefined }),
    name: 'server',
    ports,
    env: [...itemsAt(main, 'env'), ...(wild.fieldRef ? [field] : [])],
    volumeMounts: [
      ...renamed(main.volumeMounts),
      ...(wild.volumes ? [{ name: 'tmp', mountPath: '/big', subPath: 'x' }] : []),
    ],
    ...wild.pod,
  };
  const { securityContext: _, ...unsafe } = pod;
  const sidecar = {
    name: 'proxy',
    image: 'envoy:1',
    env: [{ name: 'A', value: 'b' }],
    ports: [{ containerPort: 9 }],
  };
  return {
    replicas: fieldsAt(object, 'spec').replicas,
    selector: { matchLabels: labels },
    ...wild.deployment,
    template: {
      metadata: {
        ...(wild.unlabelled ? {} : { labels }),
        annotations: fieldsAt(object, 'spec', 'template', 'metadata', 'annotations'),
      },
      spec: {
        ...(wild.bare ? unsafe : pod),
        containers: wild.sidecar ? [container, sidecar] : [container],
        volumes: [...renamed(pod.volumes), ...(wild.volumes ? [claim] : [])],
        ...wild.template,
      },
    },
  };
}

/** What a manifest says, as `field=value`, but for names that the convention gives and what they are referred to by. */
function leavesOf(value: unknown, field = '', under = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => leavesOf(item, field, under));
  if (isMapping(value)) {
    return Object.entries(value).flatMap(([name, inner]) => {
      const byConvention = ['labels', 'selector', 'podSelector', 'targetPort', 'checksum/code'].includes(
        name,
      );
      const named =
        name === 'name' && ['containers', 'ports', 'volumes', 'volumeMounts', 'port'].includes(field);
      return byConvention || named ? [] : leavesOf(inner, name, field);
    });
  }
  return [
    `${under}.${field}=${JSON.stringify(typeof value === 'number' && under === 'limits' ? `${value}` : value)}`,
  ];
}

test('whatever people wrote, everything of it comes out again', () => {
  fc.assert(
    fc.property(foreign, (objects) => {
      const imported = importObjects(objects);
      const spec = serverSpec.parse(imported.spec);
      const server = { spec, path: target, folder: '', code: imported.code };
      const again = generate(server, project, spec.expose.nodePort === 'auto' ? { nodePort: 30_001 } : {});
      const there = new Set(again.flatMap((object) => leavesOf(object)));
      const lost = objects.flatMap((object) => leavesOf(object)).filter((leaf) => !there.has(leaf));
      assert.deepEqual(lost, []);
      assert.ok(again.every(({ metadata }) => metadata.name !== undefined));
    }),
    { numRuns: 100 },
  );
});

test('an owner is one that server.yaml can name, or nobody', () => {
  const template = { spec: { containers: [{ name: 'a', image: 'ghcr.io/acme/a-mcp:1' }] } };
  const ownerOf = (annotations: Record<string, string>): unknown => {
    const metadata = { name: 'a-mcp', annotations };
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { template } };
    return importObjects([deployment as KubernetesObject]).spec.owner;
  };
  const tooLong = 'x'.repeat(201);
  assert.equal(ownerOf({ 'sallyport.dev/owner': '', 'acme.example/team': 'tools' }), 'tools');
  assert.equal(ownerOf({ 'acme.example/owner': tooLong, team: 'tools' }), 'tools');
  assert.equal(ownerOf({ 'sallyport.dev/owner': tooLong }), 'unknown');
});

test('what refers to the container, its port or a volume by a name finds it under the new one', () => {
  const ports = [{ name: 'web', containerPort: 3000 }];
  const usage = { resource: 'limits.cpu', containerName: 'main' };
  const main = {
    name: 'main',
    image: 'ghcr.io/x/odd:2',
    ports,
    env: [{ name: 'CPU', valueFrom: { resourceFieldRef: usage } }],
    lifecycle: { preStop: { httpGet: { path: '/bye', port: 'web' } } },
    volumeDevices: [{ name: 'tmp', devicePath: '/dev/x' }],
  };
  const labels = { app: 'odd-mcp' };
  const volumes = [
    { name: 'tmp', persistentVolumeClaim: { claimName: 'block' } },
    { name: 'info', downwardAPI: { items: [{ path: 'cpu', resourceFieldRef: usage }] } },
  ];
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [main], volumes } },
  };
  const imported = importObjects([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'odd-mcp' }, spec } as KubernetesObject,
  ]);
  const server = { spec: serverSpec.parse(imported.spec), path: target, folder: '', code: imported.code };
  const made = generate(server, project, {}).find(({ kind }) => kind === 'Deployment');
  const pod = fieldsAt(made, 'spec', 'template', 'spec');
  const [container] = itemsAt(pod, 'containers');
  const text = JSON.stringify(pod);
  assert.deepEqual(text.match(/"containerName":"[^"]+"/g), Array(2).fill('"containerName":"odd-mcp"'));
  assert.equal(fieldsAt(container, 'lifecycle', 'preStop', 'httpGet').port, 'http-mcp');
  const device = itemsAt(container, 'volumeDevices')[0]?.name;
  const claimed = itemsAt(pod, 'volumes').find((volume) => volume.persistentVolumeClaim !== undefined);
  assert.equal(device, claimed?.name);
});

test('selectors by expressions become those of the convention, and a policy that closes the server stays one', () => {
  const labels = { app: 'odd-mcp', tier: 'tools' };
  const selector = {
    matchExpressions: [
      { key: 'app', operator: 'In', values: ['odd-mcp', 'odd'] },
      { key: 'tier', operator: 'Exists' },
      { key: 'canary', operator: 'DoesNotExist' },
    ],
  };
  const others = { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['tools'] }] };
  const deployment = {
    selector,
    template: { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'ghcr.io/x/odd:2' }] } },
  };
  const to = [{ ipBlock: { cidr: '10.1.0.0/24' } }];
  const closed = { podSelector: selector, policyTypes: ['Egress'], egress: [{ to }] };
  const object = (apiVersion: string, kind: string, name: string, spec: object) =>
    ({ apiVersion, kind, metadata: { name }, spec }) as unknown as KubernetesObject;
  const imported = importObjects([
    object('apps/v1', 'Deployment', 'odd-mcp', deployment),
    object('networking.k8s.io/v1', 'NetworkPolicy', 'odd-mcp', closed),
    object('networking.k8s.io/v1', 'NetworkPolicy', 'odd-mcp-others', { ...closed, podSelector: others }),
  ]);
  const spec = serverSpec.parse(imported.spec);
  assert.deepEqual(spec.egress, [{ cidr: '10.1.0.0/24' }]);
  assert.match(imported.told.join(), /app in \(odd-mcp,odd\),tier,!canary\) cannot be changed in place/);
  const made = generate({ spec, path: target, folder: '', code: imported.code }, project, {});
  const selectors = made.flatMap((one) => {
    const { podSelector, selector: own } = fieldsAt(one, 'spec');
    return one.kind === 'Service' ? [] : [[one.metadata.name, podSelector ?? own]];
  });
  const matchLabels = {
    'app.kubernetes.io/name': 'odd-mcp',
    'app.kubernetes.io/component': 'mcp-server',
  };
  assert.deepEqual(selectors, [
    ['odd-mcp', { matchLabels }],
    ['odd-mcp', { matchLabels }],
    ['odd-mcp-others', others],
  ]);
});
