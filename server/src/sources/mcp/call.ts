import type { DispatchedCall, RpcError, SourceReturn } from '#domain';
import { err, type Members, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { rpcFailure } from './ask.ts';
import { encodeHeaderValue, paramHeaderLines } from './headers.ts';
import type { Link } from './link.ts';
import {
  capabilityMissing,
  headerMismatch,
  isReserved,
  methodNotFound,
  modernMeta,
  parseError,
  versionUnsupported,
} from './protocol.ts';

const method = 'tools/call';

/** Runs a tool. The bytes of its result are those that the server sent. */
export async function callTool(
  call: DispatchedCall,
  link: Link,
  timeoutMs: number,
): Promise<Result<SourceReturn, CallFailure>> {
  const { tool, args, notify, meta } = call;
  const name = `mcp-name: ${encodeHeaderValue(tool.name)}\r\n`;
  const answer = await link.ask({
    // A prefix, so that no user id can be that of the catalogue.
    owner: call.userId === null ? 'nobody' : `user ${call.userId}`,
    method,
    params(era, id) {
      const given = clientMeta(call, id);
      const params = { name: tool.name, arguments: args };
      if (era === 'modern') return { ...params, _meta: { ...given, ...modernMeta } };
      return Object.keys(given).length === 0 ? params : { ...params, _meta: given };
    },
    modernHeaders: name + paramHeaderLines(tool.inputSchema, args),
    timeoutMs,
    signal: call.signal,
    onNotification:
      notify === null
        ? null
        : (about, params, id) => {
            const passed = forClient(about, params, id, meta?.progressToken);
            if (passed !== null) notify(passed);
          },
    step: 'tools_fetched',
  });
  if (!answer.ok) return answer;
  const { reply } = answer.value;
  if (reply.kind === 'error') return err(failureOfRpc(reply.error, tool.name));
  const { resultType, isError } = reply.result;
  if (resultType !== undefined && resultType !== 'complete') {
    const kind = JSON.stringify(resultType)?.slice(0, 50) ?? '';
    const message = `the server answered the call with a result of type ${kind}, which it may not as the gateway does not offer that`;
    return err({ code: 'source.answer_invalid', message, step: 'tools_fetched' });
  }
  return ok({ form: 'mcp', result: reply.bytes, isError: isError === true });
}

/** The client's own words for the server; what it says of the protocol is between it and the gateway. */
function clientMeta({ meta, notify }: DispatchedCall, id: number): Members {
  const passed = Object.entries(meta ?? {}).filter(([key]) => key !== 'progressToken' && !isReserved(key));
  const wantsProgress = meta?.progressToken !== undefined && notify !== null;
  return { ...Object.fromEntries(passed), ...(wantsProgress ? { progressToken: id } : {}) };
}

/** A notification as the client may see it: under its own progress token, and none that is for another request. */
function forClient(about: string, params: Members | undefined, id: number, token: unknown) {
  if (about === 'notifications/progress') {
    return params?.progressToken === id && token !== undefined
      ? { method: about, params: { ...params, progressToken: token } }
      : null;
  }
  if (about === 'notifications/cancelled') return null;
  return params === undefined ? { method: about } : { method: about, params };
}

/**
 * The server's own error is handed on with the failure, unless it is about our request to the server and not about the
 * client's to us. One that no longer has the tool, or has another one under its name, says so in many ways.
 */
function failureOfRpc(rpc: RpcError, name: string): CallFailure {
  if (rpc.code === headerMismatch) {
    const message = `the tool ${name} is not what the server listed any more; the list is fetched anew: ${rpc.message}`;
    return { code: 'catalog.tool_unavailable', message, step: 'tools_valid' };
  }
  if (rpc.code === -32602 && /unknown tool|tool .*not found|no such tool/i.test(rpc.message)) {
    const message = `the server no longer has the tool ${name}: ${rpc.message}`;
    return { code: 'catalog.tool_unavailable', message, step: 'tools_valid' };
  }
  const { rpc: own, ...failure } = rpcFailure(rpc, { method, step: 'tools_fetched' });
  const isOurs = aboutOurRequest.includes(rpc.code) || !Number.isSafeInteger(rpc.code);
  return own === undefined || isOurs ? failure : { ...failure, rpc: own };
}

const aboutOurRequest: readonly number[] = [
  parseError,
  methodNotFound,
  capabilityMissing,
  versionUnsupported,
];
