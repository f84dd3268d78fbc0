import type { TextEdit } from '../../files/text-edit.ts';
import { isMapping } from '../../files/values.ts';
import type { YamlPath } from '../../files/yaml-file.ts';
import { componentLabel, nameLabel } from '../../manifests/names.ts';
import type { Repository } from '../repository.ts';
import { asWorkload, type Resource } from '../resource.ts';
import { at, atKey, type Rule } from '../rule.ts';
import { mapping, text, texts } from '../values.ts';

const labelled = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Service', 'ConfigMap']);

/** Names the server that an object belongs to, `<name>-mcp`; by its own name, where nothing else tells. */
function serverNames({ project, workloads }: Repository): (resource: Resource) => string {
  const { suffix } = project.conventions;
  const servers = new Set(workloads.filter(({ kind }) => kind !== 'Pod').map(({ name }) => name));
  return ({ name, kind }) => {
    for (let owner = name; owner.includes('-'); owner = owner.slice(0, owner.lastIndexOf('-'))) {
      if (servers.has(owner)) return owner;
    }
    const end = name.indexOf(`${suffix}-`);
    return kind !== 'Deployment' && end !== -1 ? name.slice(0, end + suffix.length) : name;
  };
}

export const labelsMissing: Rule = {
  id: 'labels-missing',
  level: 'error',
  what: 'Deployment, template, Service and ConfigMap have app.kubernetes.io/name and component',
  why: 'Everything finds the pods of a server by these two labels: the Service, the network policy, dashboards, migrations. A Deployment whose template lacks a label of its selector is refused by the API server.',
  fixable: true,
  check: (repository, say) => {
    const serverOf = serverNames(repository);
    for (const resource of repository.resources) {
      if (!labelled.has(resource.kind) || resource.name === '') continue;
      const wanted = {
        [nameLabel]: serverOf(resource),
        [componentLabel]: repository.project.conventions.component,
      };
      const name = text(resource.get(['metadata', 'labels', nameLabel]));
      const ofTemplate = {
        ...wanted,
        ...(name !== undefined && { [nameLabel]: name }),
        ...selectorOf(resource),
      };
      report(resource, ['metadata'], wanted);
      if (asWorkload(resource) !== null) report(resource, ['spec', 'template', 'metadata'], ofTemplate);
    }

    function report(resource: Resource, path: YamlPath, wanted: Readonly<Record<string, string>>): void {
      const labels = mapping(resource.get([...path, 'labels']));
      const selector = path.length > 1 ? selectorOf(resource) : {};
      const missing = Object.entries(wanted).filter(([label]) => labels[label] === undefined);
      const wrong = Object.entries(selector).filter(
        ([label, value]) => label in labels && labels[label] !== value,
      );
      for (const [label, value] of wrong) {
        say(
          at(resource, [...path, 'labels', label]),
          `The selector wants ${label}: ${value}, so the API server refuses the Deployment: make them the same.`,
        );
      }
      if (missing.length === 0) return;
      const names = missing.map(([label, value]) => `${label}: ${value}`).join(' and ');
      const where = path.length > 1 ? "The pod template's labels lack" : 'Labels lack';
      say(
        at(resource, [...path, 'labels']),
        `${where} ${names}: add ${missing.length === 1 ? 'it' : 'them'}.`,
        {
          fix: addLabels(resource, path, Object.fromEntries(missing)),
        },
      );
    }
  },
};

/** Pairs of `spec.selector.matchLabels`. */
export function selectorOf(resource: Resource): Readonly<Record<string, string>> {
  return texts(resource.get(['spec', 'selector', 'matchLabels']));
}

/** All of them, or none. */
function addLabels(
  resource: Resource,
  path: YamlPath,
  labels: Readonly<Record<string, string>>,
): readonly TextEdit[] | undefined {
  const there = resource.get([...path, 'labels']);
  if (!isMapping(there) || Object.keys(there).length === 0) {
    return resource.set([...path, 'labels'], labels, path.length > 1 ? 'first' : { after: 'namespace' });
  }
  const edits = Object.entries(labels).map(([label, value]) =>
    resource.set([...path, 'labels', label], value),
  );
  return edits.every((edit) => edit !== undefined) ? edits.flat() : undefined;
}

export const labelsLegacy: Rule = {
  id: 'labels-legacy',
  level: 'warning',
  what: 'selectors do not use app: and component: mcp',
  why: 'Labels of the first days of the convention. A selector cannot be changed in place: the API server refuses the Deployment but takes the Service of the same file, which then has no endpoints. The way that keeps an endpoint at every step takes four, and sallyport deploy migrate plans it.',
  fixable: false,
  check: ({ resources }, say) => {
    for (const resource of resources) {
      const paths: YamlPath[] = [['spec', 'selector', 'matchLabels']];
      if (resource.kind === 'Service') paths.push(['spec', 'selector']);
      for (const path of paths) {
        const selector = texts(resource.get(path));
        const legacy = 'app' in selector ? 'app' : selector.component === 'mcp' ? 'component' : undefined;
        if (legacy === undefined || !(labelled.has(resource.kind) && resource.kind !== 'ConfigMap')) continue;
        say(
          atKey(resource, [...path, legacy]),
          `${legacy}: ${selector[legacy]} is a label of old: move to ${nameLabel} with sallyport deploy migrate ${resource.name} labels, never by editing the selector.`,
        );
      }
    }
  },
};

export const labelsExtra: Rule = {
  id: 'labels-extra',
  level: 'warning',
  what: 'objects say what they are part of and who manages them',
  why: 'part-of and managed-by let people and dashboards group servers and tell generated objects from others; version shows what runs. They never belong into a selector, where they could not change any more.',
  fixable: true,
  check: ({ resources, project }, say) => {
    for (const resource of resources) {
      if (!labelled.has(resource.kind) || resource.name === '') continue;
      const labels = mapping(resource.get(['metadata', 'labels']));
      const wanted = {
        'app.kubernetes.io/part-of': project.conventions.partOf,
        'app.kubernetes.io/managed-by': 'sallyport',
      };
      const missing = Object.entries(wanted).filter(([label]) => labels[label] === undefined);
      if (missing.length > 0) {
        const names = missing.map(([label]) => label).join(' and ');
        say(
          at(resource, ['metadata', 'labels']),
          `Labels lack ${names}: add ${missing.length === 1 ? 'it' : 'them'}.`,
          {
            fix: addLabels(resource, ['metadata'], Object.fromEntries(missing)),
          },
        );
      }
      for (const label of [
        'app.kubernetes.io/version',
        'app.kubernetes.io/managed-by',
        'app.kubernetes.io/part-of',
      ]) {
        if (label in selectorOf(resource)) {
          say(
            atKey(resource, ['spec', 'selector', 'matchLabels', label]),
            `${label} must not select: it changes, and a selector cannot.`,
          );
        }
      }
    }
  },
};
