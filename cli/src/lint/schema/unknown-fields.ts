import { isMapping, type Mapping } from '../../files/values.ts';
import type { SchemaProblem } from './schema-problem.ts';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

interface Model {
  readonly attributeTypeMap?: readonly Attribute[];
}

type Models = Readonly<Record<string, Model | undefined>>;

/**
 * Fields that the kind has not: an API server refuses them or, worse, drops them without a word. `null`: Kubernetes 1.36
 * does not serve the kind.
 */
export async function unknownFields(
  object: Mapping,
  apiVersion: string,
  kind: string,
): Promise<readonly SchemaProblem[] | null> {
  const models = (await import('@kubernetes/client-node/dist/gen/models/all.js')) as unknown as Models;
  const version = apiVersion.split('/').at(-1) ?? '';
  const name = `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`;
  if (models[name] === undefined) return null;
  const problems: SchemaProblem[] = [];
  walk(object, name, [], models, problems);
  return problems;
}

function walk(
  value: unknown,
  type: string,
  path: readonly (string | number)[],
  models: Models,
  problems: SchemaProblem[],
): void {
  const item = /^Array<(.+)>$/.exec(type)?.[1];
  if (item !== undefined) {
    if (!Array.isArray(value)) return;
    for (const [index, one] of value.entries()) walk(one, item, [...path, index], models, problems);
    return;
  }
  if (!isMapping(value)) return;
  const inner = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (inner !== undefined) {
    for (const [key, one] of Object.entries(value)) walk(one, inner, [...path, key], models, problems);
    return;
  }
  const attributes = models[type]?.attributeTypeMap;
  if (attributes === undefined) return;
  for (const [key, one] of Object.entries(value)) {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    if (attribute !== undefined) walk(one, attribute.type, [...path, key], models, problems);
    else problems.push({ path: [...path, key], ofKey: true, message: unknownMessage(key, attributes) });
  }
}

function unknownMessage(key: string, attributes: readonly Attribute[]): string {
  const like = attributes.find(({ baseName }) => simple(baseName) === simple(key))?.baseName;
  return `is no field that Kubernetes knows${like === undefined ? ': remove it, or mend its name' : `: it is ${like}`}`;
}

const simple = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace(/s$/, '');
