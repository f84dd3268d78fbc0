import { type DispatchedCall, type Source, type SourceReturn, timeoutMsOf, traceHeaders } from '#domain';
import type { UpstreamResponse } from '#egress';
import { type Clock, err, ok, type Result } from '#foundation';
import type { CallFailure } from '../contract.ts';
import { failureOf, type Requester, send } from '../failure.ts';
import { credentialRefused } from './list.ts';
import { largeValueOf, parseInvokeAnswer, type WorkerAnswer } from './output.ts';

export interface Invoker {
  readonly upstream: Requester;
  readonly source: Source;
  readonly path: string;
  readonly maxAnswerBytes: number;
  readonly clock: Clock;
  /** Our own origin. */
  readonly issuer: () => string;
}

/**
 * `POST /worker/tools/invoke`. Sent again only where surely nothing had arrived, or where the tool says that it can be
 * retried at once and is one that may run twice; all within the source's one time budget.
 */
export async function invoke(
  call: DispatchedCall,
  invoker: Invoker,
): Promise<Result<SourceReturn, CallFailure>> {
  const { source, clock } = invoker;
  const body = invokeBody(call, clock.iso(), invoker.issuer());
  const deadline = clock.monotonic() + timeoutMsOf(source, call.tool.name);
  const repeatable = mayRunTwice(call);
  for (let left = source.retry; ; left--) {
    const timeoutMs = Math.max(1, Math.ceil(deadline - clock.monotonic()));
    const sent = await sendOnce(body, timeoutMs, call, invoker);
    if (!sent.ok) return err(failureOf(sent.error, 'tools_fetched'));
    const answer = answerOf(sent.value, call);
    if (!answer.ok) return answer;
    const { output, isError, passed } = answer.value;
    if (passed === true) return ok({ form: 'worker', output, isError, passed });
    const retryable = output.error?.can_retry === true && (output.error.retry_after_ms ?? 0) <= 0;
    if (!isError || !retryable || !repeatable || left <= 0 || clock.monotonic() >= deadline) {
      return ok({ form: 'worker', output, isError });
    }
  }
}

function sendOnce(
  body: string,
  timeoutMs: number,
  call: DispatchedCall,
  { upstream, source, path, maxAnswerBytes }: Invoker,
): ReturnType<typeof send> {
  return send(
    upstream,
    {
      method: 'POST',
      path,
      headers: `content-type: application/json\r\naccept: application/json\r\n${traceHeaders(call.trace)}`,
      body,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      signal: call.signal,
    },
    source.retry,
    false,
  );
}

function answerOf(answer: UpstreamResponse, call: DispatchedCall): Result<WorkerAnswer, CallFailure> {
  if (answer.status !== 200) return err(refusedInvoke(answer, call));
  const large = call.large === null ? null : largeValueOf(answer.body);
  if (large !== null && call.large?.begin() === true) {
    call.large.writeOutput(large);
    return ok({ output: {}, isError: false, passed: true });
  }
  const parsed = parseInvokeAnswer(answer.body);
  if (parsed.ok) return parsed;
  return err({
    code: 'source.answer_invalid',
    message: `the worker answered the call with something that is no tool answer: ${parsed.error}`,
    step: 'tools_fetched',
  });
}

function invokeBody(call: DispatchedCall, now: string, issuer: string): string {
  const { executionId, tool, args, userId, credential } = call;
  const authorization = credential?.authorization;
  const metadata = metadataOf(call, issuer);
  return JSON.stringify({
    run_id: executionId,
    execution_id: executionId,
    created_at: now,
    tool: {
      name: tool.name,
      toolkit: tool.toolkit.name,
      ...(tool.toolkit.version === null ? {} : { version: tool.toolkit.version }),
    },
    inputs: args,
    context: {
      ...(userId === null ? {} : { user_id: userId }),
      ...(authorization
        ? { authorization: { token: authorization.token, user_info: authorization.userInfo } }
        : {}),
      ...(credential ? { secrets: credential.secrets } : {}),
      ...(metadata.length === 0 ? {} : { metadata }),
    },
  });
}

/** Of what Arcade's tools may ask to know: only what this one declares. */
function metadataOf({ tool, credential }: DispatchedCall, issuer: string) {
  const known: Record<string, string | null | undefined> = {
    client_id: credential?.authorization?.provider?.clientId,
    coordinator_url: issuer,
  };
  return (tool.requirements.metadata ?? []).flatMap(({ key }) => {
    const value = Object.hasOwn(known, key) ? known[key] : null;
    return value == null ? [] : [{ key, value }];
  });
}

function mayRunTwice({ tool }: DispatchedCall): boolean {
  const behavior = tool.metadata?.behavior;
  return behavior?.idempotent === true || behavior?.read_only === true;
}

/** Python answers 500 text/plain for an unknown tool and for a crash, TypeScript 404 with a JSON error. */
function refusedInvoke(answer: UpstreamResponse, { tool }: DispatchedCall): CallFailure {
  const { status } = answer;
  if (status === 401 || status === 403) return credentialRefused(status);
  const type = answer.header('content-type') ?? '';
  const isHtml = type.includes('html');
  const name = `${tool.toolkit.name}.${tool.name}${tool.toolkit.version === null ? '' : `@${tool.toolkit.version}`}`;
  if (status === 404 && type.includes('json') && answer.body.includes('"error"')) {
    const message = `the worker does not know the tool ${name} (HTTP 404)`;
    return { code: 'source.tool_failed', message, step: 'tools_fetched' };
  }
  if (status === 500 && !isHtml) {
    const message = `the worker does not know the tool ${name} or crashed while it ran (HTTP 500); see the worker's log`;
    return { code: 'source.tool_failed', message, step: 'tools_fetched' };
  }
  const message = `the worker answered the call with HTTP ${status}${isHtml ? ' and a web page' : ''}; is the uri that of the worker itself?`;
  return { code: 'source.answer_invalid', message, step: 'tools_fetched' };
}
