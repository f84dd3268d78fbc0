import type { ToolFormat, ToolParameter, ToolResponse, ValueSchema } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import type { Tool } from '#domain';
import type { Needs } from './needs.ts';

/** A tool in Arcade's words. What is not set is left out. */
export function toolResponse(tool: Tool, needs: Needs): ToolResponse {
  const { name, description, version } = { ...tool.toolkit };
  return {
    name: tool.name,
    qualified_name: tool.qualifiedName,
    fully_qualified_name: version === null ? tool.qualifiedName : `${tool.qualifiedName}@${version}`,
    description: tool.description,
    toolkit: {
      name,
      ...(description === null ? {} : { description }),
      ...(version === null ? {} : { version }),
    },
    input: { parameters: tool.parameters.map(parameterResponse) },
    output: {
      available_modes: [...tool.output.availableModes],
      ...(tool.output.description === null ? {} : { description: tool.output.description }),
      ...(tool.output.valueSchema === null
        ? {}
        : { value_schema: valueSchemaResponse(tool.output.valueSchema) }),
    },
    available: tool.available,
    requirements: needs(tool),
    ...(tool.metadata === null ? {} : { metadata: tool.metadata }),
  };
}

/** With the schemas for model providers that were asked for. */
export function formattedToolResponse(
  shown: ShownTool,
  formats: readonly ToolFormat[],
  needs: Needs,
): ToolResponse {
  const plain = toolResponse(shown.tool, needs);
  if (formats.length === 0) return plain;
  return {
    ...plain,
    formatted_schema: Object.fromEntries(
      formats.map((format) => [format, format === 'arcade' ? plain : formatTool(shown, format)]),
    ),
  };
}

/** The tool as a model provider's API takes it. */
export function formatTool(shown: ShownTool, format: 'openai' | 'anthropic'): Record<string, unknown> {
  const { wireName: name, description, inputSchema } = shown;
  if (format === 'anthropic') return { name, description, input_schema: inputSchema };
  return { type: 'function', function: { name, description, parameters: inputSchema } };
}

function parameterResponse(parameter: ToolParameter): ToolResponse['input']['parameters'][number] {
  return {
    name: parameter.name,
    required: parameter.required,
    ...(parameter.description == null ? {} : { description: parameter.description }),
    inferrable: parameter.inferrable,
    value_schema: valueSchemaResponse(parameter.value_schema),
  };
}

/** Arcade's clients throw on an array whose elements have no type, or are arrays themselves: these are said to be `json`. */
function valueSchemaResponse(schema: ValueSchema): ValueSchema {
  const given = Object.fromEntries(
    Object.entries(schema).filter(([, value]) => value !== null && value !== undefined),
  );
  const { inner_val_type: inner } = schema;
  return {
    ...given,
    val_type: schema.val_type,
    ...(schema.val_type === 'array'
      ? { inner_val_type: inner == null || inner === 'array' ? 'json' : inner }
      : {}),
  };
}
