/** One kind of object that the server keeps. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  /** Defined by a CustomResourceDefinition: lists are replaced as a whole, and there is no strategic merge. */
  readonly custom?: boolean;
}

const core = (kind: string, plural: string, rest: Partial<Kind> = {}): Kind => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  namespaced: true,
  ...rest,
});

export const builtIn: readonly Kind[] = [
  core('Namespace', 'namespaces', { namespaced: false, shortNames: ['ns'] }),
  core('Node', 'nodes', { namespaced: false, shortNames: ['no'] }),
  core('Pod', 'pods', { shortNames: ['po'] }),
  core('Service', 'services', { shortNames: ['svc'] }),
  core('ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  core('Secret', 'secrets'),
  core('ServiceAccount', 'serviceaccounts', { shortNames: ['sa'] }),
  core('Event', 'events', { shortNames: ['ev'] }),
  core('Deployment', 'deployments', { group: 'apps', shortNames: ['deploy'] }),
  core('ReplicaSet', 'replicasets', { group: 'apps', shortNames: ['rs'] }),
  core('EndpointSlice', 'endpointslices', { group: 'discovery.k8s.io' }),
  core('Ingress', 'ingresses', { group: 'networking.k8s.io', shortNames: ['ing'] }),
  core('NetworkPolicy', 'networkpolicies', { group: 'networking.k8s.io', shortNames: ['netpol'] }),
  core('Role', 'roles', { group: 'rbac.authorization.k8s.io' }),
  core('RoleBinding', 'rolebindings', { group: 'rbac.authorization.k8s.io' }),
  core('PodDisruptionBudget', 'poddisruptionbudgets', { group: 'policy', shortNames: ['pdb'] }),
];

const custom = (group: string, version: string, kind: string, plural: string): Kind => ({
  group,
  version,
  kind,
  plural,
  namespaced: true,
  custom: true,
});

/** Definitions that clusters of the field have; a test leaves out what its cluster has not. */
export const customKinds: readonly Kind[] = [
  custom('bitnami.com', 'v1alpha1', 'SealedSecret', 'sealedsecrets'),
  custom('secrets.infisical.com', 'v1alpha1', 'InfisicalSecret', 'infisicalsecrets'),
  custom('secrets.infisical.com', 'v1beta1', 'InfisicalConnection', 'infisicalconnections'),
  custom('secrets.infisical.com', 'v1beta1', 'InfisicalAuth', 'infisicalauths'),
  custom('secrets.infisical.com', 'v1beta1', 'InfisicalStaticSecret', 'infisicalstaticsecrets'),
  custom('monitoring.coreos.com', 'v1', 'ServiceMonitor', 'servicemonitors'),
  custom('helm.toolkit.fluxcd.io', 'v2', 'HelmRelease', 'helmreleases'),
  custom('kustomize.toolkit.fluxcd.io', 'v1', 'Kustomization', 'kustomizations'),
];

export const apiVersionOf = ({ group, version }: Kind): string =>
  group === '' ? version : `${group}/${version}`;

/** `deployments.apps`, `services`: as messages name a resource. */
export const resourceOf = ({ group, plural }: Kind): string => (group === '' ? plural : `${plural}.${group}`);

/** `Deployment.apps`, `Service`: as messages name a kind. */
export const groupKindOf = ({ group, kind }: Kind): string => (group === '' ? kind : `${kind}.${group}`);
