import type { ValueSchema, ValueType } from '@sallyport/contracts';
import type { JsonSchema } from './json-schema-of.ts';

/** The worker protocol's type of a value, with every key present, as Python workers write it. */
export type FullValueSchema = { [Key in keyof Required<ValueSchema>]: Exclude<ValueSchema[Key], undefined> };

/** Recursive types and very deep ones end in a plain `json` here. */
const maximumDepth = 8;

/**
 * JSON Schema to the worker protocol's value type. What that protocol cannot say (ranges, patterns, unions of
 * unlike types) is left out, so the worker protocol's type is never narrower than the schema.
 */
export function valueSchemaOf(schema: JsonSchema, root: JsonSchema = schema): FullValueSchema {
  return typed(schema, root, 0);
}

function typed(given: JsonSchema, root: JsonSchema, depth: number): FullValueSchema {
  const { schema, nullable } = simplify(given, root);
  const type = depth > maximumDepth ? 'json' : valueType(schema);
  const value: FullValueSchema = {
    val_type: type,
    inner_val_type: null,
    enum: type === 'string' ? stringChoices(schema) : null,
    properties: null,
    inner_properties: null,
    description: null,
    required_keys: null,
    inner_required_keys: null,
    nullable: nullable || null,
  };
  if (depth > maximumDepth) return value;
  if (type === 'json') {
    value.properties = propertiesOf(schema, root, depth);
    value.required_keys = value.properties && requiredOf(schema);
  }
  if (type === 'array') {
    const inner = typed(asSchema(schema.items), root, depth + 1);
    value.inner_val_type = inner.val_type;
    value.inner_properties = inner.properties;
    value.inner_required_keys = inner.required_keys;
    value.enum = inner.enum;
  }
  return value;
}

function propertiesOf(schema: JsonSchema, root: JsonSchema, depth: number) {
  const entries = Object.entries(asSchema(schema.properties));
  if (entries.length === 0) return null;
  const properties: Record<string, FullValueSchema> = {};
  for (const [name, property] of entries) {
    const value = typed(asSchema(property), root, depth + 1);
    value.description = descriptionOf(asSchema(property));
    properties[name] = value;
  }
  return properties;
}

function requiredOf(schema: JsonSchema): string[] | null {
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  return required.length > 0 ? required : null;
}

export function descriptionOf(schema: JsonSchema): string | null {
  return typeof schema.description === 'string' ? schema.description : null;
}

/** Follows references and takes `null` out of unions. A union that stays one is the empty schema: any JSON. */
function simplify(given: JsonSchema, root: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  let schema = given;
  let nullable = false;
  for (let step = 0; step < maximumDepth; step++) {
    const next = simplifyOnce(schema, root);
    nullable ||= next.nullable;
    if (next.schema === schema) return { schema, nullable };
    schema = next.schema;
  }
  return { schema: {}, nullable };
}

function simplifyOnce(schema: JsonSchema, root: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (typeof schema.$ref === 'string') return { schema: resolve(schema.$ref, root), nullable: false };
  const all = schema.allOf;
  if (Array.isArray(all) && all.length === 1) return { schema: asSchema(all[0]), nullable: false };
  if (Array.isArray(all)) return { schema: {}, nullable: false };
  const union = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(union)) return unionOf(union.map(asSchema));
  if (Array.isArray(schema.type)) {
    return unionOf(schema.type.map((type) => ({ ...schema, type })));
  }
  return { schema, nullable: false };
}

function unionOf(members: JsonSchema[]): { schema: JsonSchema; nullable: boolean } {
  const others = members.filter((member) => member.type !== 'null');
  const nullable = others.length < members.length;
  const [first] = others;
  if (first !== undefined && others.length === 1) return { schema: first, nullable };
  if (others.every((member) => member.type === 'integer' || member.type === 'number')) {
    return { schema: { type: 'number' }, nullable };
  }
  const choices = others.map((member) => (member.type === 'string' ? stringChoices(member) : null));
  if (choices.every((choice) => choice !== null)) {
    return { schema: { type: 'string', enum: choices.flat() }, nullable };
  }
  const allStrings = others.length > 0 && others.every((member) => member.type === 'string');
  return { schema: allStrings ? { type: 'string' } : {}, nullable };
}

function resolve(reference: string, root: JsonSchema): JsonSchema {
  if (!reference.startsWith('#')) return {};
  let found: unknown = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    found = asSchema(found)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return asSchema(found);
}

function valueType(schema: JsonSchema): ValueType {
  const type = schema.type;
  if (
    type === 'string' ||
    type === 'integer' ||
    type === 'number' ||
    type === 'boolean' ||
    type === 'array'
  ) {
    return type;
  }
  return type === undefined && stringChoices(schema) !== null ? 'string' : 'json';
}

function stringChoices(schema: JsonSchema): string[] | null {
  const choices = 'const' in schema ? [schema.const] : schema.enum;
  if (!Array.isArray(choices) || choices.length === 0) return null;
  const strings = choices.filter((choice) => typeof choice === 'string');
  return strings.length === choices.length ? strings : null;
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {};
}
