import { z } from 'zod';

/** The schemas of what stands at a path: more than one where forms are to be chosen from. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly z.core.$ZodType[] {
  return path.reduce<readonly z.core.$ZodType[]>(
    (at, step) => at.flatMap((one) => below(one, step)),
    plainForms(schema),
  );
}

function below(schema: z.core.$ZodType, step: PropertyKey): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const field: z.core.$ZodType | undefined = schema.shape[step as string];
    return field === undefined ? [] : plainForms(field);
  }
  if (schema instanceof z.ZodRecord) return plainForms(schema.valueType);
  if (schema instanceof z.ZodArray) return plainForms(schema.element);
  return [];
}

/** Without `optional`, `default` and the like around them. */
function plainForms(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return plainForms(schema.unwrap());
  }
  return schema instanceof z.ZodUnion ? schema.options.flatMap((one) => plainForms(one)) : [schema];
}

export const keysOf = (schemas: readonly z.core.$ZodType[]): readonly string[] =>
  schemas.flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []));
