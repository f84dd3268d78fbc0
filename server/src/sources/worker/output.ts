import { isUtf8 } from 'node:buffer';
import {
  type ToolError,
  type ToolErrorKind,
  type ToolLog,
  toolErrorKinds,
  type WorkerToolOutput,
} from '@sallyport/contracts';
import { err, isMembers, jsonMembers, type Members, ok, type Result } from '#foundation';
import { isTooDeep, maxAnswerDepth } from '../answer-depth.ts';

export interface WorkerAnswer {
  readonly output: WorkerToolOutput;
  readonly isError: boolean;
  /** The value went on already. */
  readonly passed?: true;
}

/** What is smaller is looked at as a whole. */
const largeFromBytes = 64 * 1024;

/**
 * The JSON text of a large value, of which only the bounds are looked for; `null` where the answer is not large, or says
 * anything else than that the tool did well.
 */
export function largeValueOf(body: Buffer): Buffer | null {
  if (body.length < largeFromBytes) return null;
  const output = memberOf(body, 'output');
  const value = output === null ? null : memberOf(output, 'value');
  if (value === null || value.length === 0 || !isUtf8(value)) return null;
  const start = value.byteOffset - body.byteOffset;
  const frame = `${body.toString('utf8', 0, start)}0${body.toString('utf8', start + value.length)}`;
  const answer = Buffer.byteLength(frame) < largeFromBytes ? parseInvokeAnswer(Buffer.from(frame)) : null;
  if (answer === null || !answer.ok || answer.value.isError) return null;
  const { value: stands, requires_authorization: asks } = answer.value.output;
  return stands === 0 && asks === undefined ? value : null;
}

function memberOf(json: Buffer, name: string): Buffer | null {
  const members = jsonMembers(json).filter((member) => member.name === name);
  const [member] = members;
  return member === undefined || members.length > 1 ? null : json.subarray(member.valueStart, member.end);
}

const kinds: ReadonlySet<string> = new Set(toolErrorKinds);

/**
 * The body of an answer to an invoke, in both dialects; the error says what is wrong with it. Checked by hand, since
 * every call passes here.
 */
export function parseInvokeAnswer(body: Buffer): Result<WorkerAnswer, string> {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    return err('it is not JSON');
  }
  if (!isMembers(answer)) return err('it is not a JSON object');
  if (isTooDeep(answer, body.length)) return err(`it is nested more than ${maxAnswerDepth} deep`);
  const { success, output = null } = answer;
  if (typeof success !== 'boolean') return err('"success" is missing');
  if (output !== null && !isMembers(output)) return err('"output" is not an object');
  const error = output?.error ?? null;
  if (error !== null && !isMembers(error)) return err('"output.error" is not an object');
  const rest = { ...logsOf(output?.logs), ...authorizationOf(output?.requires_authorization) };
  if (success && error === null)
    return ok({ output: { value: output?.value ?? '', ...rest }, isError: false });
  return ok({ output: { error: errorOf(error, rest), ...rest }, isError: true });
}

/** The stack trace is in `stacktrace` and nowhere else, so that whoever answers a client leaves out one member. */
function errorOf(error: Members | null, rest: WorkerToolOutput): ToolError {
  if (error === null) {
    return rest.requires_authorization === undefined
      ? { message: 'the tool failed without saying why', kind: 'UNKNOWN', can_retry: false }
      : { message: 'the tool asks for authorization', kind: 'TOOL_REQUIREMENTS_NOT_MET', can_retry: false };
  }
  const given = isMembers(error.extra) ? error.extra : null;
  const extra = given === null ? null : withoutStacktrace(given);
  return {
    message: textOf(error.message) ?? 'the tool failed without saying why',
    kind: kindOf(error.kind),
    can_retry: error.can_retry === true,
    developer_message: textOf(error.developer_message),
    additional_prompt_content: textOf(error.additional_prompt_content),
    retry_after_ms: numberOf(error.retry_after_ms),
    status_code: numberOf(error.status_code),
    stacktrace: textOf(error.stacktrace) ?? textOf(given?.stacktrace),
    extra,
  };
}

function withoutStacktrace({ stacktrace, ...rest }: Members): Members | null {
  return Object.keys(rest).length === 0 ? null : rest;
}

/** Python writes kinds in upper case, TypeScript in lower case. */
function kindOf(kind: unknown): ToolErrorKind {
  const upper = typeof kind === 'string' ? kind.toUpperCase() : '';
  return kinds.has(upper) ? (upper as ToolErrorKind) : 'UNKNOWN';
}

function logsOf(logs: unknown): { logs?: ToolLog[] } {
  if (!Array.isArray(logs)) return {};
  return {
    logs: logs.filter(isMembers).map((log) => ({
      message: textOf(log.message) ?? '',
      level: textOf(log.level) ?? 'info',
      subtype: textOf(log.subtype),
    })),
  };
}

function authorizationOf(given: unknown): Pick<WorkerToolOutput, 'requires_authorization'> {
  return isMembers(given) ? { requires_authorization: given } : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
