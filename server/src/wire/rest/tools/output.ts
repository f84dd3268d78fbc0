import {
  type ErrorCode,
  type ExecuteToolResponse,
  errorCodes,
  type ToolError,
  type ToolErrorKind,
  type WorkerToolOutput,
} from '@sallyport/contracts';
import type { Refusal, SourceReturn } from '#domain';
import { err, ok, type Result } from '#foundation';

type Output = ExecuteToolResponse['output'];

/** What a tool returned, as `output` of the answer. Stack traces only where they were asked for. */
export function outputOf(returned: SourceReturn, withStacktrace: boolean): Output {
  if (returned.form === 'mcp') return outputOfMcp(returned.result, returned.isError);
  if (returned.form === 'input_required') return { error: wantsInput };
  return outputOfWorker(returned.output, returned.isError, withStacktrace);
}

function outputOfWorker(output: WorkerToolOutput, isError: boolean, withStacktrace: boolean): Output {
  const { value, error, logs, requires_authorization: authorization } = output;
  const failed = isError || error != null;
  return {
    ...(failed ? { error: shownError(error ?? unexplained, withStacktrace) } : { value: value ?? null }),
    ...(logs == null ? {} : { logs }),
    ...(authorization == null ? {} : { authorization }),
  };
}

const unexplained: ToolError = { message: 'the tool failed', kind: 'TOOL_RUNTIME_FATAL', can_retry: false };

/** Nobody can be asked over this API. */
const wantsInput: ToolError = {
  message: 'the tool wants to ask its user something, which only MCP clients can be asked',
  kind: 'TOOL_RUNTIME_FATAL',
  can_retry: false,
};

/** Workers in TypeScript put the stack trace into `extra` as well. */
function shownError(error: ToolError, withStacktrace: boolean): ToolError {
  const given = Object.fromEntries(
    Object.entries(error).filter(([, value]) => value !== null),
  ) as unknown as ToolError;
  if (withStacktrace) return given;
  const { stacktrace: _hidden, extra, ...shown } = given;
  if (extra == null) return shown;
  const { stacktrace: _alsoHidden, ...rest } = extra;
  return Object.keys(rest).length === 0 ? shown : { ...shown, extra: rest };
}

interface McpResult {
  readonly content?: readonly { readonly type?: string; readonly text?: string }[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
}

/** A worker has one value where an MCP tool has content: the structured content, a single text, or all of it. */
function outputOfMcp(bytes: Buffer, isError: boolean): Output {
  const { content = [], structuredContent } = JSON.parse(bytes.toString()) as McpResult;
  if (isError) {
    const text = content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('\n');
    return { error: { ...unexplained, message: text === '' ? unexplained.message : text } };
  }
  if (structuredContent != null) {
    const onlyResult = Object.keys(structuredContent).length === 1 && 'result' in structuredContent;
    return { value: onlyResult ? structuredContent.result : structuredContent };
  }
  const [only] = content;
  return { value: content.length === 1 && only?.type === 'text' ? (only.text ?? '') : content };
}

const kinds: Partial<Record<ErrorCode, ToolErrorKind>> = {
  'policy.not_granted': 'CONTEXT_DENIED',
  'policy.input_blocked': 'CONTEXT_DENIED',
  'policy.output_blocked': 'CONTEXT_DENIED',
  'policy.rate_limited': 'CONTEXT_CHECK_FAILED',
  'policy.concurrency_limited': 'CONTEXT_CHECK_FAILED',
  'policy.hook_denied': 'CONTEXT_CHECK_FAILED',
  'policy.hook_failed': 'CONTEXT_CHECK_FAILED',
  'policy.approval_required': 'CONTEXT_DENIED',
  'policy.approval_denied': 'CONTEXT_DENIED',
  'credentials.not_configured': 'TOOL_REQUIREMENTS_NOT_MET',
  'credentials.provider_unavailable': 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'catalog.arguments_invalid': 'TOOL_RUNTIME_BAD_INPUT_VALUE',
  'catalog.tool_unavailable': 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'source.disabled': 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'source.address_unresolved': 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'source.address_refused': 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'source.unreachable': 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'source.timeout': 'NETWORK_TRANSPORT_RUNTIME_TIMEOUT',
  'source.secret_refused': 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'source.interrupted': 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'source.answer_invalid': 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'source.answer_too_large': 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'source.cancelled': 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'source.tool_failed': 'TOOL_RUNTIME_FATAL',
  'source.request_failed': 'TOOL_RUNTIME_FATAL',
  'source.waiting_lost': 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'catalog.tool_quarantined': 'CONTEXT_DENIED',
  'source.tool_list_invalid': 'TOOLKIT_LOAD_FAILED',
};

/**
 * A call that was refused, or whose source failed, is a failed execution: clients take 403 as "send the user to consent"
 * and repeat a 5xx. The rest (an unknown tool, missing consent, a mistake in the request) stays a refusal.
 */
export function outputOfRefusal(told: Refusal): Result<Output, Refusal> {
  const kind = kinds[told.code];
  if (kind === undefined) return err(told.field === 'name' ? { ...told, field: 'tool_name' } : told);
  const here = (text: string) => text.replace(/^arguments(?=[. ]|$)/, 'input');
  const field = told.field === undefined ? undefined : here(told.field);
  const message = here(told.message);
  const argument = field?.split('.').at(-1) ?? '';
  return ok({
    error: {
      message: message.includes(argument) ? message : `${field}: ${message}`,
      kind,
      // A tool that ran would run again.
      can_retry: errorCodes[told.code].retry && told.details?.tool_ran !== true,
      ...(told.retryAfterMs === undefined ? {} : { retry_after_ms: told.retryAfterMs }),
      status_code: errorCodes[told.code].status,
      extra: { code: told.code, ...(field === undefined ? {} : { field }), ...told.details },
    },
  });
}
