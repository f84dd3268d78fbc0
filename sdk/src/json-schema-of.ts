import type { StandardSchemaV1 } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Any Standard Schema: zod, ArkType, Valibot… Its JSON Schema is needed too, see `jsonSchemaOf`. */
export type ToolSchema = StandardSchemaV1;

export type JsonSchema = { [keyword: string]: unknown };

const target = 'draft-2020-12';

/** The JSON Schema of what goes into the schema, or of what comes out of it. Throws where there is none. */
export function jsonSchemaOf(schema: ToolSchema, side: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = convert(schema, side);
  return withoutSafeIntegerBounds(rest);
}

function convert(schema: ToolSchema, side: 'input' | 'output'): JsonSchema {
  const standard = schema['~standard'] as { jsonSchema?: Record<typeof side, unknown>; vendor?: string };
  const ownConversion = standard?.jsonSchema?.[side];
  if (typeof ownConversion === 'function') return ownConversion({ target }) as JsonSchema;
  if ('_zod' in schema)
    return z.toJSONSchema(schema as unknown as z.ZodType, { io: side, target }) as JsonSchema;
  throw new TypeError(
    `a schema of "${standard?.vendor ?? 'unknown'}" gives no JSON Schema; use zod 4 or a schema with Standard JSON Schema support`,
  );
}

/** zod says of every integer that it is exact in JavaScript, which tells a model nothing and costs it tokens. */
function withoutSafeIntegerBounds(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema, (_key, value) => {
    if (![value?.type].flat().includes('integer')) return value;
    const { minimum, maximum, ...rest } = value;
    return {
      ...rest,
      ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
      ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    };
  });
  return JSON.parse(text) as JsonSchema;
}
