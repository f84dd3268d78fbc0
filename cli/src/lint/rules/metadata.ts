import type { Resource } from '../resource.ts';
import { at, atKey, type Rule, type Say } from '../rule.ts';
import { mapping, text } from '../values.ts';

export const metadata: Rule = {
  id: 'metadata',
  level: 'error',
  what: 'names, labels and annotations are ones that Kubernetes takes',
  why: 'Names become parts of DNS names and addresses of objects, so Kubernetes takes only a-z, 0-9 and - of limited length; labels have a syntax of their own. The API server refuses anything else, at the moment of applying.',
  fixable: false,
  check: ({ resources }, say) => {
    for (const resource of resources) {
      if (resource.apiVersion === '' || resource.kind === '') continue;
      checkNames(resource, say);
      const places = [
        ['metadata'],
        ['spec', 'template', 'metadata'],
        ['spec', 'jobTemplate', 'spec', 'template', 'metadata'],
      ];
      for (const path of places) checkLabels(resource, path, say);
    }
  },
};

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const value = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
/** Their names may have what is no DNS name: `system:node`. */
const freeNames = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);

function checkNames(resource: Resource, say: Say): void {
  const { kind } = resource;
  const name = resource.get(['metadata', 'name']);
  const generate = resource.get(['metadata', 'generateName']);
  if (kind === 'Kustomization' && name === undefined) return;
  if (name === undefined || name === null || name === '') {
    if (generate === undefined) say(at(resource, ['metadata']), 'An object needs metadata.name.');
    return;
  }
  if (typeof name !== 'string') return;
  const isLabel = kind === 'Service' || kind === 'Namespace';
  const fits =
    freeNames.has(kind) || (isLabel ? label.test(name) : name.length <= 253 && subdomain.test(name));
  if (!fits || (kind === 'Service' && /^\d/.test(name))) {
    const what = isLabel ? 'a DNS label: at most 63 of a-z 0-9 -' : 'a DNS name: at most 253 of a-z 0-9 - .';
    const start = kind === 'Service' ? ', beginning with a letter' : '';
    say(at(resource, ['metadata', 'name']), `${name} must be ${what}${start}.`);
  }
  const namespace = text(resource.get(['metadata', 'namespace']));
  if (namespace !== undefined && !label.test(namespace)) {
    say(
      at(resource, ['metadata', 'namespace']),
      `${namespace} must be a DNS label: at most 63 of a-z 0-9 -.`,
    );
  }
}

function checkLabels(resource: Resource, path: readonly string[], say: Say): void {
  for (const [key, given] of Object.entries(mapping(resource.get([...path, 'labels'])))) {
    const where = [...path, 'labels', key];
    if (!isKey(key))
      say(
        atKey(resource, where),
        `${key} is no name of a label: [prefix/]name of at most 63 A-Z a-z 0-9 - _ .`,
      );
    if (typeof given === 'string' && !value.test(given)) {
      say(
        at(resource, where),
        `${given} is no value of a label: at most 63 of A-Z a-z 0-9 - _ . that begin and end with a letter or digit.`,
      );
    }
  }
  for (const key of Object.keys(mapping(resource.get([...path, 'annotations'])))) {
    if (!isKey(key.toLowerCase()))
      say(
        atKey(resource, [...path, 'annotations', key]),
        `${key} is no name of an annotation: [prefix/]name of A-Z a-z 0-9 - _ .`,
      );
  }
}

function isKey(key: string): boolean {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  const hasPrefix = prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix));
  return more.length === 0 && hasPrefix && name !== '' && value.test(name);
}
