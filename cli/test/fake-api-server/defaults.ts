import type { Json } from './json.ts';
import type { Kind } from './kinds.ts';

/** Fills in what the API server fills in for fields that are left out, where somebody could notice. */
export function withDefaults(kind: Kind, given: Json): Json {
  const object = structuredClone(given);
  if (kind.kind === 'Deployment') defaultDeployment(object.spec);
  if (kind.kind === 'Service') defaultService(object.spec);
  if (kind.kind === 'Pod') defaultPodSpec(object.spec);
  if (kind.kind === 'Secret') defaultSecret(object);
  if (kind.kind === 'NetworkPolicy')
    object.spec.policyTypes ??= ['Ingress', ...(object.spec.egress ? ['Egress'] : [])];
  if (kind.kind === 'Namespace') {
    object.spec ??= {};
    object.spec.finalizers ??= ['kubernetes'];
    object.status ??= { phase: 'Active' };
    object.metadata.labels = {
      'kubernetes.io/metadata.name': object.metadata.name,
      ...object.metadata.labels,
    };
  }
  return object;
}

function fill(object: Json, defaults: Json): void {
  for (const [field, value] of Object.entries(defaults)) object[field] ??= value;
}

function defaultDeployment(spec: Json): void {
  if (spec === undefined) return;
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {} });
  fill(spec.strategy, { type: 'RollingUpdate' });
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    fill(spec.strategy.rollingUpdate, { maxUnavailable: '25%', maxSurge: '25%' });
  }
  if (spec.template?.spec !== undefined) defaultPodSpec(spec.template.spec);
}

function defaultPodSpec(spec: Json): void {
  fill(spec, {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  });
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    defaultContainer(container);
  for (const volume of spec.volumes ?? []) {
    if (volume.configMap !== undefined) fill(volume.configMap, { defaultMode: 420 });
    if (volume.secret !== undefined) fill(volume.secret, { defaultMode: 420 });
  }
}

function defaultContainer(container: Json): void {
  const isLatest = !/[:@][^/]*$/.test(container.image ?? '') || /:latest$/.test(container.image ?? '');
  fill(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    resources: {},
  });
  for (const port of container.ports ?? []) fill(port, { protocol: 'TCP' });
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) defaultProbe(container[probe]);
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) fill(valueFrom.fieldRef, { apiVersion: 'v1' });
  }
}

function defaultProbe(probe: Json): void {
  if (probe === undefined) return;
  fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  if (probe.httpGet !== undefined) fill(probe.httpGet, { path: '/', scheme: 'HTTP' });
}

function defaultService(spec: Json): void {
  if (spec === undefined) return;
  fill(spec, {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  });
  if (spec.type !== 'ClusterIP') fill(spec, { externalTrafficPolicy: 'Cluster' });
  for (const port of spec.ports ?? []) fill(port, { protocol: 'TCP', targetPort: port.port });
}

function defaultSecret(object: Json): void {
  object.type ??= 'Opaque';
  for (const [key, text] of Object.entries(object.stringData ?? {})) {
    object.data = { ...object.data, [key]: Buffer.from(text as string).toString('base64') };
  }
  delete object.stringData;
}
