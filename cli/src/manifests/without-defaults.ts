import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../files/values.ts';
import type { KubernetesObject } from './object.ts';

type Fields = Record<string, unknown>;

const deployment = {
  revisionHistoryLimit: 10,
  progressDeadlineSeconds: 600,
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
};
const pod = {
  restartPolicy: 'Always',
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};
const container = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
};
const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const service = {
  sessionAffinity: 'None',
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  ipFamilyPolicy: 'SingleStack',
  ipFamilies: ['IPv4'],
};
/** Given out by the cluster, but of a Service without any. */
const addresses = ['clusterIP', 'clusterIPs'];

/** Takes away what the API server has filled in, which nobody wrote, as far as it is what it fills in. */
export function withoutDefaults(object: KubernetesObject): KubernetesObject {
  const made = structuredClone(object) as KubernetesObject & { spec?: Fields };
  if (made.spec === undefined) return made;
  if (made.kind === 'Deployment') {
    drop(made.spec, deployment);
    const template = fieldsOf(made.spec.template);
    const metadata = fieldsOf(template.metadata);
    if (metadata.creationTimestamp === null) delete metadata.creationTimestamp;
    cleanPod(fieldsOf(template.spec));
  }
  if (made.kind === 'Service') {
    drop(made.spec, service);
    if (made.spec.clusterIP !== 'None') for (const field of addresses) delete made.spec[field];
    for (const port of listOf(made.spec.ports))
      drop(port, { protocol: 'TCP', ...(port.targetPort === port.port && { targetPort: port.port }) });
  }
  return made;
}

function cleanPod(spec: Fields): void {
  drop(spec, pod);
  // An alias of serviceAccountName, from before that.
  drop(spec, { serviceAccount: spec.serviceAccountName });
  for (const one of [...listOf(spec.containers), ...listOf(spec.initContainers)]) cleanContainer(one);
  for (const volume of listOf(spec.volumes)) {
    for (const source of ['configMap', 'secret', 'projected', 'downwardAPI'])
      drop(fieldsOf(volume[source]), { defaultMode: 420 });
  }
}

function cleanContainer(one: Fields): void {
  const isLatest = !/:[^/]+$/.test(String(one.image)) || String(one.image).endsWith(':latest');
  drop(one, { ...container, imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent' });
  for (const port of listOf(one.ports)) drop(port, { protocol: 'TCP' });
  for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    const found = fieldsOf(one[name]);
    drop(found, probe);
    drop(fieldsOf(found.httpGet), { scheme: 'HTTP' });
  }
  for (const { valueFrom } of listOf(one.env))
    drop(fieldsOf(fieldsOf(valueFrom).fieldRef), { apiVersion: 'v1' });
}

function drop(fields: Fields, defaults: Fields): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (value !== undefined && isDeepStrictEqual(fields[name], value)) delete fields[name];
  }
}

/** Itself, where it is a mapping; an empty one, which nobody sees, where it is not. */
const fieldsOf = (value: unknown): Fields => (isMapping(value) ? (value as Fields) : {});

const listOf = (value: unknown): Fields[] =>
  (Array.isArray(value) ? value.filter(isMapping) : []) as Fields[];
