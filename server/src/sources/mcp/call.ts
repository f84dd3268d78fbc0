import type { DispatchedCall, DispatchedRequest, RpcError } from '#domain';
import type { CallFailure } from '../contract.ts';
import { rpcFailure } from './ask.ts';
import type { Job } from './ask-for.ts';
import { encodeHeaderValue, paramHeaderLines } from './headers.ts';
import {
  capabilityMissing,
  headerMismatch,
  methodNotFound,
  parseError,
  versionUnsupported,
} from './protocol.ts';

/** The run of a tool. */
export function jobOfCall(call: DispatchedCall, timeoutMs: number): Job {
  const { tool, args, task, large } = call;
  return {
    from: call,
    method: 'tools/call',
    params: { name: tool.name, arguments: args },
    task,
    large: task === null ? large : null,
    about: tool.name,
    modernHeaders: nameLine(tool.name) + paramHeaderLines(tool.inputSchema, args),
    timeoutMs,
    failureOf: (rpc) => failureOfCall(rpc, tool.name),
  };
}

/** It is answered when the task is done. */
const taskResultWithinMs = 3_600_000;

/** Any other request. */
export function jobOfRequest(request: DispatchedRequest, timeoutMs: number): Job {
  const { method, params } = request;
  const about = aboutOf(method, params);
  return {
    from: request,
    method,
    params,
    task: null,
    large: null,
    about: about ?? '',
    modernHeaders: about === null ? '' : nameLine(about),
    timeoutMs: method === 'tasks/result' ? Math.max(timeoutMs, taskResultWithinMs) : timeoutMs,
    failureOf: (rpc) => failureOfRequest(rpc, method),
  };
}

function nameLine(name: string): string {
  return `mcp-name: ${encodeHeaderValue(name)}\r\n`;
}

/** What `Mcp-Name` says of a request; `null` where it says nothing. */
function aboutOf(method: string, { name, uri, taskId }: DispatchedRequest['params']): string | null {
  if (method === 'prompts/get' && typeof name === 'string') return name;
  if (method === 'resources/read' && typeof uri === 'string') return uri;
  return method.startsWith('tasks/') && typeof taskId === 'string' ? taskId : null;
}

/**
 * The server's own error is handed on with the failure, unless it is about our request to the server and not about the
 * client's to us. One that no longer has the tool, or has another one under its name, says so in many ways.
 */
function failureOfCall(rpc: RpcError, name: string): CallFailure {
  if (rpc.code === headerMismatch) {
    const message = `the tool ${name} is not what the server listed any more; the list is fetched anew: ${rpc.message}`;
    return { code: 'catalog.tool_unavailable', message, step: 'tools_valid' };
  }
  if (rpc.code === -32602 && /unknown tool|tool .*not found|no such tool/i.test(rpc.message)) {
    const message = `the server no longer has the tool ${name}: ${rpc.message}`;
    return { code: 'catalog.tool_unavailable', message, step: 'tools_valid' };
  }
  const failure = rpcFailure(rpc, { method: 'tools/call', step: 'tools_fetched' });
  return relayed(failure, rpc, rpc.code === methodNotFound);
}

function failureOfRequest(rpc: RpcError, method: string): CallFailure {
  const failure = rpcFailure(rpc, { method, step: 'tools_fetched' });
  return relayed({ ...failure, code: 'source.request_failed' }, rpc, rpc.code === headerMismatch);
}

function relayed(failure: CallFailure, rpc: RpcError, isOurs: boolean): CallFailure {
  if (rpc.code === capabilityMissing) return { ...failure, code: 'client.capability_missing' };
  if (!isOurs && !aboutOurRequest.includes(rpc.code) && Number.isSafeInteger(rpc.code)) return failure;
  const { rpc: _, ...rest } = failure;
  return rest;
}

const aboutOurRequest: readonly number[] = [parseError, versionUnsupported];
