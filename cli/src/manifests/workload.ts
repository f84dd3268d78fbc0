import type { Conventions } from '../spec/conventions.ts';
import type { LoadedServer } from '../spec/load.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { annotation, metadataOf } from './metadata.ts';
import { namesOf, selectorOf } from './names.ts';
import type { KubernetesObject } from './object.ts';
import { podTemplate } from './pod.ts';
import { secretsOf } from './secrets.ts';

export function deployment(server: LoadedServer, conventions: Conventions): KubernetesObject {
  const { spec } = server;
  const reloads = secretsOf(spec, conventions).some(({ from }) => from === 'infisical');
  const annotations = {
    [annotation.owner]: spec.owner,
    ...(spec.description !== undefined && { [annotation.description]: spec.description }),
    [annotation.pattern]: spec.pattern,
    ...(spec.path !== '/mcp' && { [annotation.path]: spec.path }),
    ...(reloads && { 'secrets.infisical.com/auto-reload': 'true' }),
    ...spec.annotations,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(spec, conventions, { annotations }),
    spec: {
      replicas: spec.replicas,
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 120,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: selectorOf(spec, conventions) },
      template: podTemplate(server, conventions),
    },
  };
}

/** The code of the pattern `configmap`. */
export function codeConfigMap(
  { spec, code }: LoadedServer,
  conventions: Conventions,
): readonly KubernetesObject[] {
  if (spec.pattern !== 'configmap') return [];
  const metadata = metadataOf(spec, conventions, { name: namesOf(spec, conventions).codeConfigMap });
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: code }];
}

/** With one replica a budget would only keep nodes from being drained. */
export function disruptionBudget(spec: ServerSpec, conventions: Conventions): readonly KubernetesObject[] {
  if (spec.replicas < 2) return [];
  return [
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: metadataOf(spec, conventions),
      spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(spec, conventions) } },
    },
  ];
}

/** Who the pods are to the API server, with just the rights that the spec asks for. */
export function permissions(spec: ServerSpec, conventions: Conventions): readonly KubernetesObject[] {
  if (spec.permissions === undefined) return [];
  const metadata = metadataOf(spec, conventions);
  const { name, namespace } = metadata;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: spec.permissions },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}
