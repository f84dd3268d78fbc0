import type { TextEdit } from '../files/text-edit.ts';
import { isMapping, type Mapping, valueAt } from '../files/values.ts';
import { type Position, setValue } from '../files/yaml-edit.ts';
import type { Place, YamlDocument, YamlPath } from '../files/yaml-file.ts';
import { list, mapping, text } from './values.ts';

/** One object of a file of manifests. */
export interface Resource {
  /** From the root of the repository, with `/`. */
  readonly file: string;
  readonly document: YamlDocument;
  /** Path of the object in its document: not empty for the items of a `List`. */
  readonly base: YamlPath;
  readonly value: Mapping;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** As it is written; `undefined` where it is left to who applies it. */
  readonly namespace: string | undefined;
  readonly title: string;
  readonly get: (path: YamlPath) => unknown;
  readonly at: (path: YamlPath) => Place;
  readonly atKey: (path: YamlPath) => Place;
  /** Edits that set a value; `undefined` where that cannot be done to the byte. */
  readonly set: (path: YamlPath, value: unknown, position?: Position) => readonly TextEdit[] | undefined;
}

/** The objects of a document; a `List` has those in it. */
export function resourcesOf(file: string, document: YamlDocument): readonly Resource[] {
  const { object } = document;
  if (!isMapping(object)) return [];
  if (object.kind === 'List' && Array.isArray(object.items)) {
    return object.items.flatMap((item, index) =>
      isMapping(item) ? [resource(file, document, ['items', index], item)] : [],
    );
  }
  return [resource(file, document, [], object)];
}

function resource(file: string, document: YamlDocument, base: YamlPath, value: Mapping): Resource {
  const metadata = mapping(value.metadata);
  const kind = text(value.kind) ?? '';
  const name = text(metadata.name) ?? '';
  const namespace = text(metadata.namespace);
  return {
    file,
    document,
    base,
    value,
    apiVersion: text(value.apiVersion) ?? '',
    kind,
    name,
    namespace,
    title: `${kind || 'object'} ${namespace === undefined ? '' : `${namespace}/`}${name || '(no name)'}`,
    get: (path) => valueAt(value, path),
    at: (path) => document.at([...base, ...path]),
    atKey: (path) => document.atKey([...base, ...path]),
    set: (path, wanted, position) => setValue(document, [...base, ...path], wanted, position) ?? undefined,
  };
}

const templates: Readonly<Record<string, YamlPath>> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
};

/** An object that runs pods. */
export interface Workload extends Resource {
  /** Path of the pod's metadata and spec. */
  readonly template: YamlPath;
  readonly podSpec: Mapping;
  readonly podLabels: Mapping;
}

export function asWorkload(one: Resource): Workload | null {
  const template = templates[one.kind];
  if (template === undefined || /^[^/]+\.[^/]+\//.test(one.apiVersion)) return null;
  return {
    ...one,
    template,
    podSpec: mapping(one.get([...template, 'spec'])),
    podLabels: mapping(one.get([...template, 'metadata', 'labels'])),
  };
}

const containerKinds = ['containers', 'initContainers', 'ephemeralContainers'] as const;

export interface Container {
  readonly path: YamlPath;
  readonly value: Mapping;
  readonly name: string;
  readonly kind: (typeof containerKinds)[number];
}

/** Containers of every kind. */
export function containersOf({ template, podSpec }: Workload): readonly Container[] {
  return containerKinds.flatMap((kind) =>
    list(podSpec[kind]).map((value, index) => ({
      path: [...template, 'spec', kind, index],
      value: mapping(value),
      name: text(mapping(value).name) ?? `${index}`,
      kind,
    })),
  );
}
