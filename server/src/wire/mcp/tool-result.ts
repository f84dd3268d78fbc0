import { errorCodes, type ToolError, type WorkerToolOutput } from '@sallyport/contracts';
import type { JsonSchema, Refusal, SourceReturn } from '#domain';
import { isMembers, type Members } from '#foundation';
import { consentMembers } from './consent.ts';

/** The result of a request that was answered, as JSON text. A source's own MCP result is relayed as it came. */
export function resultOf(returned: Exclude<SourceReturn, { form: 'input_required' }>): string | Buffer {
  return returned.form === 'mcp' ? returned.result : workerResult(returned.output);
}

/**
 * A worker's output as MCP says it: an object becomes `structuredContent` as it is, anything else is wrapped in
 * `{result}`, and the text content holds the same.
 */
function workerResult(output: WorkerToolOutput): string {
  if (output.error != null) return errorResult(output.error);
  const value = output.value ?? '';
  const isObject = typeof value === 'object' && !Array.isArray(value);
  const json = JSON.stringify(value);
  const text = typeof value === 'string' ? json : JSON.stringify(json);
  return `{"content":[{"type":"text","text":${text}}],"structuredContent":${isObject ? json : `{"result":${json}}`},"isError":false}`;
}

/** The same of an output that is JSON text and too large to be made into a text of its own: members, in parts. */
export function outputMembers(json: Buffer): readonly (Buffer | string)[] {
  const first = json[0];
  const text = first === 0x22 ? json : JSON.stringify(json.toString('utf8'));
  const [before, after] = first === 0x7b ? ['', ''] : ['{"result":', '}'];
  return ['"content":[{"type":"text","text":', text, `}],"structuredContent":${before}`, json, after];
}

function errorResult(error: ToolError): string {
  const more = error.additional_prompt_content;
  const text = more ? `${error.message}\n\n${more}` : error.message;
  const arcade = {
    errorKind: error.kind,
    canRetry: error.can_retry,
    ...(more ? { additionalPromptContent: more } : {}),
    ...(error.retry_after_ms != null ? { retryAfterMs: error.retry_after_ms } : {}),
    ...(error.status_code != null ? { statusCode: error.status_code } : {}),
  };
  return JSON.stringify({ content: [{ type: 'text', text }], isError: true, _meta: { arcade } });
}

/**
 * A refusal as a tool result, so that the model can read it and act upon it. Clients throw a result away whose `structuredContent` is not
 * what the tool's `outputSchema` promises, failed or not.
 */
export function refusalResult(refusal: Refusal, outputSchema: JsonSchema | null = null): string {
  const { code, message, field, retryAfterMs, details } = refusal;
  const consent = consentMembers(refusal);
  const structured =
    consent !== null && mayBe(consent.structuredContent, outputSchema) ? consent.structuredContent : null;
  const sallyport = {
    code,
    canRetry: errorCodes[code].retry,
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
  return JSON.stringify({
    content: [{ type: 'text', text: message }],
    ...(structured === null ? {} : { structuredContent: structured }),
    isError: true,
    _meta: { ...consent?.meta, 'sallyport/refusal': sallyport },
  });
}

const understood = new Set(['$schema', 'type', 'properties', 'required', 'title', 'description']);

/** Whether an object surely fits a schema that says nothing of any of its members. */
function mayBe(content: Members, schema: JsonSchema | null): boolean {
  if (schema === null) return true;
  const { properties = {}, required = [] } = schema;
  return (
    Object.keys(schema).every((keyword) => understood.has(keyword)) &&
    isMembers(properties) &&
    Object.keys(content).every((name) => !Object.hasOwn(properties, name)) &&
    Array.isArray(required) &&
    required.length === 0
  );
}
