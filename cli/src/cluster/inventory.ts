import { CommandError } from '../command-error.ts';
import { isMapping } from '../files/values.ts';
import { type KubernetesObject, objectTitle } from '../manifests/object.ts';
import { withoutDefaults } from '../manifests/without-defaults.ts';
import type { Cluster } from './cluster.ts';
import type { Live, LiveDeployment, LiveService } from './live.ts';

/** What belongs to one server in a cluster. */
export interface Inventory {
  readonly deployment: LiveDeployment;
  readonly service: LiveService | null;
  readonly items: readonly InventoryItem[];
}

export interface InventoryItem {
  readonly object: Live;
  /** Why it is left where it is; null where it goes with the server. */
  readonly stays: string | null;
}

const kinds: readonly (readonly [string, string])[] = [
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['v1', 'ServiceAccount'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['bitnami.com/v1alpha1', 'SealedSecret'],
  ['secrets.infisical.com/v1alpha1', 'InfisicalSecret'],
  ['secrets.infisical.com/v1beta1', 'InfisicalStaticSecret'],
  ['monitoring.coreos.com/v1', 'ServiceMonitor'],
];

/** Finds a server by the name of its Deployment, or by its labels, and everything that is there only for it. */
export async function inventoryOf(cluster: Cluster, workload: string): Promise<Inventory> {
  const deployments = await cluster.list<LiveDeployment>({ apiVersion: 'apps/v1', kind: 'Deployment' });
  const found = deployments.filter(({ metadata }) => {
    const { app, 'app.kubernetes.io/name': name } = metadata.labels ?? {};
    return metadata.name === workload || name === workload || app === workload;
  });
  const [deployment] = found;
  if (deployment === undefined || found.length > 1) {
    const said =
      found.length === 0
        ? `${cluster.name} has no Deployment ${workload}`
        : `${cluster.name} has more than one Deployment ${workload}: ${found.map(objectTitle).join(', ')}`;
    throw new CommandError('migrate.not-found', said, [
      'It is looked for by its name and by the labels app.kubernetes.io/name and app.',
    ]);
  }
  const { namespace = 'default' } = deployment.metadata;
  const others = deployments.filter(
    (other) => other !== deployment && other.metadata.namespace === namespace,
  );
  const items: InventoryItem[] = [{ object: deployment, stays: null }];
  const names = referredNames(deployment.spec.template);
  const selectable = deployment.spec.template.metadata?.labels ?? {};
  for (const [apiVersion, kind] of kinds) {
    const objects = await cluster.list({ apiVersion, kind, namespace });
    for (const object of objects) {
      if (!belongs(object, workload, names, selectable)) continue;
      const user = others.find(
        (other) => referredNames(other.spec.template).has(object.metadata.name) && kind !== 'Service',
      );
      items.push({ object, stays: user === undefined ? null : `${user.metadata.name} uses it, too` });
    }
  }
  const service = items.find(({ object }) => object.kind === 'Service')?.object as LiveService | undefined;
  return { deployment, service: service ?? null, items };
}

function belongs(
  object: Live,
  workload: string,
  names: ReadonlySet<string>,
  labels: Readonly<Record<string, string>>,
): boolean {
  const { kind, metadata } = object;
  if (metadata.name === 'default' || metadata.name === 'kube-root-ca.crt') return false;
  const { app, 'app.kubernetes.io/name': name } = metadata.labels ?? {};
  if (metadata.name === workload || name === workload || app === workload) return true;
  if (kind === 'ConfigMap' || kind === 'ServiceAccount' || kind.includes('Secret'))
    return names.has(metadata.name);
  if (kind !== 'Service') return false;
  const selector = Object.entries((object as LiveService).spec.selector ?? {});
  return selector.length > 0 && selector.every(([label, value]) => labels[label] === value);
}

/** Names of all that a pod template refers to: ConfigMaps, Secrets, its ServiceAccount. */
function referredNames(template: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = (value: unknown, field: string): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, field);
    if (field === 'serviceAccountName' || field === 'secretName') names.add(String(value));
    if (!isMapping(value)) return;
    if (/^(configMap|secret)(KeyRef|Ref)?$|^imagePullSecrets$/.test(field) && typeof value.name === 'string')
      names.add(value.name);
    for (const [name, inner] of Object.entries(value)) walk(inner, name);
  };
  walk(template, '');
  return names;
}

const kept = ['name', 'namespace', 'labels', 'annotations'] as const;

/** An object as a person would have written it for another namespace: without what the cluster keeps or fills in, and its addresses there. */
export function exported(object: Live, namespace: string): KubernetesObject {
  const { status: _status, metadata, ...rest } = structuredClone(object) as Live & { status?: unknown };
  const clean = Object.fromEntries(
    kept.flatMap((field) => (metadata[field] === undefined ? [] : [[field, metadata[field]]])),
  );
  const annotations = Object.entries((clean.annotations ?? {}) as Record<string, string>).filter(
    ([name]) =>
      !/^(kubectl\.kubernetes\.io|deployment\.kubernetes\.io|kustomize\.toolkit\.fluxcd\.io|meta\.helm\.sh)\//.test(
        name,
      ),
  );
  const labels = Object.entries((clean.labels ?? {}) as Record<string, string>).filter(
    ([name]) => !/^(kustomize|helm)\.toolkit\.fluxcd\.io\//.test(name),
  );
  delete clean.annotations;
  delete clean.labels;
  if (annotations.length > 0) clean.annotations = Object.fromEntries(annotations);
  if (labels.length > 0) clean.labels = Object.fromEntries(labels);
  const made = { ...rest, metadata: clean } as unknown as KubernetesObject & {
    spec?: Record<string, unknown>;
  };
  if (object.kind === 'Service' && made.spec !== undefined) withoutAddresses(made.spec);
  for (const subject of (made.subjects ?? []) as { namespace?: string }[]) {
    if (subject.namespace === metadata.namespace) subject.namespace = namespace;
  }
  return withoutDefaults({ ...made, metadata: { ...made.metadata, namespace } });
}

function withoutAddresses(spec: Record<string, unknown>): void {
  for (const field of [
    'clusterIP',
    'clusterIPs',
    'ipFamilies',
    'ipFamilyPolicy',
    'internalTrafficPolicy',
    'externalTrafficPolicy',
    'healthCheckNodePort',
  ]) {
    delete spec[field];
  }
  for (const port of (spec.ports ?? []) as Record<string, unknown>[]) delete port.nodePort;
}
