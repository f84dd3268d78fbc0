import { dirname } from 'node:path';
import type { Mapping } from '../files/values.ts';
import type { YamlFile, YamlProblem } from '../files/yaml-file.ts';
import type { Project } from '../spec/load.ts';
import type { CheckedImages } from './check-images.ts';
import { type LintFile, yamlOf } from './lint-file.ts';
import { asWorkload, type Resource, resourcesOf, type Workload } from './resource.ts';
import { indexLabels, indexSelectors } from './selection.ts';
import { mapping, text } from './values.ts';

/** Everything that rules look at, read once. */
export interface Repository {
  readonly project: Project;
  readonly files: readonly LintFile[];
  /** Of every file in YAML that could be read, by its shown path. */
  readonly yaml: ReadonlyMap<string, YamlFile>;
  readonly broken: readonly (YamlProblem & { readonly file: string })[];
  /** Objects of manifests, those of files that are only referred to included. */
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
  /** Namespace that an object ends up in. */
  readonly namespaceOf: (resource: Resource) => string;
  readonly ofKind: (kind: string) => readonly Resource[];
  readonly find: (kind: string, namespace: string, name: string) => Resource | undefined;
  readonly ofFile: (shown: string) => readonly Resource[];
  /** Pods with these labels; none for an empty selector. */
  readonly podsSelectedBy: (namespace: string, selector: Mapping) => readonly Workload[];
  readonly servicesSelectedBy: (namespace: string, selector: Mapping) => readonly Resource[];
  /** Services that lead to the pods of a workload. */
  readonly servicesOf: (workload: Workload) => readonly Resource[];
  /** NetworkPolicies of the pods of a workload. */
  readonly policiesOf: (workload: Workload) => readonly Resource[];
  /** What git has of a file at HEAD; `null` where it has none, or there is no git. */
  readonly atHead: (file: LintFile) => Promise<string | null>;
  /** Digests of images by their reference, as far as they were looked up. */
  readonly digests: ReadonlyMap<string, string>;
  /** What registries have beside images; `undefined` where they were not asked. */
  readonly checked: CheckedImages | undefined;
}

export interface RepositoryOptions {
  readonly atHead?: Repository['atHead'];
  readonly digests?: Repository['digests'];
  readonly checked?: Repository['checked'];
}

export function readRepository(
  project: Project,
  files: readonly LintFile[],
  { atHead = async () => null, digests = new Map(), checked }: RepositoryOptions = {},
): Repository {
  const yaml = new Map<string, YamlFile>();
  const broken: (YamlProblem & { file: string })[] = [];
  const resources: Resource[] = [];
  for (const one of files) {
    const { shown, kind } = one;
    if (one.text === null || !['manifest', 'kustomization', 'ports', 'workflow'].includes(kind)) continue;
    const { file, problems } = yamlOf(one);
    for (const problem of problems) broken.push({ ...problem, file: shown });
    yaml.set(shown, file);
    // What is left of a broken file would make others look wrong.
    if (kind === 'manifest' && problems.length === 0)
      resources.push(...file.documents.flatMap((document) => resourcesOf(shown, document)));
  }
  const kinds = Map.groupBy(resources, ({ kind }) => kind);
  const ofKind: Repository['ofKind'] = (kind) => kinds.get(kind) ?? [];
  const transformed = namespacesOf(files, yaml);
  const namespaceOf: Repository['namespaceOf'] = ({ file, namespace }) =>
    transformed.get(dirname(file)) ?? namespace ?? project.conventions.namespace;
  const workloads = resources.map(asWorkload).filter((one) => one !== null);
  return {
    project,
    files,
    yaml,
    broken,
    resources,
    workloads,
    namespaceOf,
    ofKind,
    ...lookups(resources, workloads, ofKind, namespaceOf),
    atHead,
    digests,
    checked,
  };
}

function lookups(
  resources: readonly Resource[],
  workloads: readonly Workload[],
  ofKind: Repository['ofKind'],
  namespaceOf: Repository['namespaceOf'],
): Pick<
  Repository,
  'find' | 'ofFile' | 'podsSelectedBy' | 'servicesSelectedBy' | 'servicesOf' | 'policiesOf'
> {
  const byName = new Map(
    resources.map((one) => [`${one.kind} ${namespaceOf(one)} ${one.name}`, one]).reverse() as [
      string,
      Resource,
    ][],
  );
  const byFile = Map.groupBy(resources, ({ file }) => file);
  const spec = (one: Resource) => mapping(one.value.spec);
  const pods = indexLabels(workloads, namespaceOf, ({ podLabels }) => podLabels);
  const services = indexLabels(ofKind('Service'), namespaceOf, (one) =>
    mapping(one.get(['metadata', 'labels'])),
  );
  const toPods = indexSelectors(ofKind('Service'), namespaceOf, (one) => spec(one).selector, false);
  const policies = indexSelectors(
    ofKind('NetworkPolicy'),
    namespaceOf,
    (one) => mapping(spec(one).podSelector).matchLabels,
    true,
  );
  return {
    find: (kind, namespace, name) => byName.get(`${kind} ${namespace} ${name}`),
    ofFile: (shown) => byFile.get(shown) ?? [],
    podsSelectedBy: pods.selectedBy,
    servicesSelectedBy: services.selectedBy,
    servicesOf: (workload) => toPods.selecting(namespaceOf(workload), workload.podLabels),
    policiesOf: (workload) => policies.selecting(namespaceOf(workload), workload.podLabels),
  };
}

/** `namespace:` of the kustomization.yaml of a folder is that of all objects it lists. */
function namespacesOf(files: readonly LintFile[], yaml: ReadonlyMap<string, YamlFile>): Map<string, string> {
  const namespaces = new Map<string, string>();
  for (const { shown } of files.filter(({ kind }) => kind === 'kustomization')) {
    const namespace = text(mapping(yaml.get(shown)?.documents[0]?.object).namespace);
    if (namespace !== undefined) namespaces.set(dirname(shown), namespace);
  }
  return namespaces;
}
