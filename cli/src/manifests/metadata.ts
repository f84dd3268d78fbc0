import type { Conventions } from '../spec/conventions.ts';
import type { ServerSpec } from '../spec/server-spec.ts';
import { namesOf, selectorOf } from './names.ts';
import type { KubernetesObject } from './object.ts';

/** Prefix of annotations that say what manifests have no field for, so that an import finds it again. */
const prefix = 'sallyport.dev';
export const annotation = {
  owner: `${prefix}/owner`,
  description: `${prefix}/description`,
  pattern: `${prefix}/pattern`,
  /** Path of the MCP endpoint, where it is not /mcp. */
  path: `${prefix}/path`,
  /** What the CIDRs of a NetworkPolicy are: `10.1.0.0/24 Proxmox; 10.2.0.0/24 NetBox`. */
  egress: `${prefix}/egress`,
  codeChecksum: 'checksum/code',
} as const;

/** On every object, and on pods; the selector has only the first two, which never change. */
export function labelsOf(spec: ServerSpec, conventions: Conventions): Record<string, string> {
  const version = imageTag(spec.image ?? '');
  return {
    ...selectorOf(spec, conventions),
    'app.kubernetes.io/part-of': conventions.partOf,
    ...(version !== undefined && spec.pattern !== 'configmap' && { 'app.kubernetes.io/version': version }),
    'app.kubernetes.io/managed-by': 'sallyport',
    ...spec.labels,
  };
}

/** Where it is one that a label can hold. */
function imageTag(image: string): string | undefined {
  const tag = /:([^:/@]+)(?:@|$)/.exec(image)?.[1];
  return tag !== undefined && /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(tag) ? tag : undefined;
}

/** Metadata of a generated object. */
export function metadataOf(
  spec: ServerSpec,
  conventions: Conventions,
  { name, annotations = {}, labels = {} }: MetadataExtras = {},
): KubernetesObject['metadata'] {
  const names = namesOf(spec, conventions);
  return {
    name: name ?? names.workload,
    namespace: names.namespace,
    labels: { ...labelsOf(spec, conventions), ...labels },
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

interface MetadataExtras {
  /** Other than the workload's. */
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}
