import type { StandardSchemaV1 } from '@modelcontextprotocol/server';
import type { ToolDefinition, ToolMetadata, ToolRequirements } from '@sallyport/contracts';
import { z } from 'zod';
import type { JsonSchema, ToolSchema } from './json-schema-of.ts';
import { jsonSchemaOf } from './json-schema-of.ts';
import type { ToolContext } from './tool-context.ts';
import type { FullValueSchema } from './value-schema-of.ts';
import { descriptionOf, valueSchemaOf } from './value-schema-of.ts';

export interface ServerInfo {
  /** The toolkit's name: letters, digits and single underscores. */
  name: string;
  /** A semantic version. */
  version: string;
  title?: string;
  description?: string;
  instructions?: string;
}

export interface ToolOptions<
  Input extends ToolSchema = ToolSchema,
  Output extends ToolSchema | undefined = ToolSchema | undefined,
> {
  name: string;
  title?: string;
  description: string;
  /** An object schema; left out, the tool takes no input. */
  input?: Input;
  output?: Output;
  requires?: {
    authorization?: { providerId?: string; id?: string; scopes?: string[] };
    secrets?: string[];
    metadata?: string[];
  };
  metadata?: {
    classification?: { serviceDomains: string[] };
    behavior?: ToolBehavior;
    extras?: Record<string, unknown>;
  };
  /** Overrides of the MCP annotations that follow from `metadata.behavior`. */
  annotations?: ToolAnnotationOptions;
  /** Why not to use this tool any more, and what instead. */
  deprecated?: string;
}

export interface ToolBehavior {
  operations?: ('read' | 'create' | 'update' | 'delete' | 'opaque')[];
  readOnly?: boolean;
  destructive?: boolean;
  idempotent?: boolean;
  openWorld?: boolean;
}

export interface ToolAnnotationOptions {
  title?: string;
  readOnlyHint?: boolean;
  destructiveHint?: boolean;
  idempotentHint?: boolean;
  openWorldHint?: boolean;
}

export type ToolHandler<Input extends ToolSchema, Output extends ToolSchema | undefined> = (
  input: StandardSchemaV1.InferOutput<Input>,
  context: ToolContext,
) => HandlerResult<Output> | Promise<HandlerResult<Output>>;

type HandlerResult<Output> = Output extends ToolSchema ? StandardSchemaV1.InferInput<Output> : unknown;

/** A tool ready to be listed and called. */
export interface DefinedTool {
  wire: WireToolDefinition;
  title: string;
  annotations: ToolAnnotationOptions;
  inputJsonSchema: JsonSchema;
  outputJsonSchema: JsonSchema | null;
  input: ToolSchema;
  output: ToolSchema | null;
  handler: (input: unknown, context: ToolContext) => unknown;
}

/** One entry of `GET /worker/tools`, with every key present. */
export type WireToolDefinition = ToolDefinition & {
  fully_qualified_name: string;
  toolkit: { name: string; description: string | null; version: string };
  input: { parameters: { name: string; required: boolean; value_schema: FullValueSchema }[] };
  requirements: ToolRequirements;
};

const namePattern = /^[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*$/;

/** Turns what the author wrote into what both protocols list; throws where it cannot be listed. */
export function defineTool<Input extends ToolSchema, Output extends ToolSchema | undefined>(
  server: ServerInfo,
  options: ToolOptions<Input, Output>,
  handler: ToolHandler<Input, Output>,
): DefinedTool {
  if (!namePattern.test(options.name)) {
    throw new TypeError(`tool name "${options.name}" must be letters, digits and single underscores`);
  }
  const input: ToolSchema = options.input ?? z.object({});
  const output: ToolSchema | null = options.output ?? null;
  const inputJsonSchema = objectSchemaOf(options.name, input);
  const outputJsonSchema = output && schemaFor(options.name, 'output', output);
  const metadata = wireMetadata(options);
  return {
    wire: {
      name: options.name,
      fully_qualified_name: `${server.name}.${options.name}`,
      description: options.description,
      toolkit: { name: server.name, description: server.description ?? null, version: server.version },
      input: { parameters: parametersOf(inputJsonSchema) },
      output: wireOutput(outputJsonSchema),
      requirements: wireRequirements(options.requires),
      deprecation_message: options.deprecated ?? null,
      metadata,
    },
    title: options.title ?? options.name,
    annotations: options.annotations ?? {},
    inputJsonSchema,
    outputJsonSchema,
    input,
    output,
    handler: handler as DefinedTool['handler'],
  };
}

function schemaFor(tool: string, side: 'input' | 'output', schema: ToolSchema): JsonSchema {
  try {
    return jsonSchemaOf(schema, side);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`the ${side} schema of tool "${tool}" cannot be listed: ${reason}`, { cause });
  }
}

function objectSchemaOf(tool: string, input: ToolSchema): JsonSchema {
  const schema = schemaFor(tool, 'input', input);
  if (schema.type !== 'object') {
    throw new TypeError(`the input schema of tool "${tool}" must be an object schema`);
  }
  return { ...schema, properties: schema.properties ?? {}, additionalProperties: false };
}

function parametersOf(input: JsonSchema) {
  const properties = input.properties as Record<string, JsonSchema>;
  const required = new Set(Array.isArray(input.required) ? input.required : []);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    required: required.has(name),
    description: descriptionOf(property),
    value_schema: valueSchemaOf(property, input),
    inferrable: true,
  }));
}

function wireOutput(schema: JsonSchema | null): WireToolDefinition['output'] {
  const value = schema && valueSchemaOf(schema);
  return {
    description: schema && descriptionOf(schema),
    available_modes: value?.nullable ? ['value', 'error', 'null'] : ['value', 'error'],
    value_schema: value && { ...value, nullable: null },
  };
}

function wireRequirements(requires: ToolOptions['requires']): ToolRequirements {
  const authorization = requires?.authorization;
  const keys = (names: string[] | undefined) =>
    names === undefined || names.length === 0 ? null : names.map((key) => ({ key }));
  return {
    authorization:
      authorization === undefined
        ? null
        : {
            provider_id: authorization.providerId ?? null,
            provider_type: 'oauth2',
            id: authorization.id ?? null,
            oauth2: { scopes: authorization.scopes ?? null },
          },
    secrets: keys(requires?.secrets),
    metadata: keys(requires?.metadata),
  };
}

function wireMetadata(options: ToolOptions): ToolMetadata | null {
  const { metadata } = options;
  if (metadata === undefined) return null;
  const { classification, behavior, extras } = metadata;
  refuseContradictions(options.name, behavior, classification?.serviceDomains);
  return {
    classification: classification === undefined ? null : { service_domains: classification.serviceDomains },
    behavior:
      behavior === undefined
        ? null
        : {
            operations: behavior.operations ?? null,
            read_only: behavior.readOnly ?? null,
            destructive: behavior.destructive ?? null,
            idempotent: behavior.idempotent ?? null,
            open_world: behavior.openWorld ?? null,
          },
    extras: extras ?? null,
  };
}

/** A gateway decides by these claims, so a tool that contradicts itself is refused where it is defined. */
function refuseContradictions(tool: string, behavior: ToolBehavior = {}, domains: string[] = []): void {
  const operations = behavior.operations ?? [];
  const mutating = operations.find((operation) => operation !== 'read');
  if (behavior.readOnly === true && mutating !== undefined) {
    throw new TypeError(`tool "${tool}" is readOnly and has the operation "${mutating}"`);
  }
  if (behavior.destructive === false && operations.includes('delete')) {
    throw new TypeError(`tool "${tool}" has the operation "delete" and destructive: false`);
  }
  if (behavior.openWorld === false && domains.length > 0) {
    throw new TypeError(`tool "${tool}" has a service domain and openWorld: false`);
  }
}
