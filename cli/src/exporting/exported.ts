import { type Fields, fieldsAt, itemsAt } from '../manifests/fields.ts';
import { generate } from '../manifests/generate.ts';
import { type KubernetesObject, objectTitle } from '../manifests/object.ts';
import { secretsOf } from '../manifests/secrets.ts';
import type { LoadedServer, Project } from '../spec/load.ts';

/** A server as an operator has it, and what the operator's objects have no word for. */
export interface Exported {
  readonly objects: readonly KubernetesObject[];
  /** Each says what is lost, and what can be done about it. */
  readonly lost: readonly string[];
}

/** The parts of a generated Deployment that operators have fields for, patches of the spec included. */
export interface Parts {
  readonly metadata: KubernetesObject['metadata'];
  readonly replicas: unknown;
  readonly template: Fields;
  readonly pod: Fields;
  readonly container: Fields;
  /** Further containers. */
  readonly sidecars: readonly Fields[];
  /** The objects beside the Deployment. */
  readonly others: readonly KubernetesObject[];
}

export function partsOf(server: LoadedServer, project: Project): Parts {
  const isPort = server.spec.expose.nodePort !== undefined;
  const objects = generate(server, project, isPort ? { nodePort: 0 } : {});
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('every server has a Deployment');
  const template = fieldsAt(deployment, 'spec', 'template');
  const pod = fieldsAt(template, 'spec');
  const [container = {}, ...sidecars] = itemsAt(pod, 'containers');
  const { metadata } = deployment;
  const replicas = fieldsAt(deployment, 'spec').replicas;
  return {
    metadata,
    replicas,
    template,
    pod,
    container,
    sidecars,
    others: objects.filter((one) => one !== deployment),
  };
}

/** What no operator takes over, whichever it is. */
export function commonLosses({ spec }: LoadedServer, project: Project, { others }: Parts): string[] {
  const lost: string[] = [];
  const { nodePort, ingress } = spec.expose;
  if (nodePort !== undefined)
    lost.push(`expose.nodePort: the operator's Service is inside of the cluster; add one of your own`);
  if (ingress !== undefined) lost.push(`expose.ingress: add an Ingress to the operator's Service`);
  if (spec.metricsPort !== undefined) lost.push("metricsPort: add a ServiceMonitor for the operator's pods");
  if (others.some(({ kind }) => kind === 'PodDisruptionBudget')) {
    lost.push("replicas: add a PodDisruptionBudget for the operator's pods");
  }
  lost.push(
    'the NetworkPolicy: the operator labels pods itself, so add one for its labels (who may call, egress)',
  );
  for (const { kind } of spec.patches) {
    if (kind !== 'Deployment' && !carried.has(kind))
      lost.push(`patches: that of the ${kind} is left out with it`);
  }
  for (const { name, from } of secretsOf(spec, project.conventions)) {
    if (from === 'sealed')
      lost.push(`secrets: the SealedSecret ${name} is not in here; it stays as deploy seal wrote it`);
  }
  return lost;
}

/** Objects that an operator leaves to others. */
const carried = new Set(['Role', 'RoleBinding', 'ConfigMap', 'InfisicalSecret', 'InfisicalStaticSecret']);

export function carriedObjects(server: LoadedServer, { others }: Parts): readonly KubernetesObject[] {
  const own = new Set(
    server.spec.objects.map((object) => objectTitle(object as unknown as KubernetesObject)),
  );
  return others.filter((object) => carried.has(object.kind) || own.has(objectTitle(object)));
}
