import { createHash } from 'node:crypto';
import type { Conventions } from '../spec/conventions.ts';
import type { LoadedServer } from '../spec/load.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { annotation, labelsOf } from './metadata.ts';
import { namesOf, portName } from './names.ts';
import { probesOf } from './probes.ts';
import { amountOf } from './quantity.ts';
import { secretsOf } from './secrets.ts';

/** The template of the Deployment: passes Pod Security "restricted". */
export function podTemplate({ spec, code }: LoadedServer, conventions: Conventions) {
  const names = namesOf(spec, conventions);
  const user = spec.runAsUser ?? conventions.runAsUser;
  const annotations = {
    ...spec.annotations,
    ...(spec.pattern === 'configmap' && { [annotation.codeChecksum]: checksumOf(code) }),
  };
  return {
    metadata: {
      labels: labelsOf(spec, conventions),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      ...(spec.permissions !== undefined && { serviceAccountName: names.workload }),
      automountServiceAccountToken: spec.permissions !== undefined,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 30,
      ...(spec.imagePullSecrets !== undefined && {
        imagePullSecrets: spec.imagePullSecrets.map((name) => ({ name })),
      }),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(spec.replicas > 1 && { topologySpreadConstraints: spreadOf(spec, conventions) }),
      containers: [containerOf(spec, conventions)],
      volumes: mountsOf(spec, conventions).map(({ name, source }) => ({ name, ...source })),
    },
  };
}

function containerOf(spec: ServerSpec, conventions: Conventions) {
  const { workload, port } = namesOf(spec, conventions);
  const { command, image } =
    spec.pattern === 'configmap' ? conventions.patterns.configmap : { command: undefined, image: undefined };
  return {
    name: workload,
    image: spec.image ?? image,
    ...((spec.command ?? command) !== undefined && { command: spec.command ?? command }),
    ...(spec.args !== undefined && { args: spec.args }),
    ports: [
      { name: portName, containerPort: port, protocol: 'TCP' },
      ...(hasOwnMetricsPort(spec, conventions)
        ? [{ name: 'metrics', containerPort: spec.metricsPort, protocol: 'TCP' }]
        : []),
    ],
    ...envOf(spec, conventions),
    resources: resourcesOf(spec, conventions),
    ...probesOf(spec, conventions),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: mountsOf(spec, conventions).map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly && { readOnly }),
    })),
  };
}

/** Whether metrics are answered at another port than MCP. */
export function hasOwnMetricsPort(spec: ServerSpec, conventions: Conventions): boolean {
  return spec.metricsPort !== undefined && spec.metricsPort !== namesOf(spec, conventions).port;
}

/** Secrets, so that the others can refer to them, then the pattern's variables and those of the spec, which win. */
function envOf(spec: ServerSpec, conventions: Conventions) {
  const port = `${namesOf(spec, conventions).port}`;
  const usual = Object.entries(conventions.patterns[spec.pattern].env).map(
    ([name, value]) => [name, value.replaceAll('{port}', port)] as const,
  );
  const plain = Object.entries({ ...Object.fromEntries(usual), ...spec.env }).map(([name, value]) => ({
    name,
    value,
  }));
  const secret = secretsOf(spec, conventions).flatMap(({ name: from, env }) =>
    Object.entries(env).map(([name, key]) => ({ name, valueFrom: { secretKeyRef: { name: from, key } } })),
  );
  const env = [...secret, ...plain.filter(({ name }) => !secret.some((one) => one.name === name))];
  return env.length === 0 ? {} : { env };
}

function resourcesOf({ pattern, resources = {} }: ServerSpec, conventions: Conventions) {
  const usual = conventions.patterns[pattern].resources;
  const requests: Record<string, string | undefined> = { ...usual.requests, ...resources.requests };
  const limits: Record<string, string | undefined> = { ...usual.limits, ...resources.limits };
  for (const resource of ['cpu', 'memory'] as const) {
    const [request = '0', limit = ''] = [requests[resource], limits[resource]];
    if ((amountOf(request) ?? 0) <= (amountOf(limit) ?? Infinity)) continue;
    // What the spec says stands; the usual value beside it gives way.
    if (resources.limits?.[resource] !== undefined) requests[resource] = limit;
    else limits[resource] = request;
  }
  return { requests, limits };
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly source: Readonly<Record<string, unknown>>;
}

/** Where the container reads or writes beside its image, with the volume behind it. */
function mountsOf(spec: ServerSpec, conventions: Conventions): readonly Mount[] {
  const code: readonly Mount[] =
    spec.pattern === 'configmap'
      ? [
          {
            name: 'code',
            mountPath: conventions.patterns.configmap.mountPath,
            readOnly: true,
            source: { configMap: { name: namesOf(spec, conventions).codeConfigMap } },
          },
        ]
      : [];
  const secrets = secretsOf(spec, conventions).flatMap(({ name, mountPath }, at) =>
    mountPath === undefined
      ? []
      : [{ name: `secret-${at + 1}`, mountPath, readOnly: true, source: { secret: { secretName: name } } }],
  );
  const writable = [...new Set(spec.writable)].filter((path) => path !== '/tmp');
  const empty = [{ name: 'tmp', mountPath: '/tmp' }].concat(
    writable.map((mountPath, at) => ({ name: `writable-${at + 1}`, mountPath })),
  );
  return [
    ...code,
    ...secrets,
    ...empty.map((mount) => ({ ...mount, readOnly: false, source: { emptyDir: {} } })),
  ];
}

/** Of the code as it is mounted: a pod with other code is another pod, so a change rolls them. */
export function checksumOf(code: LoadedServer['code']): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(code).sort()) hash.update(JSON.stringify([name, code[name]]));
  return hash.digest('hex');
}

function spreadOf(spec: ServerSpec, conventions: Conventions) {
  const { 'app.kubernetes.io/name': name } = labelsOf(spec, conventions);
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
  }));
}
