import { z } from 'zod';
import { conventions } from './conventions.ts';
import { serverSpec } from './server-spec.ts';

const schemas = { server: serverSpec, conventions } as const;

/** What may stand in server.yaml or conventions.yaml, as editors complete by it: JSON Schema, printed. */
export function jsonSchema(of: keyof typeof schemas): string {
  const schema = z.toJSONSchema(schemas[of], { io: 'input', target: 'draft-7' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
