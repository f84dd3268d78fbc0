import type { ScimAttribute } from '@sallyport/contracts';
import type { Attributes } from './read-attributes.ts';
import { type Named, named, type ResourceSchema } from './resource-schema.ts';

/** Which attributes an answer has (RFC 7644 §3.9). */
export interface Shown {
  /** Whether an attribute may be left out of the work, too. */
  wants(name: string): boolean;
  of(resource: Attributes): Attributes;
}

/** `attributes` says all that is shown, `excludedAttributes` what is not; `id` and `schemas` always are. */
export function shown(
  schema: ResourceSchema,
  { attributes, excludedAttributes }: { readonly attributes?: string; readonly excludedAttributes?: string },
): Shown {
  if (attributes !== undefined && attributes.trim() !== '') {
    const names = namesIn(schema, attributes);
    return {
      wants: (name) => names.some(({ attribute }) => attribute?.name === name),
      of: (resource) => only(resource, names),
    };
  }
  const names = namesIn(schema, excludedAttributes ?? '').filter(
    ({ attribute }) => attribute?.returned !== 'always',
  );
  return {
    wants: (name) => !names.some(({ attribute, sub }) => attribute?.name === name && sub === null),
    of: (resource) => names.reduce(without, resource),
  };
}

function namesIn(schema: ResourceSchema, list: string): Named[] {
  return list
    .split(',')
    .slice(0, 200)
    .map((name) => named(schema, name.trim()))
    .filter((name) => name !== null);
}

function only(resource: Attributes, names: readonly Named[]): Attributes {
  const kept: Attributes = { schemas: resource.schemas, id: resource.id };
  for (const { extension, attribute, sub } of names) {
    const from = (extension === null ? resource : resource[extension.id]) as Attributes | undefined;
    if (from === undefined) continue;
    if (attribute === null) {
      Object.assign(kept, { [(extension as { id: string }).id]: from });
      continue;
    }
    if (from[attribute.name] === undefined) continue;
    if (extension !== null) kept[extension.id] ??= {};
    const to = extension === null ? kept : (kept[extension.id] as Attributes);
    to[attribute.name] =
      sub === null
        ? from[attribute.name]
        : joined(to[attribute.name], picked(from[attribute.name], sub), attribute);
  }
  return kept;
}

/** The part of a value, or of each of a list. */
function picked(value: unknown, { name }: ScimAttribute): unknown {
  if (Array.isArray(value)) return value.map((item) => picked(item, { name } as ScimAttribute));
  const part = (value as Attributes)[name];
  return part === undefined ? {} : { [name]: part };
}

/** Two parts of the same attribute. */
function joined(one: unknown, other: unknown, { multiValued }: ScimAttribute): unknown {
  if (one === undefined) return other;
  if (!multiValued) return { ...(one as object), ...(other as object) };
  return (one as object[]).map((item, at) => ({ ...item, ...(other as object[])[at] }));
}

function without(resource: Attributes, { extension, attribute, sub }: Named): Attributes {
  if (extension !== null) {
    const inner = resource[extension.id] as Attributes | undefined;
    if (inner === undefined) return resource;
    const { [extension.id]: _gone, ...rest } = resource;
    return attribute === null
      ? rest
      : { ...rest, [extension.id]: without(inner, { extension: null, attribute, sub }) };
  }
  const { [(attribute as ScimAttribute).name]: value, ...rest } = resource;
  if (value === undefined || sub === null) return rest;
  const strip = (item: unknown) =>
    without(item as Attributes, { extension: null, attribute: sub, sub: null });
  return {
    ...rest,
    [(attribute as ScimAttribute).name]: Array.isArray(value) ? value.map(strip) : strip(value),
  };
}
