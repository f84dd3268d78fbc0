import type { StandardSchemaV1 } from '@modelcontextprotocol/server';
import type { ToolError as WireToolError } from '@sallyport/contracts';
import type { DefinedTool } from './define-tool.ts';
import { ToolError } from './errors.ts';
import type { ToolSchema } from './json-schema-of.ts';
import type { CallOrigin } from './tool-context.ts';
import { createToolContext } from './tool-context.ts';

export type ToolOutcome =
  | { ok: true; value: unknown; json: string }
  | { ok: false; error: Required<WireToolError> };

/** Checks the input, runs the handler, checks what it returned. Never throws: every failure is an outcome. */
export async function executeTool(
  tool: DefinedTool,
  inputs: unknown,
  origin: CallOrigin,
): Promise<ToolOutcome> {
  try {
    const input = await validInput(tool, inputs);
    const result = await tool.handler(input, createToolContext(origin, tool.wire.requirements));
    const value = tool.output === null ? result : await validOutput(tool, tool.output, result);
    return { ok: true, value: value ?? null, json: jsonOf(tool, value ?? null) };
  } catch (thrown) {
    return { ok: false, error: wireError(tool.wire.name, thrown) };
  }
}

async function validInput(tool: DefinedTool, inputs: unknown): Promise<unknown> {
  const known = tool.inputJsonSchema.properties as Record<string, unknown>;
  const unknownField = Object.keys(inputs ?? {}).find((field) => !Object.hasOwn(known, field));
  if (unknownField !== undefined) {
    throw badInput(`unknown input "${unknownField}"; known: ${Object.keys(known).join(', ') || 'none'}`);
  }
  const { value, problem } = await validate(tool.input, inputs ?? {});
  if (problem !== null) throw badInput(`bad input ${problem}`);
  return value;
}

function badInput(message: string): ToolError {
  return new ToolError(message, { kind: 'TOOL_RUNTIME_BAD_INPUT_VALUE', statusCode: 400 });
}

/** A tool may return what JSON cannot say, such as a cycle or a BigInt. */
function jsonOf(tool: DefinedTool, value: unknown): string {
  try {
    const json: string | undefined = JSON.stringify(value);
    if (json !== undefined) return json;
  } catch (cause) {
    throw badOutput(tool, `JSON cannot hold the value: ${cause instanceof Error ? cause.message : cause}`);
  }
  throw badOutput(tool, `JSON cannot hold a ${typeof value}`);
}

async function validOutput(tool: DefinedTool, schema: ToolSchema, result: unknown): Promise<unknown> {
  const { value, problem } = await validate(schema, result);
  if (problem === null) return value;
  throw badOutput(tool, problem);
}

function badOutput(tool: DefinedTool, developerMessage: string): ToolError {
  return new ToolError(`tool '${tool.wire.name}' returned something other than it promises`, {
    kind: 'TOOL_RUNTIME_BAD_OUTPUT_VALUE',
    statusCode: 500,
    developerMessage,
  });
}

async function validate(
  schema: ToolSchema,
  given: unknown,
): Promise<{ value: unknown; problem: null } | { value?: never; problem: string }> {
  const result = await schema['~standard'].validate(given);
  if (result.issues === undefined) return { value: result.value, problem: null };
  return { problem: result.issues.slice(0, 5).map(describeIssue).join('; ') };
}

function describeIssue(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step));
  return path.length === 0 ? issue.message : `"${path.join('.')}": ${issue.message}`;
}

/** The text of an unforeseen exception may hold anything, so only its stack, for operators, carries it. */
function wireError(toolName: string, thrown: unknown): Required<WireToolError> {
  const error =
    thrown instanceof ToolError
      ? thrown
      : new ToolError(`error during execution of tool '${toolName}'`, { statusCode: 500 });
  return {
    message: error.message,
    kind: error.kind,
    developer_message: error.developerMessage,
    can_retry: error.canRetry,
    additional_prompt_content: error.additionalPromptContent,
    retry_after_ms: error.retryAfterMs,
    stacktrace: thrown instanceof ToolError ? null : stackOf(thrown),
    status_code: error.statusCode,
    extra: error.extra,
  };
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
