import { isScalar } from 'yaml';
import { CommandError } from '../command-error.ts';
import { valueAt } from '../files/values.ts';
import { type Place, readYamlFile, type YamlPath } from '../files/yaml-file.ts';
import { type Fields, fieldsAt, itemsAt } from '../manifests/fields.ts';
import { isKubernetesObject, type KubernetesObject, objectTitle } from '../manifests/object.ts';
import { withoutDefaults } from '../manifests/without-defaults.ts';
import { pathText } from '../spec/document.ts';
import { unlikeJson } from '../spec/unlike-json.ts';

/** An object of a file that is imported. */
export interface Source {
  /** Absolute. */
  readonly path: string;
  readonly object: KubernetesObject;
  /** What was wrong in the file, and is right in the object. */
  readonly mended?: readonly string[];
}

/** The objects of a file, without what only a cluster adds to them. */
export function readSources(path: string, shown: string, text: string): readonly Source[] {
  return readYamlFile(shown, text).documents.flatMap((document) => {
    const { object } = document;
    if (object === null) return [];
    const items = itemsAt(object, 'items');
    const found = (object as Partial<KubernetesObject>).kind === 'List' ? items : [object];
    if (!found.every(isKubernetesObject) || isKustomization(object)) {
      const { line, column } = document.at([]);
      throw new CommandError(
        'import.not-manifests',
        `${shown}:${line}:${column}: is no object of Kubernetes`,
        [
          'Give the files with Deployments and what belongs to them, not kustomization.yaml or values of a chart.',
        ],
      );
    }
    return (found as KubernetesObject[]).map((one, index) => {
      const mended: string[] = [];
      const base = one === object ? [] : ['items', index];
      const texts = withTextVariables(one, (at) => document.node([...base, ...at]), mended);
      refuseUnlikeJson(texts, shown, (at) => document.at([...base, ...at]));
      return { path, object: cleaned(texts), ...(mended.length > 0 && { mended }) };
    });
  });
}

/** Values of variables that YAML reads as numbers or truth values, which an API server refuses: as they are written. */
function withTextVariables(
  object: KubernetesObject,
  nodeAt: (path: YamlPath) => unknown,
  mended: string[],
): KubernetesObject {
  const changed = structuredClone(object);
  for (const list of ['initContainers', 'containers']) {
    for (const container of pathsOfItems(changed, ['spec', 'template', 'spec', list])) {
      for (const path of pathsOfItems(changed, [...container, 'env'])) {
        const variable = valueAt(changed, path) as { name?: unknown; value?: unknown } | null;
        if (!['number', 'boolean'].includes(typeof variable?.value) || variable === null) continue;
        const node = nodeAt([...path, 'value']);
        variable.value = isScalar(node) && node.source !== undefined ? node.source : `${variable.value}`;
        mended.push(`env ${variable.name}: ${variable.value} is a text now, as Kubernetes takes no other`);
      }
    }
  }
  return changed;
}

function refuseUnlikeJson(object: KubernetesObject, shown: string, placeOf: (path: YamlPath) => Place): void {
  const told = unlikeJson(object).map(({ path, message }) => {
    const { line, column } = placeOf(path as YamlPath);
    return `${shown}:${line}:${column}: ${pathText(path)} ${message}`;
  });
  if (told.length === 0) return;
  const title = objectTitle(object);
  throw new CommandError('import.unlike-json', `${title} of ${shown} says what no cluster reads`, told);
}

function pathsOfItems(value: unknown, path: YamlPath): readonly YamlPath[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found.map((_, at) => [...path, at]) : [];
}

const isKustomization = (object: unknown): boolean =>
  ['Kustomization', 'Component'].includes((object as KubernetesObject).kind) &&
  (object as KubernetesObject).apiVersion.startsWith('kustomize.config.k8s.io/');

/** What the API server or a controller writes, never a person. */
const ofClusters = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink'];
const annotationsOfClusters = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
];

function cleaned(object: KubernetesObject): KubernetesObject {
  const exported = 'uid' in object.metadata || 'resourceVersion' in object.metadata;
  const { status: _, ...rest } = object;
  const annotations = without(fieldsAt(object, 'metadata', 'annotations'), annotationsOfClusters);
  const { annotations: __, ...metadata } = without(object.metadata, ofClusters);
  const kept = {
    ...rest,
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
  } as unknown as KubernetesObject;
  return exported ? withoutDefaults(kept) : kept;
}

const without = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
