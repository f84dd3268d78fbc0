import {
  noRequirements,
  type ToolDefinition,
  type ToolMetadata,
  type ToolRequirements,
  toolDefinition,
} from '@sallyport/contracts';
import type { ToolListing } from '#domain';
import { err, ok } from '#foundation';
import type { ToolForm } from '../tool-intake.ts';
import { inputSchemaOf, openOutputSchemaOf, outputSchemaOf } from './json-schema.ts';

/** How workers write tools; what is not a tool definition is left out and does not take the others down. */
export const workerForm: ToolForm = {
  read(entry, index) {
    const parsed = toolDefinition.safeParse(entry);
    if (parsed.success) return ok(listingOf(parsed.data));
    const issue = parsed.error.issues[0];
    const path = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    return err({ name: nameOf(entry, index), reason: `${path}${wordsOf(issue?.message ?? 'invalid')}` });
  },
  nameOf,
};

/** The schema library's words without its verdict. */
function wordsOf(message: string): string {
  return /received undefined$/.test(message) ? 'is missing' : message.replace(/^Invalid input: /, '');
}

function nameOf(entry: unknown, index: number): string {
  const given = entry as { fully_qualified_name?: unknown; name?: unknown } | null;
  const name = given?.fully_qualified_name ?? given?.name;
  return typeof name === 'string' && name !== '' ? name.slice(0, 128) : `entry ${index + 1}`;
}

export function listingOf(definition: ToolDefinition): ToolListing {
  const parameters = definition.input?.parameters ?? [];
  const requirements = definition.requirements ?? noRequirements;
  const metadata = definition.metadata ?? null;
  const valueSchema = definition.output?.value_schema ?? null;
  const deprecation = definition.deprecation_message ?? '';
  const description = definition.description ?? '';
  return {
    toolkit: {
      name: definition.toolkit.name,
      version: definition.toolkit.version ?? null,
      description: definition.toolkit.description ?? null,
    },
    name: definition.name,
    description: deprecation === '' ? description : `[DEPRECATED: ${deprecation}] ${description}`.trimEnd(),
    inputSchema: inputSchemaOf(parameters),
    outputSchema:
      requirements.authorization == null ? outputSchemaOf(valueSchema) : openOutputSchemaOf(valueSchema),
    parameters,
    output: {
      description: definition.output?.description ?? null,
      availableModes: definition.output?.available_modes ?? ['value', 'error'],
      valueSchema,
    },
    requirements,
    metadata,
    mcp: mcpMembers(definition.name, requirements, metadata),
  };
}

/** What arcade-mcp-server puts on the MCP tool beside name, description and schemas. */
function mcpMembers(
  name: string,
  requirements: ToolRequirements,
  metadata: ToolMetadata | null,
): ToolListing['mcp'] {
  const behavior = metadata?.behavior;
  const hints = withoutNulls({
    readOnlyHint: behavior?.read_only,
    destructiveHint: behavior?.destructive,
    idempotentHint: behavior?.idempotent,
    openWorldHint: behavior?.open_world,
  });
  const arcade = withoutNulls({ requirements, metadata }) as object;
  return {
    annotations: { title: name, ...(hints as object | undefined) },
    title: name,
    ...(arcade === undefined ? {} : { _meta: { arcade } }),
  };
}

/** The value without members that are not set; `undefined` where an object has none left. */
function withoutNulls(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, withoutNulls(member)] as const)
    .filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
