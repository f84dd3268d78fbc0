import { isScalar } from 'yaml';
import type { TextEdit } from '../../files/text-edit.ts';
import { isMapping } from '../../files/values.ts';
import type { YamlPath } from '../../files/yaml-file.ts';
import type { Resource } from '../resource.ts';
import type { Rule, Say } from '../rule.ts';
import { customProblems } from '../schema/custom-schemas.ts';
import { schemaProblems } from '../schema/kubernetes-schema.ts';
import type { SchemaProblem } from '../schema/schema-problem.ts';
import { unknownFields } from '../schema/unknown-fields.ts';

export const schema: Rule = {
  id: 'schema',
  level: 'error',
  what: 'objects have the fields, types and values of their kind',
  why: 'An API server refuses an object with a wrong type, and with a field that it does not know it either refuses it or silently drops the field, so that what was written never takes effect. Both are found here without a cluster, by the schemas of Kubernetes 1.36 and of the operators that MCP servers use.',
  fixable: true,
  check: async ({ resources, yaml }, say) => {
    for (const resource of resources) await checkResource(resource, say);
    for (const [file, { documents, place }] of yaml) {
      for (const { object, start } of documents) {
        if (object === null || isMapping(object)) continue;
        say(
          { file, ...place(start) },
          'A document must be a Kubernetes object: a mapping with apiVersion and kind.',
        );
      }
    }
  },
};

async function checkResource(resource: Resource, say: Say): Promise<void> {
  const { apiVersion, kind, value, title } = resource;
  if (apiVersion === '' || kind === '') {
    const field = apiVersion === '' ? 'apiVersion' : 'kind';
    say(
      { resource, ...resource.at([field]) },
      `An object needs ${field}: without it, nobody knows what this is.`,
    );
    return;
  }
  const isKubernetes = !/^[^/]+\.[^/]+\//.test(apiVersion) || /\.k8s\.io\//.test(apiVersion);
  const problems = isKubernetes
    ? await kubernetesProblems(resource)
    : customProblems(value, apiVersion, kind);
  for (const { path, message, ofKey } of problems) {
    const place = ofKey === true ? resource.atKey(path) : resource.at(path);
    const fix = message === 'must be a string' ? quoted(resource, path) : undefined;
    const advice = fix === undefined ? '' : ': put it in quotes';
    say({ resource, ...place }, `${path.length === 0 ? title : pathText(path)} ${message}${advice}.`, {
      fix,
    });
  }
}

/** A number or truth value as the text that it is written as. */
function quoted(resource: Resource, path: YamlPath): readonly TextEdit[] | undefined {
  const node = resource.document.node([...resource.base, ...path]);
  if (!isScalar(node) || !['number', 'boolean'].includes(typeof node.value)) return undefined;
  return node.source === undefined ? undefined : resource.set(path, node.source);
}

async function kubernetesProblems({ apiVersion, kind, value }: Resource): Promise<readonly SchemaProblem[]> {
  const unknown = await unknownFields(value, apiVersion, kind);
  const wrong = await schemaProblems(value, apiVersion, kind);
  if (unknown === null && /\.x-k8s\.io\/|gateway\.networking\.k8s\.io\//.test(apiVersion)) return [];
  if (unknown === null) {
    return [
      {
        path: ['kind'],
        message: `${kind} of ${apiVersion} is not served by Kubernetes 1.36: use the kind or version it has`,
      },
    ];
  }
  return [...unknown, ...(wrong ?? [])];
}

export function pathText(path: readonly (string | number)[]): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = /^[A-Za-z0-9_-]+$/.test(step) ? step : `"${step}"`;
      return at === 0 ? name : `.${name}`;
    })
    .join('');
}
