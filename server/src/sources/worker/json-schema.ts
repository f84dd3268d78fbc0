import type { ToolParameter, ValueSchema } from '@sallyport/contracts';
import type { JsonSchema } from '#domain';

/** A tool's parameters as the schema of its arguments, as arcade-mcp-server writes it. */
export function inputSchemaOf(parameters: readonly ToolParameter[]): JsonSchema {
  const required = parameters.filter((parameter) => parameter.required).map((parameter) => parameter.name);
  const properties = Object.fromEntries(
    parameters.map((parameter) => [
      parameter.name,
      describe(schemaOf(parameter.value_schema), parameter.description),
    ]),
  );
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  };
}

/** Objects as they are; anything else under `result`, as structured content must be an object. */
export function outputSchemaOf(value: ValueSchema | null): JsonSchema | null {
  if (value === null) return null;
  const schema = schemaOf(value);
  return schema.type === 'object' ? schema : { type: 'object', properties: { result: schema } };
}

/**
 * The same for a tool that needs the user's authorization: its result may be, instead, where the user gives it. Clients hold whatever
 * is structured to the schema, failed or not.
 */
export function openOutputSchemaOf(value: ValueSchema | null): JsonSchema | null {
  const schema = outputSchemaOf(value);
  if (schema === null) return null;
  const { required: _, additionalProperties: __, ...open } = schema;
  return open;
}

function schemaOf(value: ValueSchema): JsonSchema {
  const nullable = value.nullable === true;
  const type = value.val_type === 'json' ? 'object' : value.val_type;
  const schema = {
    type: nullable ? [type, 'null'] : type,
    ...(value.val_type === 'array' ? { items: itemsOf(value) } : enumOf(value, nullable)),
    ...(value.val_type === 'json' ? membersOf(value.properties, value.required_keys) : {}),
  };
  return describe(schema, value.description);
}

/** An array's `enum` is that of its elements. */
function itemsOf(value: ValueSchema): JsonSchema {
  const inner = value.inner_val_type ?? null;
  if (inner === null) return {};
  return {
    type: inner === 'json' ? 'object' : inner,
    ...enumOf(value, false),
    ...(inner === 'json' ? membersOf(value.inner_properties, value.inner_required_keys) : {}),
  };
}

function enumOf(value: ValueSchema, nullable: boolean): JsonSchema {
  if (value.enum === null || value.enum === undefined) return {};
  return { enum: nullable ? [...value.enum, null] : value.enum };
}

function membersOf(
  properties: Readonly<Record<string, ValueSchema>> | null | undefined,
  required: readonly string[] | null | undefined,
): JsonSchema {
  if (properties === null || properties === undefined) return {};
  const schemas = Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, schemaOf(value)]),
  );
  return {
    properties: schemas,
    additionalProperties: false,
    ...((required?.length ?? 0) === 0 ? {} : { required }),
  };
}

function describe(schema: JsonSchema, description: string | null | undefined): JsonSchema {
  return description === null || description === undefined || description === ''
    ? schema
    : { ...schema, description };
}
