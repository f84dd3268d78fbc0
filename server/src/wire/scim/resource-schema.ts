import {
  commonAttributes,
  enterpriseUserSchema,
  groupSchema,
  type ScimAttribute,
  type ScimSchema,
  userSchema,
} from '@sallyport/contracts';

/** A type of resource: what its attributes are, and what extends it. */
export interface ResourceSchema {
  readonly core: ScimSchema;
  readonly extensions: readonly ScimSchema[];
}

export const userResource: ResourceSchema = { core: userSchema, extensions: [enterpriseUserSchema] };
export const groupResource: ResourceSchema = { core: groupSchema, extensions: [] };

/** What a name stands for: an attribute, and whether it is part of another or of an extension. */
export interface Named {
  readonly extension: ScimSchema | null;
  /** `null`: all of the extension. */
  readonly attribute: ScimAttribute | null;
  readonly sub: ScimAttribute | null;
}

/** By any of its names, in any case: `name.familyName`, `urn:…:User:department`. `null`: there is none. */
export function named({ core, extensions }: ResourceSchema, name: string): Named | null {
  for (const schema of [core, ...extensions]) {
    const rest = afterUrn(schema.id, name);
    if (rest === null) continue;
    const extension = schema === core ? null : schema;
    if (rest === '') return extension === null ? null : { extension, attribute: null, sub: null };
    return part(extension, extension === null ? attributesOf(core) : schema.attributes, rest);
  }
  return /^urn:/i.test(name) ? null : part(null, attributesOf(core), name);
}

/** Of one kind of resource, what it has in common with others included. */
export function attributesOf(core: ScimSchema): readonly ScimAttribute[] {
  return [...commonAttributes, ...core.attributes];
}

export function attributeIn(attributes: readonly ScimAttribute[], name: string): ScimAttribute | null {
  const folded = name.toLowerCase();
  return attributes.find((attribute) => attribute.name.toLowerCase() === folded) ?? null;
}

/** What follows the name of the schema; `null` where it does not begin with it. */
function afterUrn(urn: string, name: string): string | null {
  if (name.slice(0, urn.length).toLowerCase() !== urn.toLowerCase()) return null;
  if (name.length === urn.length) return '';
  return name[urn.length] === ':' || name[urn.length] === '.' ? name.slice(urn.length + 1) : null;
}

function part(
  extension: ScimSchema | null,
  attributes: readonly ScimAttribute[],
  name: string,
): Named | null {
  const [first = '', second, ...deeper] = name.split('.');
  const attribute = attributeIn(attributes, first);
  if (attribute === null || deeper.length > 0) return null;
  if (second === undefined) return { extension, attribute, sub: null };
  const sub = attributeIn(attribute.subAttributes ?? [], second);
  return sub === null ? null : { extension, attribute, sub };
}
