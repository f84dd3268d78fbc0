import type { Tool } from '@modelcontextprotocol/server';
import type { DefinedTool } from './define-tool.ts';
import type { JsonSchema } from './json-schema-of.ts';

/** How a tool is listed over MCP: the same mapping a gateway makes of `GET /worker/tools`. */
export function mcpToolOf(tool: DefinedTool): Tool {
  const { wire } = tool;
  const deprecated = wire.deprecation_message ? `[DEPRECATED: ${wire.deprecation_message}] ` : '';
  const about = arcadeMeta(tool);
  return {
    name: mcpNameOf(tool),
    title: tool.title,
    description: `${deprecated}${wire.description ?? ''}`,
    inputSchema: tool.inputJsonSchema as Tool['inputSchema'],
    ...(tool.outputJsonSchema && { outputSchema: wrappedSchema(tool.outputJsonSchema) }),
    annotations: annotationsOf(tool),
    ...(about && { _meta: { arcade: about } }),
  };
}

export function mcpNameOf(tool: DefinedTool): string {
  return tool.wire.fully_qualified_name.replaceAll('.', '_');
}

/** Structured results are objects, so every other value travels as `{ result }`. */
export function structuredContentOf(tool: DefinedTool, value: unknown): Record<string, unknown> {
  return isObjectSchema(tool.outputJsonSchema) ? (value as Record<string, unknown>) : { result: value };
}

function wrappedSchema(schema: JsonSchema): Tool['outputSchema'] {
  if (isObjectSchema(schema)) return schema as Tool['outputSchema'];
  const { $defs, ...result } = schema;
  return {
    type: 'object',
    properties: { result },
    ...($defs !== undefined && { $defs }),
  } as Tool['outputSchema'];
}

function isObjectSchema(schema: JsonSchema | null): boolean {
  return schema?.type === 'object';
}

function annotationsOf(tool: DefinedTool): NonNullable<Tool['annotations']> {
  const behavior = tool.wire.metadata?.behavior;
  return {
    ...withoutNulls({
      title: tool.title,
      readOnlyHint: behavior?.read_only,
      destructiveHint: behavior?.destructive,
      idempotentHint: behavior?.idempotent,
      openWorldHint: behavior?.open_world,
    }),
    ...tool.annotations,
  };
}

function arcadeMeta(tool: DefinedTool): Record<string, unknown> | null {
  const requirements = withoutNulls(tool.wire.requirements);
  const metadata = withoutNulls(tool.wire.metadata ?? {});
  const about = {
    ...(Object.keys(requirements).length > 0 && { requirements }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
  return Object.keys(about).length > 0 ? about : null;
}

function withoutNulls(value: object): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue;
    kept[key] = typeof member === 'object' && !Array.isArray(member) ? withoutNulls(member) : member;
  }
  return kept;
}
