import { dirname } from 'node:path';
import { at, type Rule } from '../rule.ts';
import { mapping } from '../values.ts';

const ofCluster =
  /^(Namespace|ClusterRole|ClusterRoleBinding|CustomResourceDefinition|StorageClass|PriorityClass|IngressClass|PersistentVolume|Kustomization|NodePortRegistry)$/;

export const namespace: Rule = {
  id: 'namespace',
  level: 'error',
  what: 'the objects of one file say one namespace',
  why: 'A Service selects pods of its own namespace only, and a pod reads Secrets of its own only. An object that says no namespace lands in whatever the applying person has set, which is rarely the right one.',
  fixable: true,
  check: ({ resources, project, yaml, files }, say) => {
    const { conventions } = project;
    const kustomized = new Set(
      files
        .filter(
          ({ kind, shown }) =>
            kind === 'kustomization' &&
            mapping(yaml.get(shown)?.documents[0]?.object).namespace !== undefined,
        )
        .map(({ shown }) => dirname(shown)),
    );
    const first = new Map<string, string>();
    for (const resource of resources) {
      const { file, kind, namespace: own } = resource;
      if (kind === '' || ofCluster.test(kind) || kustomized.has(dirname(file))) continue;
      if (own === undefined) {
        const fix =
          resource.get(['metadata', 'name']) === undefined
            ? undefined
            : resource.set(['metadata', 'namespace'], first.get(file) ?? conventions.namespace, {
                after: 'name',
              });
        say(at(resource, ['metadata']), `${resource.title} says no namespace: add metadata.namespace.`, {
          level: 'warning',
          fix,
        });
      } else if (!first.has(file)) first.set(file, own);
      else if (first.get(file) !== own) {
        say(
          at(resource, ['metadata', 'namespace']),
          `${own} is not the namespace of the file's other objects, ${first.get(file)}.`,
        );
      }
    }
  },
};
