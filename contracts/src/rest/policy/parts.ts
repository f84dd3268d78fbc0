import { z } from 'zod';
import { gatewaySlug } from '../gateways.ts';
import { glob, printable, toolGlob } from '../glob.ts';
import { pageQuery } from '../page.ts';

/** What grants, rules and limits have in common: who, which tools, where. */

export const entryName = printable.max(256);
export const description = z.string().max(2000);

/** Whom it concerns. A claim that is a list matches where it holds the value. */
export const subject = z.union(
  [
    z.strictObject({ user: printable.max(256) }),
    z.strictObject({ group: printable.max(512) }),
    z.strictObject({
      claim: z.strictObject({
        name: printable.max(256),
        value: z.union([z.string().max(2048), z.number(), z.boolean()]),
      }),
    }),
    z.strictObject({ everyone: z.literal(true) }),
  ],
  'must be one of {"user": id}, {"group": name}, {"claim": {"name", "value"}}, {"everyone": true}',
);
export type SubjectSelector = z.infer<typeof subject>;

export const toolGlobs = z.array(toolGlob).min(1).max(10_000);

const valueGlobs = z.array(glob(256)).min(1).max(100);

/**
 * What a tool says about itself must fit, too; every member that is given. A tool that says nothing is taken as MCP takes it:
 * it writes, may destroy, is not idempotent, and reaches out into the world. Prompts and resources only read.
 */
export const toolTraits = z.strictObject({
  read_only: z.boolean().optional(),
  destructive: z.boolean().optional(),
  idempotent: z.boolean().optional(),
  open_world: z.boolean().optional(),
  /** Globs, one of which must match one of the tool's. */
  operations: valueGlobs.optional(),
  service_domains: valueGlobs.optional(),
});

export const instant = z.iso.datetime({
  offset: true,
  error: 'must be an ISO 8601 date and time with a zone',
});

export const where = {
  tools: toolGlobs,
  metadata: toolTraits.optional(),
  /** Only on this gateway; left out or `null`: everywhere. */
  gateway: gatewaySlug.nullable().optional(),
};

export interface EntryHead {
  id: string;
  /** `static`: declared in the config file, read-only here. */
  binding: { type: 'static' | 'project'; id: string };
  created_at?: string;
  updated_at?: string;
}

/** `GET` of a list: those that name this gateway. */
export const entriesQuery = pageQuery.extend({ gateway: gatewaySlug.optional() });

/** `PATCH`: what is left out stays, and `null` takes away what need not be there. The whole is checked again. */
export function updateOf<Shape extends z.ZodRawShape>(request: z.ZodObject<Shape>) {
  const fields = Object.entries(request.shape).map(([name, field]) => [name, z.nullish(field)]);
  return z.strictObject(Object.fromEntries(fields) as Record<string, z.ZodType<unknown, unknown>>);
}
