import { itemsAt, numberAt, textAt, textsAt } from '../manifests/fields.ts';
import { annotation } from '../manifests/metadata.ts';
import type { KubernetesObject } from '../manifests/object.ts';
import type { Project } from '../spec/load.ts';
import { serverSpec } from '../spec/server-spec.ts';
import type { Group } from './group.ts';
import { isOwnLabel } from './in-convention.ts';
import { egressOf, exposeOf, metricsPortOf } from './recognise-network.ts';
import { containerFields, healthOf, other, patternOf, type SpecFields, some } from './recognise-pod.ts';
import { secretsOf } from './recognise-secrets.ts';
import type { Shape } from './shape.ts';

/** The fields of a server.yaml that the manifests say, but for what is no field; what the conventions say anyway is left out. */
export function recognised(group: Group, shape: Shape, project: Project, target: string): SpecFields {
  const { conventions } = project;
  const { object } = group.deployment;
  const annotations = textsAt(object, 'metadata', 'annotations');
  const pattern = patternOf(shape, conventions);
  const path = annotations[annotation.path] ?? '/mcp';
  const namespace = other(object.metadata.namespace, conventions.namespace);
  const replicas = numberAt(object, 'spec', 'replicas');
  const servicePort = numberAt(shape.servicePort, 'port');
  const said: SpecFields = {
    name: shape.name,
    description: annotations[annotation.description],
    owner: [annotations[annotation.owner], ...ownersOf(object)].find(isOwner) ?? 'unknown',
    pattern,
    ...containerFields(shape, pattern, conventions),
    code: some(
      Object.fromEntries(Object.keys(textsAt(shape.code?.object, 'data')).map((name) => [name, name])),
    ),
    servicePort: other(servicePort, shape.port),
    path: other(path, '/mcp'),
    health: healthOf(shape, pattern, path, conventions),
    secrets: nonEmpty(secretsOf(group, shape, conventions, target)),
    replicas: other(replicas, 1),
    expose: exposeOf(group, shape, conventions),
    egress: egressOf(group, conventions, conventions.cluster),
    permissions: permissionsOf(group, shape),
    metricsPort: metricsPortOf(group, shape),
    namespace,
    labels: some(labelsOf(group, conventions.partOf)),
    annotations: some(commonAnnotations(object)),
  };
  return inOrder(said);
}

/** As they stand in the schema, without what is not said; what is said wrongly is left to a patch. */
function inOrder(said: SpecFields): SpecFields {
  const fields = Object.entries(serverSpec.shape).filter(
    ([name, field]) => said[name] !== undefined && field.safeParse(said[name]).success,
  );
  return Object.fromEntries(fields.map(([name]) => [name, said[name]]));
}

export const nonEmpty = <T>(list: readonly T[]): readonly T[] | undefined =>
  list.length === 0 ? undefined : list;

/** Where somebody wrote it down in a label or an annotation. */
function ownersOf(object: KubernetesObject): string[] {
  const said = { ...textsAt(object, 'metadata', 'labels'), ...textsAt(object, 'metadata', 'annotations') };
  return Object.entries(said).flatMap(([name, value]) => (/(^|\/)(owner|team)$/.test(name) ? value : []));
}

const isOwner = (said: string | undefined): boolean => serverSpec.shape.owner.safeParse(said).success;

/** Labels of its own that the server has; where objects differ in one, each keeps it by a patch. */
function labelsOf({ deployment, others }: Group, partOf: string): Record<string, string> {
  const services = others.map(({ object }) => object).filter(({ kind }) => kind === 'Service');
  const all = [deployment.object, ...services].map((object) => textsAt(object, 'metadata', 'labels'));
  all.push(textsAt(deployment.object, 'spec', 'template', 'metadata', 'labels'));
  const entries = all.flatMap((labels) => Object.entries(labels));
  const own = entries.filter(
    ([name, value]) =>
      isOwnLabel(name) &&
      !(name === 'app.kubernetes.io/part-of' && value === partOf) &&
      entries.every(([one, said]) => one !== name || said === value),
  );
  return Object.fromEntries(own);
}

function commonAnnotations(object: KubernetesObject): Record<string, string> {
  const ofPods = textsAt(object, 'spec', 'template', 'metadata', 'annotations');
  const both = Object.entries(textsAt(object, 'metadata', 'annotations')).filter(
    ([name, value]) => ofPods[name] === value,
  );
  return Object.fromEntries(both);
}

function permissionsOf({ others }: Group, { pod, workload }: Shape): unknown {
  if (pod.serviceAccountName !== workload || pod.automountServiceAccountToken === false) return undefined;
  const named = (kind: string) =>
    others.find(({ object }) => object.kind === kind && object.metadata.name === workload)?.object;
  const binding = named('RoleBinding');
  const role = named('Role');
  const [subject, ...more] = itemsAt(binding, 'subjects');
  const bound =
    textAt(binding, 'roleRef', 'name') === workload && textAt(binding, 'roleRef', 'kind') === 'Role';
  if (named('ServiceAccount') === undefined || role === undefined || !bound) return undefined;
  if (more.length > 0 || subject?.name !== workload) return undefined;
  return serverSpec.shape.permissions.safeParse(role.rules).success ? role.rules : undefined;
}
