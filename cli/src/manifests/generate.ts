import { CommandError } from '../command-error.ts';
import type { LoadedServer, Project } from '../spec/load.ts';
import { shownPath } from '../spec/load.ts';
import { ingress, serviceMonitor } from './exposure.ts';
import { labelsOf } from './metadata.ts';
import { networkPolicy, services } from './network.ts';
import type { KubernetesObject } from './object.ts';
import { infisicalSecret, secretsOf } from './secrets.ts';
import { strategicMerge } from './strategic-merge.ts';
import { codeConfigMap, deployment, disruptionBudget, permissions } from './workload.ts';

/** What a server's manifests need beside its spec. */
export interface Given {
  /** Of the registry, where the spec asks for one. */
  readonly nodePort?: number;
  /** What `sallyport deploy seal` made of its secrets. */
  readonly sealed?: readonly KubernetesObject[];
}

/** Every object of the server, in the order in which a cluster wants them; patches of the spec have the last word. */
export function generate(server: LoadedServer, project: Project, given: Given): KubernetesObject[] {
  const { spec } = server;
  const { conventions } = project;
  const labels = labelsOf(spec, conventions);
  const objects: readonly KubernetesObject[] = [
    ...permissions(spec, conventions),
    ...codeConfigMap(server, conventions),
    ...secretsOf(spec, conventions)
      .filter(({ from }) => from === 'infisical')
      .map((secret) => infisicalSecret(spec, conventions, secret)),
    ...(given.sealed ?? []).map((object) => withLabels(object, labels)),
    deployment(server, conventions),
    ...services(spec, conventions, given.nodePort),
    networkPolicy(spec, conventions),
    ...disruptionBudget(spec, conventions),
    ...ingress(spec, conventions),
    ...serviceMonitor(spec, conventions),
  ];
  const made = [...patched(objects, server, project), ...(spec.objects as unknown as KubernetesObject[])];
  return JSON.parse(JSON.stringify(made)) as KubernetesObject[];
}

function withLabels(object: KubernetesObject, labels: Readonly<Record<string, string>>): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
}

function patched(objects: readonly KubernetesObject[], { spec, path }: LoadedServer, project: Project) {
  const made = [...objects];
  for (const [index, { kind, name, patch }] of spec.patches.entries()) {
    const found = made.flatMap((object, at) =>
      object.kind === kind && (name === undefined || object.metadata.name === name) ? [at] : [],
    );
    const [at] = found;
    const object = made[at ?? -1];
    if (at === undefined || object === undefined || found.length > 1) {
      const which = `${kind}${name === undefined ? '' : ` ${name}`}`;
      const kinds = [...new Set(made.map((one) => one.kind))].join(', ');
      const file = shownPath(project, path);
      throw new CommandError(
        'spec.patch',
        found.length > 1
          ? `patches[${index}] of ${file} fits more than one ${which}: name says which`
          : `patches[${index}] of ${file} changes ${which}, which is not generated: there are ${kinds}`,
      );
    }
    made[at] = strategicMerge(object, patch) as KubernetesObject;
  }
  return made;
}
