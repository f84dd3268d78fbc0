import { type InputRequest, type RpcError, type SourceReturn, taskExtension } from '#domain';
import { err, isDeeperThan, isMembers, jsonMembers, type Members, ok, type Result } from '#foundation';
import { isTooDeep, maxAnswerDepth } from '../answer-depth.ts';
import type { CallFailure } from '../contract.ts';
import type { Answer } from './ask.ts';
import type { Job } from './ask-for.ts';
import { inputRequestOf, undeclared } from './capabilities.ts';
import { capabilityMissing, methodNotFound, urlElicitationRequired } from './protocol.ts';
import { maxDepth, quoted } from './transports/message.ts';

type Outcome = Result<SourceReturn, CallFailure>;

const maxInputRequests = 32;

/** Of a server that does no completion, which a gateway does where any of its sources does. */
const noProposals = {
  form: 'mcp',
  result: Buffer.from('{"completion":{"values":[]}}'),
  isError: false,
} as const satisfies SourceReturn;

/**
 * What a server's answer is to the client. The bytes of a result are those that the server sent; the content of a call's,
 * which every revision demands, is put before them where the server left it out.
 */
export function outcomeOf(job: Job, { reply, session }: Answer): Outcome {
  if (reply.kind === 'error') return outcomeOfError(job, reply.error, session !== null);
  const { result, bytes, passed } = reply;
  if (isTooDeep(result, bytes.length))
    return invalid(`a result that is nested more than ${maxAnswerDepth} deep`, job);
  const { resultType } = result;
  if (resultType === undefined || resultType === 'complete') {
    const taskId = job.task === null ? undefined : legacyTaskId(result);
    const isError = result.isError === true;
    if (taskId !== undefined) return ok({ form: 'mcp', result: bytes, isError, taskId });
    const lacksContent = answersCall(job) && result.content === undefined;
    const rest = lacksContent ? withContent(bytes) : bytes;
    return ok({ form: 'mcp', result: rest, isError, ...(passed === true ? { passed } : {}) });
  }
  if (passed === true) return invalid(`a result of type ${quoted(resultType)}, and says so too late`, job);
  if (session === null && resultType === 'task' && followsTasks(job) && typeof result.taskId === 'string') {
    return ok({ form: 'mcp', result: bytes, isError: false, taskId: result.taskId });
  }
  if (session === null && resultType === 'input_required') return inputsOf(job, result);
  const kind = quoted(resultType);
  return invalid(`a result of type ${kind}, which it may not as the gateway does not offer that`, job);
}

function outcomeOfError(job: Job, error: RpcError, isLegacy: boolean): Outcome {
  if (job.method === 'completion/complete' && error.code === methodNotFound) return ok(noProposals);
  const urls = isLegacy ? urlsToOpen(job, error.code, error.data) : null;
  return urls === null ? err(job.failureOf(error)) : ok(inputRequired(urls, null));
}

function answersCall({ method }: Job): boolean {
  return method === 'tools/call' || method === 'tasks/result';
}

function withContent(result: Buffer): Buffer {
  const rest = result.subarray(result.indexOf(0x7b) + 1);
  const isEmpty = jsonMembers(result).length === 0;
  return Buffer.concat([Buffer.from(`{"content":[]${isEmpty ? '' : ','}`), rest]);
}

/** Only a call becomes a task, and only for a client that said it can follow one. */
function followsTasks({ method, from }: Job): boolean {
  const { extensions } = from.client.capabilities;
  return method === 'tools/call' && isMembers(extensions) && isMembers(extensions[taskExtension]);
}

function legacyTaskId({ task }: Members): string | undefined {
  return isMembers(task) && typeof task.taskId === 'string' ? task.taskId : undefined;
}

function inputRequired(
  requests: { readonly [key: string]: InputRequest },
  state: string | null,
): SourceReturn & { readonly form: 'input_required' } {
  return { form: 'input_required', requests, state, isError: false };
}

/** What a server of the modern era wants to know; only what the client declared that it can be asked. */
function inputsOf(job: Job, { inputRequests, requestState }: Members): Outcome {
  if (requestState !== undefined && typeof requestState !== 'string') {
    return invalid('a requestState that is no text', job);
  }
  if (!isMembers(inputRequests)) {
    if (requestState === undefined) return invalid('neither input requests nor a state', job);
    return ok(inputRequired({}, requestState));
  }
  const entries: [string, InputRequest][] = [];
  for (const [key, request] of Object.entries(inputRequests)) {
    if (!isMembers(request) || typeof request.method !== 'string') {
      return invalid('an input request that names no method', job);
    }
    const params = isMembers(request.params) ? request.params : undefined;
    if (isDeeperThan(params, maxDepth)) return invalid('an input request that is nested too deep', job);
    const problem = undeclared(job.from.client.capabilities, { method: request.method, params });
    if (problem !== null) return err(missing(problem.message, problem.required));
    entries.push([key, inputRequestOf(request.method, params)]);
  }
  if (entries.length > maxInputRequests) return invalid(`more than ${maxInputRequests} input requests`, job);
  return ok(inputRequired(Object.fromEntries(entries), requestState ?? null));
}

function missing(why: string, requiredCapabilities: Members): CallFailure {
  const message = `the server asks the client for what it did not declare: ${why}`;
  const rpc = { code: capabilityMissing, message, data: { requiredCapabilities } };
  return { code: 'client.capability_missing', message, step: 'tools_fetched', rpc };
}

/** The links of an error that the modern era has no more, for a client of that era that opens links. */
function urlsToOpen(
  { from: { client } }: Job,
  code: number,
  data: unknown,
): { readonly [key: string]: InputRequest } | null {
  const { elicitation } = client.capabilities;
  const does = client.ask === null && isMembers(elicitation) && isMembers(elicitation.url);
  const listed = isMembers(data) ? data.elicitations : undefined;
  if (code !== urlElicitationRequired || !does || !Array.isArray(listed) || listed.length === 0) return null;
  const entries = listed
    .filter((one) => isMembers(one) && typeof one.url === 'string')
    .slice(0, maxInputRequests)
    .map((one: Members, index) => {
      const params = { ...one, mode: 'url' };
      return [`url-${index + 1}`, inputRequestOf('elicitation/create', params)] as const;
    });
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

function invalid(what: string, { method }: Job): Result<never, CallFailure> {
  const request = method === 'tools/call' ? 'the call' : method;
  const message = `the server answered ${request} with ${what}`;
  return err({ code: 'source.answer_invalid', message, step: 'tools_fetched' });
}
