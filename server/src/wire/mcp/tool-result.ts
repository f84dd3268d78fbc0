import { errorCodes, type ToolError, type WorkerToolOutput } from '@sallyport/contracts';
import type { Refusal, SourceReturn } from '#domain';
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
 * A refusal as a tool result, so that the model can read it and act upon it. `promises`: the tool has an output schema; clients then
 * throw a result away whose `structuredContent` is another, failed or not.
 */
export function refusalResult(refusal: Refusal, promises = false): string {
  const { code, message, field, retryAfterMs, details } = refusal;
  const consent = consentMembers(refusal);
  const sallyport = {
    code,
    canRetry: errorCodes[code].retry,
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
  return JSON.stringify({
    content: [{ type: 'text', text: message }],
    ...(consent === null || promises ? {} : { structuredContent: consent.structuredContent }),
    isError: true,
    _meta: { ...consent?.meta, 'sallyport/refusal': sallyport },
  });
}
