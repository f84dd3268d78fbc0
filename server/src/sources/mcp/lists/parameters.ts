import type { ToolParameter, ValueSchema, ValueType } from '@sallyport/contracts';
import type { JsonSchema } from '#domain';
import { isMembers } from '#foundation';

const maxDepth = 8;

/** The arguments of a tool in the worker protocol's form. What that form cannot say is `json`. */
export function parametersOf(inputSchema: JsonSchema): ToolParameter[] {
  if (!isMembers(inputSchema.properties)) return [];
  const required = new Set(Array.isArray(inputSchema.required) ? inputSchema.required : []);
  return Object.entries(inputSchema.properties)
    .filter(([name]) => name !== '')
    .map(([name, schema]) => ({
      name,
      required: required.has(name),
      description: isMembers(schema) && typeof schema.description === 'string' ? schema.description : null,
      inferrable: true,
      value_schema: valueSchemaOf(schema, 0),
    }));
}

export function valueSchemaOf(schema: unknown, depth: number): ValueSchema {
  if (!isMembers(schema)) return { val_type: 'json' };
  const { type, nullable } = typeOf(schema);
  return {
    val_type: type,
    ...(type === 'array' ? itemsOf(schema.items, depth) : {}),
    ...(type === 'json' ? membersOf(schema, depth) : {}),
    ...(type === 'string' ? enumOf(schema) : {}),
    ...(depth > 0 && typeof schema.description === 'string' ? { description: schema.description } : {}),
    ...(nullable ? { nullable } : {}),
  };
}

/** A type and `null` is that type, nullable; any other choice of types is `json`. */
function typeOf(schema: JsonSchema): { readonly type: ValueType; readonly nullable: boolean } {
  const given = Array.isArray(schema.type) ? schema.type : [schema.type];
  const types = given.filter((type) => type !== 'null');
  const nullable = types.length < given.length || (Array.isArray(schema.enum) && schema.enum.includes(null));
  if (types.length === 1 && isKnown(types[0])) {
    return { type: types[0] === 'object' ? 'json' : types[0], nullable };
  }
  const texts = Array.isArray(schema.enum) ? schema.enum.filter((one) => one !== null) : [];
  const allText = types[0] === undefined && texts.length > 0 && texts.every((one) => typeof one === 'string');
  return { type: allText ? 'string' : 'json', nullable };
}

function isKnown(type: unknown): type is Exclude<ValueType, 'json'> | 'object' {
  return ['string', 'integer', 'number', 'boolean', 'array', 'object'].includes(type as string);
}

function itemsOf(items: unknown, depth: number): Partial<ValueSchema> {
  const inner = valueSchemaOf(items, depth + 1);
  return {
    inner_val_type: inner.val_type,
    ...(inner.enum ? { enum: inner.enum } : {}),
    ...(inner.properties ? { inner_properties: inner.properties } : {}),
    ...(inner.required_keys ? { inner_required_keys: inner.required_keys } : {}),
  };
}

function membersOf(schema: JsonSchema, depth: number): Partial<ValueSchema> {
  if (!isMembers(schema.properties) || depth >= maxDepth) return {};
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, property]) => [name, valueSchemaOf(property, depth + 1)]),
  );
  const required = Array.isArray(schema.required)
    ? schema.required.filter((name): name is string => typeof name === 'string')
    : [];
  return { properties, ...(required.length > 0 ? { required_keys: required } : {}) };
}

function enumOf(schema: JsonSchema): Partial<ValueSchema> {
  if (!Array.isArray(schema.enum)) return {};
  const values = schema.enum.filter((value) => typeof value === 'string');
  return values.length > 0 ? { enum: values } : {};
}
